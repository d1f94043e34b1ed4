# SPDX-License-Identifier: GPL-2.0-only
"""Pages that are written while the migration goes on: what arrives is what was written last.

A zerocopy send reads the page later than the call says. So an older version must not overtake a
newer one, and when QEMU has flushed, nothing may read the source's pages any more: that is what
the thread behind seed 003 asks of the flush.
"""

from __future__ import annotations

import random
import time
from collections import Counter

from qemu_migration.complete import Found, found
from qemu_migration.errors import Failed
from qemu_migration.ground import LOCKED, Ground, slowdown
from qemu_migration.network import Way
from qemu_migration.pages import PAGE
from qemu_migration.pair import MIB, UNLIMITED, How, Pair, pair, told
from qemu_migration.progress import SWITCHOVER

_SLOW = 4 * MIB  # bytes a second: the first pass would take eight
_READ = 0.5  # seconds for what was sent before to be read: the last pass has to find room
_LOW = MIB // PAGE  # firmware has its windows below
_HOT, _COLD = 64, 4  # pages that are written again and again, and how often another one is
_ENOUGH = 100  # writes, after which the bandwidth is not limited any more
_LAST = 16  # pages written before the last pass; they fit into a socket's buffer


def dirtied(ground: Ground, way: Way) -> Found:
    """Pages are written in every pass."""
    source, destination = ground.source(), ground.destination()
    how = How(bandwidth=_SLOW, held=True)
    with pair((source, destination), way, how, LOCKED, ground.patience) as both:
        written = _write_until_held(both, ground)
        both.source.monitor.ask("migrate-continue", state=SWITCHOVER)
        both.completed()
        done = both.arrived()
        ground.compare(source, written)
        ground.compare(destination, written)
    again = done.sent - len(ground.content) // PAGE
    if again <= 0 or done.passes < 2:
        raise Failed(f"no page was sent a second time, in {done.passes} passes")
    good = found(done, how, way)
    return Found(good.remark, {**good.measured, "writes": written.total(), "pages_again": again})


def flushed(ground: Ground, way: Way) -> Found:
    """The source says that it is done while the destination stands still, its pages are written
    over at once, and the destination must not see that."""
    source, destination = ground.source(), ground.destination()
    # what is left for the last pass has to find room in the sockets
    how = How(held=True, downtime=1)
    with pair((source, destination), way, how, LOCKED, ground.patience) as both:
        both.begin()
        both.until(lambda now: now.status == SWITCHOVER, "the last pass")
        time.sleep(_READ * slowdown())
        both.destination.pause()
        try:
            written = Counter(range(_LOW, _LOW + _LAST))
            for page in written:
                both.source.writer.write(page * PAGE, ground.version(page, 1))
            both.source.monitor.ask("migrate-continue", state=SWITCHOVER)
            both.completed()
            ground.compare(source, written)
            source.write(b"\xff" * len(ground.content))
        finally:
            both.destination.resume()
        done = both.arrived()
        ground.compare(destination, written)
    return found(done, how, way)


def _write_until_held(both: Pair, ground: Ground) -> Counter[int]:
    """Begin, and write pages until the last pass is to come; how often each was written."""
    chance = random.Random(ground.seed)
    count = len(ground.content) // PAGE
    hot = chance.sample(range(_LOW, count), _HOT)
    written: Counter[int] = Counter()

    def write(page: int) -> None:
        written[page] += 1
        both.source.writer.write(page * PAGE, ground.version(page, written[page]))

    both.begin()
    end, slow = time.monotonic() + both.patience, True
    while (now := both.progress()).status != SWITCHOVER:
        if now.over:
            raise Failed(f"waiting for the last pass: {told(now)}; {both.said()}")
        if time.monotonic() > end:
            raise both.late("the last pass", now)
        for number in range(8):
            write(chance.randrange(_LOW, count) if number % _COLD == 0 else chance.choice(hot))
        # half of the pages are on their way, so many of those written were sent before
        if slow and written.total() >= _ENOUGH and now.moved > len(ground.content) // 2:
            both.source.monitor.ask("migrate-set-parameters", **{"max-bandwidth": UNLIMITED})
            slow = False
    for page in hot:
        write(page)
    return written
