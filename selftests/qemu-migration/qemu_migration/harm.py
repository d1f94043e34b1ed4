# SPDX-License-Identifier: GPL-2.0-only
"""Migrations that do not complete: the source is none the worse, and migrates with the next try."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

from qemu_migration.complete import Found, all_sent, found, nothing_pinned
from qemu_migration.errors import Failed, Skipped
from qemu_migration.ground import LOCKED, Ground
from qemu_migration.network import Way
from qemu_migration.pair import MIB, How, Pair, another, pair, told

_SLOW = 8 * MIB  # bytes a second: all of it would take four
_TOO_SMALL = 64 << 10  # bytes; a packet of multifd has 128 pages
# qio_channel_socket_writev() in QEMU's io/channel-socket.c, for ENOBUFS
_DOCUMENTED = re.compile(r"can't lock enough memory|MSG_ZEROCOPY")
_STALL = 0.5  # seconds for the sockets' buffers to fill


def refused(ground: Ground, way: Way) -> Found:
    """RLIMIT_MEMLOCK is smaller than one send."""
    source, destination = ground.source(), ground.destination()
    with pair((source, destination), way, How(), _TOO_SMALL, ground.patience) as both:
        before = both.source.state
        both.begin()
        done = both.until(lambda now: now.over, "the migration to be refused")
        if done.status != "failed":
            raise Failed(f"{told(done)}, with RLIMIT_MEMLOCK at {_TOO_SMALL} bytes")
        said = f"{done.error} {both.source.said()}"
        if not _DOCUMENTED.search(said):
            raise Failed(f"not refused for its limit: {said}")
        _unharmed(both, ground, before)
    return Found(f"refused: {done.error or said.strip()}")


def cancelled(ground: Ground, way: Way) -> Found:
    """migrate_cancel while pages are on their way."""
    return _interrupted(ground, way, _cancel, "cancelled")


def killed(ground: Ground, way: Way) -> Found:
    """The destination dies while pages are on their way."""
    return _interrupted(ground, way, _kill, "failed")


def _cancel(both: Pair) -> None:
    both.source.monitor.ask("migrate_cancel")
    # a channel that flushes waits for the completions of all that it sent, and QEMU cancels
    # nothing before it has them: so the destination has to take it, or to die
    both.destination.resume()


def _kill(both: Pair) -> None:
    both.destination.kill()


def _interrupted(ground: Ground, way: Way, interrupt: Callable[[Pair], None], status: str) -> Found:
    source, destination, second = ground.source(), ground.destination(), ground.destination()
    how = How(bandwidth=_SLOW)
    with pair((source, destination), way, how, LOCKED, ground.patience) as both:
        before = both.source.state
        both.begin()
        both.until(lambda now: now.moved > len(ground.content) // 4, "a quarter of the pages")
        # it stands still, so what the sockets do not take stays with the source's pages
        both.destination.pause()
        time.sleep(_STALL)
        left = both.progress().remaining
        if not left:
            raise Skipped("the migration was over before it could be interrupted")
        interrupt(both)
        done = both.until(lambda now: now.over, f"the migration to be {status}")
        if done.status != status:
            raise Failed(f"{told(done)}, not {status}")
        both.destination.kill()
        _unharmed(both, ground, before)
        with another(both, second, LOCKED) as retry:
            retry.begin()
            retry.completed()
            done = retry.arrived()
            ground.compare(second)
    all_sent(done, ground)
    told_ = found(done, how, way)
    remark = f"{status} with {left} bytes to go; the next try: {told_.remark}"
    return Found(remark, {**told_.measured, "bytes_left": left})


def _unharmed(both: Pair, ground: Ground, before: str) -> None:
    """The source is in the state that it was in, with the memory that it had, and nothing of it is
    pinned."""
    after = both.source.state
    if after != before:
        raise Failed(f"the source is {after} afterwards, and was {before}")
    nothing_pinned(both)
    ground.compare(ground.memories[0])
