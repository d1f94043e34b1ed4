# SPDX-License-Identifier: GPL-2.0-only
"""A kept guest's terminal: the shell on ttyS1 as `kzc shell` finds it, in both kinds of guest; and
the ends of `--keep`, after which nothing is left."""

from __future__ import annotations

import os
import select
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from kzc.guest import initramfs
from kzc.guest.accelerator import probe
from kzc.guest.argv import GuestSpec
from kzc.guest.session import boot
from kzc.hosts.local import local_host
from kzc.jobs.keep import connected, keep
from kzc.jobs.live import registered, running
from kzc.jobs.workshop import find_vng
from kzc.proc import LocalRunner
from kzc.settings import Settings
from kzc.values import Ended, Limits
from tests.vm.conftest import SERIES, TREE, Kzc, interrupt_when

pytestmark = pytest.mark.vm

LIMITS = Limits(80, 300)


class Visitor:
    """Types into a terminal and waits for what it shows."""

    def __init__(self, owner: socket.socket) -> None:
        self.owner = owner
        self.shown = ""

    def type(self, text: str) -> None:
        self.owner.send(b"k" + text.encode())

    def see(self, text: str, within: float = 60) -> None:
        end = time.monotonic() + within
        while text not in self.shown:
            left = end - time.monotonic()
            if left <= 0 or not select.select([self.owner], [], [], left)[0]:
                pytest.fail(f"{text!r} never came:\n{self.shown}")
            data = self.owner.recv(1 << 16)
            assert data, f"it ended:\n{self.shown}"
            self.shown += data.decode(errors="replace")
        self.shown = self.shown.partition(text)[2]

    def runs(self, text: str) -> None:
        """A command whose end is told by an arithmetic result, which its echo does not hold."""
        self.type(f"{text}; echo done-$((40 + 2))\r")


@contextmanager
def visiting(data: Path) -> Iterator[Visitor]:
    (entry,) = running(data)
    (machine,) = entry.machines
    with connected(data, entry, machine) as owner:
        yield Visitor(owner)


def visit(data: Path) -> None:
    with visiting(data) as visitor:
        visitor.owner.send(b"s37 101")
        visitor.see("# ")
        time.sleep(1)
        visitor.runs("stty size; echo one; tty")
        visitor.see("37 101")
        visitor.see("/dev/ttyS1")
        visitor.see("done-42")
        visitor.type("echo begun-$((1 + 1)); sleep 1000\r")
        visitor.see("begun-2")
        time.sleep(1)
        visitor.type("\x03")
        visitor.see("# ")  # what is typed before may go with what the terminal flushes
        visitor.runs("echo interrupted-$?")
        visitor.see("interrupted-130")
        visitor.see("done-42")
        visitor.runs("mark=still")
        visitor.see("done-42")
    with visiting(data) as visitor:
        visitor.see("done-42")  # what was shown last is shown again
        visitor.runs("echo $mark-here")
        visitor.see("still-here")
        visitor.type("exit\r")
        visitor.see("a new shell")
        visitor.see("# ")
        visitor.runs("stty size; echo [$mark]")
        visitor.see("37 101")
        visitor.see("[]")
        visitor.type("echo o > /proc/sysrq-trigger\r")


@pytest.mark.full
@pytest.mark.parametrize("kind", ["mini", "vng"])
def test_a_kept_guest_has_a_terminal(kind: str, built: str, tmp_path: Path) -> None:
    settings, runner = Settings(), LocalRunner()
    accel = probe(settings.qemu, settings.cache, runner).kind
    initrd = None
    if kind == "mini":
        initrd = tmp_path / "initramfs"
        initrd.write_bytes(initramfs.build(Path(shutil.which("busybox") or "/bin/busybox"), {}))
    spec = GuestSpec(
        kind, Path(built), accel, memory=1024, initrd=initrd, vng=find_vng(), terminal=True
    )
    failures: list[BaseException] = []
    said: list[str] = []

    def visited() -> None:
        try:
            visit(tmp_path)
        except BaseException as failure:
            failures.append(failure)
            os.kill(os.getpid(), signal.SIGINT)

    with (
        registered(tmp_path, "run-1", ["kzc", "test"]) as live,
        live.machine("guest", f"{kind} guest") as name,
        local_host(runner) as host,
        boot(spec, tmp_path, host, LIMITS) as guest,
    ):
        assert guest.booted.ended is Ended.EXIT, guest.booted.console[-20:]
        print(f"booted in {guest.booted.seconds:.1f} s")
        assert guest.terminal is not None

        def tell(text: str) -> None:
            said.append(text)
            if text.startswith("Ctrl-C"):
                visitor.start()

        visitor = threading.Thread(target=visited, daemon=True)
        ended = threading.Timer(400, os.kill, (os.getpid(), 2))
        ended.start()
        keep(live, {name: guest}, tell)
        ended.cancel()
        visitor.join(5)
        assert not failures, failures
    assert said[0] == f"kept: {kind} guest: kzc shell run-1 guest"
    assert said[-1] == "guest has ended: it was powered off"
    assert running(tmp_path) == ()


SUITE = """\
name = "nothing"
title = "a guest, and no more"
guest = "mini"
cpus = 1
memory = "512M"

[[commands]]
name = "true"
run = "true"
parser = "exit"
planned = ["true"]
"""


def press_ctrl_c(_kzc: Kzc, process: subprocess.Popen[str]) -> int:
    process.send_signal(signal.SIGINT)
    return 0


def say_stop(kzc: Kzc, _process: subprocess.Popen[str]) -> int:
    done = kzc("stop")
    assert done.code == 0, done.said
    assert ": stopped" in done.out
    return 0


def kill(_kzc: Kzc, process: subprocess.Popen[str]) -> int:
    process.send_signal(signal.SIGKILL)
    return -signal.SIGKILL


@pytest.mark.parametrize(
    "end",
    [
        pytest.param(press_ctrl_c, marks=pytest.mark.full),
        pytest.param(say_stop, marks=pytest.mark.full),
        kill,
    ],
)
def test_a_run_with_keep_leaves_nothing_however_it_ends(
    end: Callable[[Kzc, subprocess.Popen[str]], int], kzc: Kzc, built: str, tmp_path: Path
) -> None:
    suite = tmp_path / "own" / "nothing"
    suite.mkdir(parents=True)
    (suite / "suite.toml").write_text(SUITE)
    process = kzc.start("run", SERIES, "--tree", TREE, "--suite", str(suite), "--keep")
    interrupt_when(process, lambda: any(each.kept for each in running(kzc.data)), signal.SIGCONT)
    assert kzc.report()["finished"], "the report comes first"
    (entry,) = running(kzc.data)
    (machine,) = entry.machines
    assert any("qemu-system" in line for line in kzc.left())
    assert Path(machine.scratch).is_dir()
    code = end(kzc, process)
    out, err = process.communicate()
    assert process.returncode == code, err
    assert "Traceback" not in out + err
    assert f"kept: mini guest for nothing: kzc shell {entry.run} guest" in err
    assert f"run {entry.run}:" in out
    assert kzc.nothing_left(), kzc.left()
    assert kzc("ps").out == "no kzc runs here\n"
    assert not Path(machine.scratch).exists()
    assert list((kzc.data / "live").iterdir()) == []
