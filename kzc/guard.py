# SPDX-License-Identifier: GPL-2.0-only
"""The process between kzc and each command: nothing that kzc started outlives kzc.

Run as `python -I -S guard.py FD [OPTION...] -- ARGV...` in a session of its own. FD is the reading
end of a pipe whose other end only kzc holds: when kzc ends, however it ends (SIGKILL included), the
pipe closes and every descendant of the guard is killed, those included that left the process group.
On a host over SSH the keeper forks it (`forked`), or sshd starts it for a terminal; there FD is 0,
the keeper's pipe or the channel, and the command reads /dev/null, or what is said by
    --stdin FILE     the command's input is this file
    --terminal       FD is a terminal, shared with the command; it tells by hanging up
    --lease FOLDER   a second pipe, for a connection that is lost without a word: when this folder
                     is gone, so is kzc
Standard library only, imports nothing of kzc, because it starts in front of every command. So it
has to start quickly: `signal` and `collections` would bring `enum`, and with the way Python usually
ends they took two fifths of a guard's time (bench/guards.py).
"""

from __future__ import annotations

import _signal as signal  # type: ignore[import-not-found]
import ctypes
import os
import select
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

PR_SET_CHILD_SUBREAPER = 36
PRCTL = ctypes.CDLL(None).prctl  # looked up once for all forks of a keeper
LEASE_POLL = 1000  # ms


def children(pid: int) -> list[int]:
    try:
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
            return [int(word) for word in file.read().split()]
    except FileNotFoundError:  # gone, or a kernel without CONFIG_PROC_CHILDREN
        return [
            other
            for other in map(int, filter(str.isdigit, os.listdir("/proc")))
            if parent(other) == pid
        ]
    except OSError:
        return []


def parent(pid: int) -> int:
    """The parent's id, 0 for a process that is gone; proc(5): the name in brackets may hold any."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
            return int(file.read().rpartition(")")[2].split()[1])
    except (OSError, IndexError):
        return 0


def descendants(pid: int) -> list[int]:
    """Direct children and, as only their first threads are asked, all that hang below them."""
    found: list[int] = []
    for child in children(pid):
        found += [child, *descendants(child)]
    return found


def kill_all() -> None:
    """Kill until nothing is left: orphans come back to the guard, which is a subreaper.

    Most commands leave nothing, which one call tells without a look at all of /proc.
    """
    while reaped():
        for pid in descendants(os.getpid()):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        reaped(0)


def reaped(flags: int = os.WNOHANG) -> bool:
    """False when the guard has no child, and so no descendant, any more."""
    try:
        os.waitpid(-1, flags)
    except ChildProcessError:
        return False
    return True


def start(argv: list[str], lifeline: int, stdin: str, terminal: bool) -> int:
    pid = os.fork()
    if pid:
        return pid
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(
            number, signal.SIG_DFL
        )  # the first two are ignored here, Python does the rest
    try:
        if lifeline:
            os.close(lifeline)
        if stdin:
            os.dup2(os.open(stdin, os.O_RDONLY), 0)
        os.execvp(argv[0], argv)
    except OSError as error:
        os.write(2, f"{argv[0]}: {error.strerror}\n".encode())
    raise SystemExit(127)


def wait(pid: int, lifeline: int, terminal: bool, lease: str) -> int:
    """The command's status as a shell gives it, or 137 where kzc was gone first."""
    ended = os.pidfd_open(pid)
    poll = select.poll()
    poll.register(lifeline, 0 if terminal else select.POLLIN)
    poll.register(ended, select.POLLIN)
    ready: list[int] = []
    while not ready and (not lease or os.path.isdir(lease)):
        ready = [fd for fd, _ in poll.poll(LEASE_POLL if lease else None)]
    if ended not in ready:
        return int(128 + signal.SIGKILL)
    _, status = os.waitpid(pid, 0)
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else 128 - code


def guard(lifeline: int, argv: list[str], stdin: str, terminal: bool, lease: str) -> int:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if terminal:
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
    PRCTL(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    pid = start(argv, lifeline, stdin, terminal)
    code = wait(pid, lifeline, terminal, lease)
    kill_all()
    return code


def forked(target: Callable[[], int], pipes: tuple[int, int, int]) -> int:
    """The id of a fork of ours that runs `target` in a session of its own, with nothing open but
    these pipes as its stdin, stdout and stderr: a guard without the start of another Python."""
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        os.setsid()
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        for number, pipe in enumerate(pipes):
            os.dup2(pipe, number)
        os.closerange(3, 1 << 16)
        code = target()
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else 1
    except OSError as error:
        os.write(2, f"{error.filename or 'kzc'}: {error.strerror}\n".encode())
    finally:
        os._exit(code)


def main(words: list[str]) -> int:
    lifeline, words = int(words[0]), words[1:]
    found = {"--stdin": "", "--lease": "", "--terminal": ""}
    while (word := words.pop(0)) != "--":
        found[word] = word if word == "--terminal" else words.pop(0)
    stdin, terminal = found["--stdin"], bool(found["--terminal"])
    if lifeline == 0 and not terminal:
        stdin = stdin or os.devnull
    return guard(lifeline, words, stdin, terminal, found["--lease"])


if __name__ == "__main__":
    os._exit(main(sys.argv[1:]))
