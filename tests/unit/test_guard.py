# SPDX-License-Identifier: GPL-2.0-only
"""The guard and the local runner, with real processes: what is started never stays.

Processes are told apart by a marker in their arguments, unique to each test.
"""

from __future__ import annotations

import os
import pty
import select
import shlex
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from kzc import guard, proc
from kzc.errors import CommandFailed, HostError
from kzc.proc import LocalRunner

# a shell, a child of it, a grandchild in a session of its own, one that ignores what it can
_FAMILY = """
trap '' TERM HUP INT
setsid sh -c 'trap "" TERM HUP INT; while :; do sleep 1; done' {marker} &
(setsid sh -c 'while :; do sleep 1; done' {marker} &)
sh -c 'while :; do sleep 1; done' {marker} &
echo ready
while :; do sleep 1; done
"""
_HOLDER = """
import sys, time
from pathlib import Path
from kzc.proc import LocalRunner
marker, folder, how = sys.argv[1:]
runner, log = LocalRunner(), Path(folder) / "log"
argv = ["sh", "-c", Path(folder, "family.sh").read_text(), marker]
def last():
    return log.read_text().splitlines()[-1:] if log.exists() else []
if how == "spawn":
    with runner.spawn(argv, log=log) as child:
        while last() != ["ready"]:
            time.sleep(0.02)
        print("up", flush=True)
        time.sleep(600)
elif how == "stream":
    for line in runner.stream(argv, log=log):
        print("up", flush=True)
else:
    print("up", flush=True)
    runner.capture(argv)
"""


