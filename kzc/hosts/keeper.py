# SPDX-License-Identifier: GPL-2.0-only
"""What runs on a host at the other end of SSH: the keeper of the scratch folder and of all that kzc
runs there.

It makes the folder, answers heartbeats, and starts commands (behind guard.py) and relays by forking
itself, because a new Python for each takes an emulated host more than a second. When its input ends
or no heartbeat came for the time of the lease, it ends them and removes the folder; that folder is
their lease too. Should the keeper be killed, they end with it, and the folder stays.
Standard library only, and of kzc only what is sent along with it as a text (see pulse.py).
"""

import os
import select
import signal
import time
from collections.abc import Callable
from contextlib import suppress

from kzc import guard
from kzc.hosts import frames, relay

CHUNK = 1 << 16
FULL = 1 << 20  # bytes kzc has not taken yet, above which nothing more is read from commands
REMOVING = 60  # seconds in which commands have to let go of the folder
MARK = "kzc-folder "
NAME = "kzc-keeper"
"""What ps(1) shows."""


class Child:
    """A forked command or relay: its pipes, and what is still to be written to it."""

    def __init__(self, pid: int, stdin: int, outputs: dict[int, bytes]) -> None:
        self.pid = pid
        self.ended = os.pidfd_open(pid)
        self.stdin = stdin
        self.outputs = outputs
        self.pending = b""
        self.complete = False  # no more input comes
        self.held = False  # kzc has not taken yet what came
        self.status: int | None = None
        os.set_blocking(stdin, False)

    def write(self) -> None:
        """Hand on what the child takes now; close its input after the last of it."""
        try:
            while self.pending:
                self.pending = self.pending[os.write(self.stdin, self.pending) :]
        except BlockingIOError:
            return
        except OSError:  # it does not read any more
            self.pending, self.complete = b"", True
        if self.complete:
            self.end_input()

    def end_input(self) -> None:
        if self.stdin >= 0:
            os.close(self.stdin)
        self.stdin, self.pending = -1, b""

    def leave(self) -> None:
        """Nobody reads it any more: EPIPE, and the end of its input after what was sent to it."""
        self.complete = True
        self.write()
        self.deafen()

    def close(self) -> None:
        """The same, and what it has not taken is thrown away."""
        self.end_input()
        self.deafen()

    def deafen(self) -> None:
        for fd in self.outputs:
            os.close(fd)
        self.outputs = {}

    def reap(self) -> None:
        code = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        self.status = code if code >= 0 else 128 - code
        os.close(self.ended)


