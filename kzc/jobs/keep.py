# SPDX-License-Identifier: GPL-2.0-only
"""Guests that stay up when their suites are over (`--keep`), and the way into them.

The kzc that ran the suites goes on holding them, so they end with it as ever. Visitors come
through a socket in the run's folder of `DATA/live`, whatever host a guest is on.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from pathlib import Path

from kzc.errors import HostError
from kzc.guest.session import Guest
from kzc.jobs.live import Entry, Live, Machine, sockets
from kzc.values import Ended

_LOOK = 0.5
_ENDED = {
    Ended.PANIC: "its kernel panicked",
    Ended.GONE: "it was powered off",
    Ended.KILLED: "a signal ended its QEMU",
    Ended.STALLED: "its QEMU stood still",
    Ended.HOST: "its host ended",
    Ended.LOST: "the connection to its host was lost",
}


def keep(live: Live, guests: Mapping[str, Guest], say: Callable[[str], None]) -> None:
    """Hold guests until Ctrl-C, `kzc stop`, or the end of the last one, and return.

    The keys are the names that `live.machine` gave. The guests share one loop, which is turned
    here, and were booted with `terminal`. Guests that are dead already are passed over; with none
    left there is nothing to wait for.
    """
    usable = {name: guest for name, guest in guests.items() if guest.terminal and not guest.failed}
    if not usable:
        say("no guest is left that could be kept")
        return
    with ExitStack() as stack:
        for number, (name, guest) in enumerate(usable.items()):
            _open(stack, live, name, guest, f"{number}")
        for machine in live.machines:
            if machine.address:  # no guest of ours, but there as long as they are
                live.mark(machine.name, kept=True)
                stack.callback(live.mark, machine.name, kept=False)
        for machine in live.machines:
            if machine.kept:
                say(f"kept: {machine.what}: kzc shell {live.run} {machine.name}")
        say(f"Ctrl-C here, or `kzc stop {live.run}`, ends this")
        with suppress(KeyboardInterrupt):
            _wait(live, usable, say)


def _open(stack: ExitStack, live: Live, name: str, guest: Guest, file: str) -> None:
    """Let visitors in; the guest's loop takes them."""
    assert guest.terminal is not None
    server = stack.enter_context(_listening(live.sockets, file))
    guest.loop.watch(server, partial(guest.terminal.admit, server))
    stack.callback(guest.loop.forget, server)
    live.mark(name, kept=True, socket=file)
    stack.callback(live.mark, name, kept=False)


def _wait(live: Live, guests: Mapping[str, Guest], say: Callable[[str], None]) -> None:
    left = dict(guests)
    while left:
        next(iter(left.values())).loop.turn(_LOOK)
        for name, guest in list(left.items()):
            if guest.failed:
                say(f"{name} has ended: {_ENDED.get(guest.failed, guest.failed)}")
                live.mark(name, kept=False)
                del left[name]


def connected(data: Path, entry: Entry, machine: Machine) -> socket.socket:
    """A connection to a kept guest's terminal. Raises HostError when it has just ended."""
    owner = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    try:
        with _near(sockets(data / "live", entry.run), machine.socket) as path:
            owner.connect(path)
    except OSError as error:
        owner.close()
        raise HostError(
            f"{machine.name} of run {entry.run} does not answer: {error.strerror}",
            "`kzc ps` shows what is still there",
        ) from None
    return owner


@contextmanager
def _listening(folder: Path, name: str) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as server:
        try:
            folder.mkdir(mode=0o700, exist_ok=True)
            with _near(folder, name) as path:
                server.bind(path)
        except OSError as error:
            raise HostError(f"no socket {folder / name}: {error.strerror}") from None
        server.listen()
        yield server
    (folder / name).unlink(missing_ok=True)


@contextmanager
def _near(folder: Path, name: str) -> Iterator[str]:
    """A path of a socket that fits into 108 bytes (unix(7)), however deep its folder is."""
    inside = os.open(folder, os.O_PATH | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{inside}/{name}"
    finally:
        os.close(inside)