def alive(marker: str) -> dict[int, str]:
    """Process ids and command lines of all that have the marker as an argument; no zombies."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            line = (folder / "cmdline").read_bytes()
        except OSError:
            continue
        if marker.encode() in line.split(b"\0"):
            found[int(folder.name)] = line.replace(b"\0", b" ").decode()
    return found


def within(seconds: float, condition: Callable[[], bool]) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.02)
    return condition()


@pytest.fixture
def marker(tmp_path: Path) -> Iterator[str]:
    name = f"kzc-{uuid.uuid4()}"
    (tmp_path / "family.sh").write_text(_FAMILY.format(marker=name))
    yield name
    left = {} if within(30, lambda: not alive(name)) else alive(name)
    for pid in left:
        os.kill(pid, signal.SIGKILL)
    assert not left


def family(marker: str) -> list[str]:
    return ["sh", "-c", _FAMILY.format(marker=marker), marker]


@contextmanager
def started(marker: str, folder: Path, how: str) -> Iterator[subprocess.Popen[bytes]]:
    """A Python that holds the family through a LocalRunner, all of it up."""
    program = folder / "holder.py"
    program.write_text(_HOLDER)
    with subprocess.Popen(
        [sys.executable, str(program), marker, str(folder), how],
        stdout=subprocess.PIPE,
        start_new_session=True,
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == b"up\n"
            # the holder, its guard, the shell and the three below it
            assert within(20, lambda: len(alive(marker)) >= 6), alive(marker)
            yield process
        finally:
            process.kill()


@pytest.mark.parametrize("how", ["spawn", "stream", "capture"])
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_nothing_outlives_the_one_that_started_it(
    tmp_path: Path, marker: str, how: str, number: signal.Signals
) -> None:
    with started(marker, tmp_path, how) as process:
        process.send_signal(number)
        assert process.wait(20) != 0
    assert within(30, lambda: not alive(marker)), alive(marker)


def test_the_block_ends_and_so_do_all_descendants(tmp_path: Path, marker: str) -> None:
    log = tmp_path / "log"
    with LocalRunner().spawn(family(marker), log=log) as child:
        assert within(20, lambda: len(alive(marker)) >= 5), alive(marker)
        assert child.code is None
    assert not alive(marker)
    assert child.code == 128 + signal.SIGKILL
    assert log.read_text() == "ready\n"


def test_an_exception_in_the_block_ends_them_too(tmp_path: Path, marker: str) -> None:
    def fail() -> None:
        with LocalRunner().spawn(family(marker), log=tmp_path / "log"):
            assert within(20, lambda: len(alive(marker)) >= 5)
            raise ValueError(marker)

    with pytest.raises(ValueError, match=marker):
        fail()
    assert not alive(marker)


def test_stop_may_be_said_twice_and_a_descriptor_tells_the_end(tmp_path: Path, marker: str) -> None:
    with LocalRunner().spawn(family(marker), log=tmp_path / "log") as child:
        assert select.select([child.ended], [], [], 0)[0] == []
        child.stop()
        child.stop()
        assert select.select([child.ended], [], [], 0)[0] == [child.ended]
        assert not alive(marker)


def test_what_a_command_leaves_behind_ends_with_it(tmp_path: Path, marker: str) -> None:
    script = "setsid sh -c 'while :; do sleep 1; done' \"$0\" >/dev/null 2>&1 & exit 7"
    done = LocalRunner().capture(["sh", "-c", script, marker], check=False, timeout=20)
    assert done.code == 7
    assert not alive(marker)


@pytest.mark.parametrize(
    ("script", "code"),
    [("exit 0", 0), ("exit 3", 3), ("exit 255", 255), ("kill -9 $$", 137), ("kill -6 $$", 134)],
)
def test_the_exit_status_is_a_shells(script: str, code: int, tmp_path: Path) -> None:
    runner = LocalRunner()
    assert runner.capture(["sh", "-c", script], check=False).code == code
    with runner.spawn(["sh", "-c", script], log=tmp_path / "log") as child:
        assert within(20, lambda: child.code is not None)
        assert child.code == code


def test_a_failure_carries_what_is_needed_to_repeat_it() -> None:
    with pytest.raises(CommandFailed) as caught:
        LocalRunner().capture(["sh", "-c", "echo why >&2; exit 3"])
    assert caught.value.code == 3
    assert caught.value.tail == "why"
    assert shlex.join(["sh", "-c", "echo why >&2; exit 3"]) in caught.value.message


def test_a_missing_program_is_127_and_named() -> None:
    done = LocalRunner().capture(["no-such-program", "-x"], check=False)
    assert done.code == 127
    assert done.stderr == "no-such-program: No such file or directory\n"


def test_a_program_without_the_right_to_run_is_no_traceback(tmp_path: Path) -> None:
    program = tmp_path / "program"
    program.write_text("#!/bin/sh\n")
    done = LocalRunner().capture([str(program)], check=False)
    assert done.code == 127
    assert done.stderr == f"{program}: Permission denied\n"


def test_time_is_up_and_the_whole_family_goes(marker: str) -> None:
    begin = time.monotonic()
    with pytest.raises(HostError, match="did not end within 1 s"):
        LocalRunner().capture(family(marker), timeout=1)
    assert time.monotonic() - begin < 10
    assert not alive(marker)


def test_streams_are_kept_apart_and_whole() -> None:
    script = "head -c 300000 /dev/zero | tr '\\0' x; head -c 300000 /dev/zero | tr '\\0' y >&2"
    done = LocalRunner().capture(["sh", "-c", script], timeout=20)
    assert done.stdout == "x" * 300000
    assert done.stderr == "y" * 300000
    assert done.raw == done.stdout.encode()


def test_input_reaches_the_command_and_is_empty_otherwise() -> None:
    runner = LocalRunner()
    assert runner.capture(["cat"], stdin=b"\xffbytes\n").raw == b"\xffbytes\n"
    assert runner.capture(["cat"], timeout=20).raw == b""


def test_a_command_gets_the_signals_as_a_shell_gives_them() -> None:
    done = LocalRunner().capture(["sh", "-c", "yes | head -n 1; grep SigIgn /proc/$$/status"])
    assert done.stderr == ""
    answer, _, ignored = done.stdout.split()
    assert answer == "y"
    # signal 32 and above are the C library's and whoever started pytest's
    assert int(ignored, 16) & 0x7FFF_FFFF == 0


def test_input_may_be_a_file_and_a_lease_ends_the_family(tmp_path: Path, marker: str) -> None:
    """The guard as it runs on another host: its own input is the lifeline."""
    guard, lease = Path(proc.__file__).with_name("guard.py"), tmp_path / "lease"
    lease.mkdir()
    (tmp_path / "input").write_text("from a file")
    start = [sys.executable, "-I", "-S", str(guard), "0", "--lease", str(lease)]
    with subprocess.Popen(
        [*start, "--stdin", str(tmp_path / "input"), "--", "cat"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.read() == b"from a file"
    with subprocess.Popen([*start, "--", *family(marker)], stdin=subprocess.PIPE) as process:
        assert within(20, lambda: len(alive(marker)) >= 5), alive(marker)
        lease.rmdir()
        assert process.wait(10) == 128 + signal.SIGKILL
        assert not alive(marker)


def test_a_command_has_a_session_of_its_own(tmp_path: Path) -> None:
    script = "import os; print(os.getsid(0))"
    done = LocalRunner().capture([sys.executable, "-c", script])
    assert int(done.stdout) != os.getsid(0)


def test_folder_and_variables_are_handed_on(tmp_path: Path) -> None:
    script = 'pwd; echo "$KZC_ONE"; echo "${PATH:+path}"'
    done = LocalRunner().capture(["sh", "-c", script], cwd=tmp_path, env={"KZC_ONE": "1"})
    assert done.stdout.splitlines() == [str(tmp_path.resolve()), "1", "path"]


def test_no_descriptor_of_ours_leaks_into_a_command(tmp_path: Path) -> None:
    with (tmp_path / "secret").open("w") as file:
        os.set_inheritable(file.fileno(), True)
        done = LocalRunner().capture(["sh", "-c", "readlink /proc/$$/fd/*"], check=False)
    assert "secret" not in done.stdout
    assert done.stdout.count("pipe:") == 2  # stdout and stderr; the lifeline stays the guard's


def test_lines_come_while_the_command_runs_and_all_are_logged(tmp_path: Path) -> None:
    log = tmp_path / "log"
    lines = LocalRunner().stream(
        ["sh", "-c", "echo one; echo two >&2; read x; sleep 0.5; printf last"], log=log
    )
    assert next(lines) == "one"
    assert log.read_text().startswith("one\n")
    assert list(lines) == ["two", "last"]
    assert log.read_text() == "one\ntwo\nlast"


def test_a_stream_that_fails_says_so_after_its_last_line(tmp_path: Path) -> None:
    log = tmp_path / "log"
    lines = LocalRunner().stream(["sh", "-c", "echo a; echo b; exit 2"], log=log)
    seen = [next(lines), next(lines)]
    with pytest.raises(CommandFailed) as caught:
        next(lines)
    assert seen == ["a", "b"]
    assert (caught.value.code, caught.value.log, caught.value.tail) == (2, str(log), "a\nb")


def test_a_stream_that_is_left_early_ends_its_command(tmp_path: Path, marker: str) -> None:
    lines = LocalRunner().stream(family(marker), log=tmp_path / "log")
    assert next(lines) == "ready"
    assert alive(marker)
    lines.close()  # type: ignore[attr-defined]
    assert not alive(marker)


def test_the_terminal_is_handed_over_and_ctrl_c_goes_to_the_command(marker: str) -> None:
    """On a terminal of its own: the command takes Ctrl-C as it likes, kzc lives on."""
    script = "trap 'echo caught; exit 5' INT; echo ready; while :; do sleep 0.1; done"
    program = (
        "from kzc.proc import LocalRunner\n"
        f"code = LocalRunner().interactive(['sh', '-c', {script!r}, {marker!r}])\n"
        "print('status', code, flush=True)\n"
    )
    pid, terminal = pty.fork()
    if pid == 0:
        os.execv(sys.executable, [sys.executable, "-c", program])
    seen, pressed, end = b"", False, time.monotonic() + 20
    while b"\n" not in seen.partition(b"status")[2] and time.monotonic() < end:
        if not select.select([terminal], [], [], 0.2)[0]:
            continue
        try:
            seen += os.read(terminal, 4096)
        except OSError:  # the other end is closed
            break
        if b"ready" in seen and not pressed:
            pressed = os.write(terminal, b"\x03") == 1
    if time.monotonic() >= end:
        os.kill(pid, signal.SIGKILL)
    _, status = os.waitpid(pid, 0)
    os.close(terminal)
    assert b"caught" in seen, seen
    assert b"status 5" in seen, seen
    assert os.waitstatus_to_exitcode(status) == 0


def test_children_are_found_on_a_kernel_without_proc_children(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    real = open

    def without(path: str, *args: Any, **named: Any) -> Any:
        if path.endswith("/children"):
            raise FileNotFoundError(path)
        return real(path, *args, **named)

    with subprocess.Popen(["sleep", "100"]) as child:
        monkeypatch.setattr("builtins.open", without)
        found = guard.children(os.getpid())
        child.kill()
    assert child.pid in found