class Keeper:
    """All that runs for one kzc."""

    def __init__(self, folder: str, lease: float) -> None:
        self.folder = folder
        self.lease = lease
        self.children: dict[int, Child] = {}
        self.unsent = b""
        self.cutter = frames.Cutter()

    def serve(self) -> None:
        """Until kzc ends the input or is not heard of. Raises OSError when it is gone."""
        heard = time.monotonic()
        while (left := heard + self.lease - time.monotonic()) > 0:
            ready = self.ready(left)
            self.look(ready)  # first, as frames may close what is ready and open others
            if 0 in ready:
                data = os.read(0, CHUNK)
                if not data:
                    return
                heard = time.monotonic()
                for kind, number, text in self.cutter.feed(data):
                    self.take(kind, number, text)
                self.look(set())
            self.send(b"")

    def ready(self, seconds: float) -> set[int]:
        poll = select.poll()
        poll.register(0, select.POLLIN)
        if self.unsent:
            poll.register(1, select.POLLOUT)
        for child in self.children.values():
            if child.status is None:
                poll.register(child.ended, select.POLLIN)
            if child.pending:
                poll.register(child.stdin, select.POLLOUT)
            for fd in child.outputs if len(self.unsent) < FULL and not child.held else ():
                poll.register(fd, select.POLLIN)
        return {fd for fd, _ in poll.poll(seconds * 1000)}

    def take(self, kind: bytes, number: int, data: bytes) -> None:
        if kind == frames.BEAT:
            self.send(frames.frame(frames.BEAT))
        elif kind in {frames.RUN, frames.RELAY, frames.PORT}:
            try:
                self.open(kind, number, data)
            except OSError as error:  # of this one: no process or descriptor is left, perhaps
                said = f"{error.strerror}\n".encode()
                self.send(frames.frame(frames.ERRORS, number, said))
                self.send(frames.frame(frames.STATUS, number, b"126"))
        elif child := self.children.get(number):
            if kind == frames.CLOSE:
                child.leave()
            elif kind in {frames.HOLD, frames.GO}:
                child.held = kind == frames.HOLD
            elif child.stdin >= 0:
                child.pending += data
                child.complete = not data
                child.write()

    def open(self, kind: bytes, number: int, data: bytes) -> None:
        if kind == frames.RUN:
            argv, cwd, stdin, merged = frames.understood(data)
            self.start(number, lambda: self.run(argv, cwd, stdin), merged)
        elif kind == frames.RELAY:
            self.start(number, lambda: relay.relay(os.fsdecode(data), self.folder), False)
        else:
            self.send(frames.frame(frames.OUTPUT, number, str(relay.free_port()).encode()))
            self.send(frames.frame(frames.STATUS, number, b"0"))

    def run(self, argv: list[bytes], cwd: bytes, stdin: bytes) -> int:
        if cwd:
            os.chdir(cwd)
        options = ["--lease", self.folder, *(["--stdin", os.fsdecode(stdin)] if stdin else [])]
        return guard.main(["0", *options, "--", *map(os.fsdecode, argv)])

    def start(self, number: int, target: Callable[[], int], merged: bool) -> None:
        ours: list[int] = []
        theirs: list[int] = []
        kinds = (frames.OUTPUT, frames.ERRORS)[: 1 if merged else 2]
        try:
            for end in (theirs, *([ours] * len(kinds))):
                reading, writing = os.pipe()
                end.append(reading)
                (ours if end is theirs else theirs).append(writing)
            pid = guard.forked(target, (theirs[0], theirs[1], theirs[-1]))
            stdin, *outputs = ours
            self.children[number] = Child(pid, stdin, dict(zip(outputs, kinds, strict=True)))
        except OSError:
            for fd in ours:
                os.close(fd)
            raise
        finally:
            for fd in theirs:
                os.close(fd)

    def look(self, ready: set[int]) -> None:
        for number, child in list(self.children.items()):
            self.pass_on(number, child, ready)

    def pass_on(self, number: int, child: Child, ready: set[int]) -> None:
        """Send what came of a child."""
        for fd, kind in list(child.outputs.items()):
            if fd in ready:
                data = os.read(fd, CHUNK)
                self.send(frames.frame(kind, number, data))
                if not data:
                    os.close(fd)
                    del child.outputs[fd]
        if child.pending and child.stdin in ready:
            child.write()
        if child.status is None and child.ended in ready:
            child.reap()
        if child.status is not None and not child.outputs:
            child.close()
            self.send(frames.frame(frames.STATUS, number, str(child.status).encode()))
            del self.children[number]

    def send(self, data: bytes) -> None:
        self.unsent += data
        with suppress(BlockingIOError):
            self.unsent = self.unsent[os.write(1, self.unsent[:CHUNK]) :]


def keep(lease: float) -> int:
    """Make the folder, say where it is, and serve."""
    base = os.environ.get("TMPDIR") or "/tmp"
    folder = os.path.join(base, f"kzc-{os.urandom(6).hex()}")
    os.mkdir(folder, 0o700)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    keeper = Keeper(folder, lease)
    try:
        os.write(1, os.fsencode(f"{MARK}{folder}\n"))
        os.set_blocking(1, False)
        keeper.serve()
    except (OSError, KeyboardInterrupt):
        pass  # nobody is there any more
    finally:
        for child in keeper.children.values():
            child.close()
        remove(folder)
    return 0


def remove(folder: str) -> None:
    """First out of sight, so that guards and relays end, then away.

    An overlay file system may refuse the first (EXDEV, redirect_dir of overlayfs.rst).
    """
    gone = f"{folder}.gone"
    try:
        os.rename(folder, gone)
    except OSError:
        gone = folder
    end = time.monotonic() + REMOVING
    while os.path.lexists(gone) and time.monotonic() < end:
        clear(gone)
        time.sleep(0.05)


def clear(folder: str) -> None:
    """Remove what can be removed; what is still being written to is left for the next time."""
    for where, folders, files in os.walk(folder, topdown=False):
        for names, away in ((files, os.unlink), (folders, step)):
            for name in names:
                attempt(away, os.path.join(where, name))
    attempt(os.rmdir, folder)


def step(path: str) -> None:
    """A link to a folder is no folder."""
    (os.unlink if os.path.islink(path) else os.rmdir)(path)


def attempt(away: Callable[[str], None], path: str) -> None:
    with suppress(OSError):
        away(path)
