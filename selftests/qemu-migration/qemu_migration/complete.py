# SPDX-License-Identifier: GPL-2.0-only
"""Migrations that nothing disturbs: they complete, and all pages arrive."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from qemu_migration import pinned
from qemu_migration.errors import Failed
from qemu_migration.ground import LOCKED, Ground
from qemu_migration.network import Way
from qemu_migration.pair import How, Pair, pair
from qemu_migration.progress import Progress, how_sent, measured


@dataclass(frozen=True)
class Found:
    """What came out of a case that is good."""

    remark: str = ""
    measured: Mapping[str, object] = field(default_factory=dict)


def copied(ground: Ground, way: Way) -> Found:
    """The same without zerocopy, for comparison."""
    return _migrated(ground, way, How(zerocopy=False))


def zerocopied(ground: Ground, way: Way, channels: int = 2) -> Found:
    """With zero-copy-send over so many channels."""
    return _migrated(ground, way, How(channels))


def _migrated(ground: Ground, way: Way, how: How) -> Found:
    source, destination = ground.source(), ground.destination()
    with pair((source, destination), way, how, LOCKED, ground.patience) as both:
        before = _used(both)
        both.begin()
        both.completed()
        done = both.arrived()
        after = _used(both)
        nothing_pinned(both)
        ground.compare(destination)
    all_sent(done, ground)
    return found(done, how, way, cpu=(after[0] - before[0], after[1] - before[1]))


def found(done: Progress, how: How, way: Way, cpu: tuple[float, float] | None = None) -> Found:
    """What a report says of a migration; `cpu` are seconds of source and destination."""
    sent = how_sent(done, how.zerocopy)
    about: dict[str, object] = {"way": way.name, "channels": how.channels, "sent": sent}
    about |= measured(done)
    if cpu:
        about |= {"source_cpu_s": f"{cpu[0]:.2f}", "destination_cpu_s": f"{cpu[1]:.2f}"}
    return Found(sent, about)


def all_sent(done: Progress, ground: Ground) -> None:
    """Raises Failed where fewer pages were sent than there are: no page is zero."""
    total = len(ground.content) // 4096
    if done.sent < total:
        raise Failed(f"{done.sent} pages were sent of {total}")


def nothing_pinned(both: Pair) -> None:
    """Raises Failed where the source has something pinned or locked that it did not ask for."""
    held = {name: number for name, number in pinned.process(both.source.pid).items() if number}
    if held:
        raise Failed(f"the source has {held} kB after the migration")


def _used(both: Pair) -> tuple[float, float]:
    return both.source.cpu(), both.destination.cpu()
