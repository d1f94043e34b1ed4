# SPDX-License-Identifier: GPL-2.0-only
"""What runs is listed, stopped and, when it was killed, forgotten: with real processes."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from kzc.errors import UsageError
from kzc.jobs.live import Entry, chosen, registered, running, stop

_KZC = """
import signal, sys, time
from contextlib import ExitStack
from pathlib import Path
from kzc.__main__ import _terminated
from kzc.jobs.live import registered
signal.signal(signal.SIGTERM, signal.SIG_IGN if "deaf" in sys.argv else _terminated)
with registered(Path(sys.argv[1]), sys.argv[2], ["kzc", "test", "vsock"]) as live, ExitStack() as s:
    for scratch in sys.argv[3:] or [""]:
        s.enter_context(live.machine("guest", "mini guest of vsock", scratch=scratch))
    try:
        print("up", flush=True)
        time.sleep(60)
    except KeyboardInterrupt:
        print("tidy", flush=True)
"""


@contextmanager
def working(data: Path, run: str, *more: str) -> Iterator["subprocess.Popen[str]"]:
    command = [sys.executable, "-c", _KZC, str(data), run, *more]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "up\n"
        try:
            yield process
        finally:
            process.kill()


def test_a_run_is_there_with_its_machines_until_it_ends(tmp_path: Path) -> None:
    with registered(tmp_path, "run-a", ["kzc", "run"]) as live:
        with (
            live.machine("host", "first-level guest"),
            live.machine("guest", "of vsock"),
            live.machine("guest", "of another") as name,
        ):
            assert name == "guest-2"
            live.mark("guest", kept=True, socket="0")
            (entry,) = running(tmp_path)
            assert [each.name for each in entry.machines] == ["host", "guest", "guest-2"]
            assert [each.kept for each in entry.machines] == [False, True, False]
            assert entry.kept
            assert entry.command == ("kzc", "run")
        assert running(tmp_path)[0].machines == ()
    assert running(tmp_path) == ()
    assert list((tmp_path / "live").iterdir()) == []


def test_a_killed_one_is_forgotten(tmp_path: Path) -> None:
    with working(tmp_path, "run-a") as process, working(tmp_path, "run-b"):
        assert {entry.run for entry in running(tmp_path)} == {"run-a", "run-b"}
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert (tmp_path / "live/run-a.json").exists()
        assert [entry.run for entry in running(tmp_path)] == ["run-b"]
        assert not list((tmp_path / "live").glob("run-a*"))


def test_the_scratch_of_a_killed_one_goes_and_nothing_else(tmp_path: Path) -> None:
    scratch, other = tmp_path / "kzc-a1b2", tmp_path / "precious"
    for folder in (scratch, other):
        folder.mkdir()
        (folder / "client_key").touch()
    with working(tmp_path, "run-a", str(scratch), str(other)) as process:
        running(tmp_path)
        assert scratch.exists()
        process.send_signal(signal.SIGKILL)
        process.wait()
        with registered(tmp_path, "run-b", ["kzc", "run"]):
            assert not scratch.exists()
    assert (other / "client_key").exists()


def test_stopping_lets_it_tidy_up(tmp_path: Path) -> None:
    with working(tmp_path, "run-a") as process:
        (entry,) = running(tmp_path)
        assert entry.pid == process.pid
        assert stop(tmp_path, entry)
        assert process.stdout is not None
        assert process.stdout.read() == "tidy\n"
        assert process.wait() == 0
    assert running(tmp_path) == ()


def test_a_deaf_one_is_killed(tmp_path: Path) -> None:
    with working(tmp_path, "run-a", "deaf") as process:
        (entry,) = running(tmp_path)
        began = time.monotonic()
        assert not stop(tmp_path, entry, patience=0.5)
        assert 0.5 <= time.monotonic() - began < 20
        assert process.wait() == -signal.SIGKILL
    assert list((tmp_path / "live").iterdir()) == []


def test_a_process_that_has_another_s_number_is_left_alone(tmp_path: Path) -> None:
    with subprocess.Popen(["sleep", "60"]) as bystander:
        entry = Entry("run-gone", bystander.pid, ("kzc",), "2026-01-01T00:00:00+00:00")
        (tmp_path / "live").mkdir()
        (tmp_path / "live/run-gone.lock").touch()
        (tmp_path / "live/run-gone.json").write_text(json.dumps({"pid": bystander.pid}))
        assert stop(tmp_path, entry)
        assert bystander.poll() is None
        bystander.kill()


def test_half_an_entry_is_no_entry(tmp_path: Path) -> None:
    with registered(tmp_path, "run-a", ["kzc"]):
        (tmp_path / "live/run-a.json").write_text('{"run": ')
        assert running(tmp_path) == ()


def test_a_run_is_chosen_by_a_part_of_its_name() -> None:
    entries = [Entry(run, 1, ("kzc",), "") for run in ("20260101-120000-ab", "20260101-120000-cd")]
    assert chosen(entries, "cd") == entries[1]
    assert chosen(entries, entries[0].run) == entries[0]
    assert chosen(entries[:1], "") == entries[0]
    for name, there in (("", entries), ("2026", entries), ("x", entries), ("", [])):
        with pytest.raises(UsageError):
            chosen(there, name)
