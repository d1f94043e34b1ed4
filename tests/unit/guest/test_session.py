# SPDX-License-Identifier: GPL-2.0-only
"""The loop that watches a guest, against a process that plays QEMU over the real sockets."""

import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Unpack

import pytest

from kzc.errors import HostError
from kzc.guest.argv import GuestSpec
from kzc.guest.session import Guest, boot
from kzc.hosts.local import local_host
from kzc.proc import Child, LocalRunner, Where
from kzc.values import Ended, Limits

SPEC = GuestSpec("mini", Path(__file__), "tcg")
LIMITS = Limits(silence=1.0, total=2.5)


class ActingRunner(LocalRunner):
    """Starts the actor in QEMU's place, with QEMU's arguments."""

    def __init__(self, script: str) -> None:
        self._script = script

    @contextmanager
    def spawn(self, argv: Sequence[str], *, log: Path, **where: Unpack[Where]) -> Iterator[Child]:
        actor = Path(__file__).with_name("actor.py")
        line = [sys.executable, str(actor), self._script, *argv]
        with super().spawn(line, log=log, **where) as child:
            yield child


@contextmanager
def guest(script: str, folder: Path) -> Iterator[Guest]:
    with (
        local_host(ActingRunner(script)) as host,
        boot(SPEC, folder, host, LIMITS) as started,
    ):
        yield started


def test_a_command_gives_status_output_and_the_console_of_its_time(tmp_path: Path) -> None:
    with guest("answer", tmp_path) as started:
        assert started.booted.ended is Ended.EXIT
        assert any("Run /init" in line for line in started.booted.console)
        answer = started.run("whatever", LIMITS)
    assert (answer.ended, answer.status) == (Ended.EXIT, 3)
    assert answer.output == ("one", "two")
    assert answer.console == ("[    1.0] kzc: begin x",)
    assert "Run /init" in (tmp_path / "console.log").read_text()
    assert "one\ntwo" in (tmp_path / "control.log").read_text()


def test_a_panic_ends_the_wait_at_once_and_its_trace_is_kept(tmp_path: Path) -> None:
    with guest("panic", tmp_path) as started:
        answer = started.run("crash", Limits(30, 60))
    assert answer.ended is Ended.PANIC
    assert answer.status is None
    assert answer.output == ("half a li",)
    assert "Call Trace:" in answer.console
    assert answer.seconds < 10


def test_silence_and_the_total_are_told_apart(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    with guest("silence", tmp_path / "a") as started:
        answer = started.run("hang", LIMITS)
    assert (answer.ended, answer.output) == (Ended.SILENCE, ("started",))
    with guest("chatter", tmp_path / "b") as started:
        answer = started.run("babble", LIMITS)
    assert answer.ended is Ended.TOTAL
    assert len(answer.output) > 10


def test_a_guest_that_ends_is_noticed_and_stays_ended(tmp_path: Path) -> None:
    with guest("gone", tmp_path) as started:
        first = started.run("poweroff", Limits(30, 60))
        second = started.run("true", Limits(30, 60))
    assert (first.ended, first.output) == (Ended.GONE, ("last words",))
    assert second.ended in {Ended.GONE}


def test_a_kernel_that_panics_while_booting(tmp_path: Path) -> None:
    with guest("boot-panic", tmp_path) as started:
        assert started.booted.ended is Ended.PANIC
        assert any("Fatal exception" in line for line in started.booted.console)


def test_a_kernel_that_never_comes_up(tmp_path: Path) -> None:
    began = time.monotonic()
    with guest("boot-hang", tmp_path) as started:
        assert started.booted.ended is Ended.SILENCE
    assert time.monotonic() - began < 20


def test_a_qemu_that_does_not_start_says_why(tmp_path: Path) -> None:
    with pytest.raises(HostError, match="could not open the kernel"), guest("no-start", tmp_path):
        pass


def test_nothing_is_left_when_the_block_ends(tmp_path: Path) -> None:
    with guest("answer", tmp_path) as started:
        child = started._child
        assert child.code is None
    assert child.code is not None
