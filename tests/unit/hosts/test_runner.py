# SPDX-License-Identifier: GPL-2.0-only
"""Programs on a host over SSH behave as programs here do."""

from __future__ import annotations

import os
import pty
import select
import signal
import sys
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from kzc.errors import CommandFailed, HostError, UsageError
from kzc.hosts.host import Host
from kzc.hosts.ssh import SshHost
from kzc.proc import Runner

from .machine import Machine, alive, within

_FAMILY = "(setsid sh -c 'sleep 600' \"$0\" & ) ; echo ready; sleep 600; true"


def family(marker: str) -> list[str]:
    return ["sh", "-c", _FAMILY, marker]


def test_a_host_has_a_name_a_runner_and_a_private_folder(host: SshHost, machine: Machine) -> None:
    same: Host = host
    runner: Runner = same.runner
    assert same.name == machine.address.name
    assert same.folder.parent == machine.scratch
    assert runner.capture(["stat", "-c", "%a", str(same.folder)]).stdout == "700\n"
    assert same.alive()


def test_streams_are_kept_apart_and_whole(host: SshHost) -> None:
    script = "head -c 300000 /dev/zero | tr '\\0' x; head -c 300000 /dev/zero | tr '\\0' y >&2"
    done = host.runner.capture(["sh", "-c", script], timeout=20)
    assert done.stdout == "x" * 300000
    assert done.stderr == "y" * 300000
    assert done.raw == done.stdout.encode()


@pytest.mark.parametrize(
    ("script", "code"), [("exit 0", 0), ("exit 255", 255), ("kill -9 $$", 137), ("kill -6 $$", 134)]
)
def test_the_exit_status_is_a_shells(host: SshHost, log: Path, script: str, code: int) -> None:
    assert host.runner.capture(["sh", "-c", script], check=False).code == code
    with host.runner.spawn(["sh", "-c", script], log=log) as child:
        assert select.select([child.ended], [], [], 20)[0]
        assert child.code == code


def test_a_failure_says_how_to_repeat_it(host: SshHost, machine: Machine) -> None:
    with pytest.raises(CommandFailed) as caught:
        host.runner.capture(["sh", "-c", "echo why >&2; exit 3"])
    assert (caught.value.code, caught.value.tail) == (3, "why")
    assert f"ssh -p {machine.port} " in caught.value.message


def test_a_missing_program_is_127_and_named(host: SshHost) -> None:
    done = host.runner.capture(["no-such-program"], check=False)
    assert done.code == 127
    assert done.stderr == "no-such-program: No such file or directory\n"


def test_words_folder_and_variables_arrive_as_they_are(host: SshHost, tmp_path: Path) -> None:
    folder = tmp_path / "a 'b\" $HOME"
    folder.mkdir()
    words = ["$HOME", "a  b", "it's", '"', "*", "", "a\nb", "-x", "é"]
    env = {"KZC_ONE": "1; echo 'two'"}
    script = 'pwd; printf "%s|" "$KZC_ONE" "$@"'
    done = host.runner.capture(["sh", "-c", script, "sh", *words], cwd=folder, env=env)
    assert done.stdout == f"{folder}\n" + "|".join([env["KZC_ONE"], *words, ""])


def test_input_reaches_the_command_and_is_empty_otherwise(host: SshHost) -> None:
    assert host.runner.capture(["cat"], stdin=b"\xffbytes\n").raw == b"\xffbytes\n"
    assert host.runner.capture(["cat"], timeout=20).raw == b""
    left = host.runner.capture(["ls", str(host.folder)]).stdout.split()
    assert left == []


def test_time_is_up_and_the_whole_family_goes(host: SshHost, marker: str) -> None:
    began = time.monotonic()
    with pytest.raises(HostError, match="did not end within 1 s"):
        host.runner.capture(family(marker), timeout=1)
    assert time.monotonic() - began < 10
    assert not alive(marker)


def test_lines_come_while_the_command_runs(host: SshHost, log: Path) -> None:
    script = "echo one; echo two >&2; sleep 0.3; printf last"
    lines = host.runner.stream(["sh", "-c", script], log=log)
    assert next(lines) == "one"
    assert log.read_text().startswith("one\n")
    assert list(lines) == ["two", "last"]
    assert log.read_text() == "one\ntwo\nlast"


