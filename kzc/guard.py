# SPDX-License-Identifier: GPL-2.0-only
"""The process between kzc and each command: nothing that kzc started outlives kzc.

Run as `python -I -S guard.py FD -- ARGV...` in a session of its own. FD is the reading end of a
pipe whose other end only kzc holds: when kzc ends, however it ends (SIGKILL included), the pipe
closes and every descendant of the guard is killed, those included that left the process group.
Standard library only, imports nothing of kzc, because it starts in front of every command.
"""

import ctypes
import os
import select
import signal
import sys

PR_SET_CHILD_SUBREAPER = 36


def children(pid: int) -> list[int]:
    try:
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
            return [int(word) for word in file.read().split()]
    except OSError:
        return []


def descendants(pid: int) -> list[int]:
    """Direct children and, as only their first threads are asked, all that hang below them."""
    found: list[int] = []
    for child in children(pid):
        found += [child, *descendants(child)]
    return found


def kill_all() -> None:
    """Kill until nothing is left: orphans come back to the guard, which is a subreaper."""
    while True:
        for pid in descendants(os.getpid()):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            return


def start(argv: list[str], lifeline: int) -> int:
    pid = os.fork()
    if pid:
        return pid
    os.close(lifeline)
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        os.execvp(argv[0], argv)
    except OSError as error:
        os.write(2, f"{argv[0]}: {error.strerror}\n".encode())
    raise SystemExit(127)


def wait(pid: int, lifeline: int) -> int:
    """The command's status as a shell gives it, or 137 where kzc was gone first."""
    ended = os.pidfd_open(pid)
    poll = select.poll()
    poll.register(lifeline, select.POLLIN)
    poll.register(ended, select.POLLIN)
    ready = [fd for fd, _ in poll.poll()]
    if ended not in ready:
        return 128 + signal.SIGKILL
    _, status = os.waitpid(pid, 0)
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else 128 - code


def guard(lifeline: int, argv: list[str]) -> int:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    pid = start(argv, lifeline)
    code = wait(pid, lifeline)
    kill_all()
    return code


if __name__ == "__main__":
    raise SystemExit(guard(int(sys.argv[1]), sys.argv[3:]))