def test_a_stream_that_fails_says_so_after_its_last_line(host: SshHost, log: Path) -> None:
    lines = host.runner.stream(["sh", "-c", "echo a; echo b; exit 2"], log=log)
    assert [next(lines), next(lines)] == ["a", "b"]
    with pytest.raises(CommandFailed) as caught:
        next(lines)
    assert (caught.value.code, caught.value.log, caught.value.tail) == (2, str(log), "a\nb")


def test_a_stream_that_is_left_early_ends_its_command(
    host: SshHost, log: Path, marker: str
) -> None:
    lines = host.runner.stream(family(marker), log=log)
    assert next(lines) == "ready"
    assert alive(marker)
    lines.close()  # type: ignore[attr-defined]
    assert not alive(marker)


def test_a_child_ends_with_its_block(host: SshHost, log: Path, marker: str) -> None:
    with host.runner.spawn(family(marker), log=log) as child:
        assert within(30, lambda: log.read_text() == "ready\n")
        assert child.code is None
        assert select.select([child.ended], [], [], 0)[0] == []
    assert not alive(marker)
    assert child.code == 128 + signal.SIGKILL


def test_stop_may_be_said_twice(host: SshHost, log: Path, marker: str) -> None:
    with host.runner.spawn(family(marker), log=log) as child:
        child.stop()
        child.stop()
        assert select.select([child.ended], [], [], 0)[0] == [child.ended]
        assert not alive(marker)


def test_a_log_is_complete_when_its_command_has_ended(host: SshHost, log: Path) -> None:
    with host.runner.spawn(["seq", "200000"], log=log) as child:
        assert select.select([child.ended], [], [], 30)[0]
        assert log.read_text().splitlines() == [str(number) for number in range(1, 200001)]


def test_a_log_that_cannot_be_written_is_told(host: SshHost) -> None:
    with (
        pytest.raises(HostError, match="No space left"),
        host.runner.spawn(["seq", "20000"], log=Path("/dev/full")) as child,
    ):
        assert select.select([child.ended], [], [], 30)[0]


def test_many_at_once_do_not_mix(host: SshHost, tmp_path: Path) -> None:
    logs = [tmp_path / f"log{number}" for number in range(12)]
    with ExitStack() as stack:
        children = []
        for number, log in enumerate(logs):
            argv = ["sh", "-c", 'yes "$0" | head -n 5000', f"line of {number}"]
            children.append(stack.enter_context(host.runner.spawn(argv, log=log)))
        for child in children:
            assert select.select([child.ended], [], [], 30)[0]
            assert child.code == 0
    for number, log in enumerate(logs):
        assert log.read_text() == f"line of {number}\n" * 5000


def test_a_terminal_is_needed_for_a_terminal(
    host: SshHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "isatty", lambda _fd: False)
    with pytest.raises(UsageError, match="terminal"):
        host.runner.interactive(["true"])


def test_the_terminal_is_handed_over(machine: Machine, marker: str) -> None:
    """Keys, Ctrl-C and the window's size go to the host; the status comes back."""
    script = "trap 'stty size; exit 5' INT; tty; echo ready; while :; do sleep 0.1; done"
    program = (
        "from pathlib import Path\n"
        "from kzc.hosts.ssh import Address, connect\n"
        f"with connect(Address({machine.address.user!r}, '127.0.0.1', {machine.port}),"
        f" home=Path({str(machine.home)!r})) as host:\n"
        f"    code = host.runner.interactive(['sh', '-c', {script!r}, {marker!r}])\n"
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
        except OSError:
            break
        if b"ready" in seen and not pressed:
            os.set_blocking(terminal, True)
            _resize(terminal)
            time.sleep(1)
            pressed = os.write(terminal, b"\x03") == 1
    if time.monotonic() >= end:
        os.kill(pid, signal.SIGKILL)
    _, status = os.waitpid(pid, 0)
    os.close(terminal)
    assert b"/dev/pts/" in seen, seen
    assert b"33 99" in seen, seen
    assert b"status 5" in seen, seen
    assert os.waitstatus_to_exitcode(status) == 0


def _resize(terminal: int) -> None:
    import termios

    termios.tcsetwinsize(terminal, (33, 99))
