# SPDX-License-Identifier: GPL-2.0-only
"""Migrations that are measured: lines `NUMBER WAY MODE CHANNELS BYTES` in, two lines of JSON out
for each, as zcbench has them, or one that says why there are none.

Nobody writes to the guest's memory, so each of its pages is a message that is sent once. Where
instructions are counted (KZC_COUNTED) a spinner takes all that is left of the one CPU, so that it
never halts; the time that it had is told as idle. `user` is all CPU time, that of the kernel too.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager

from qemu_migration import tools
from qemu_migration.complete import all_sent
from qemu_migration.errors import Failed, Skipped
from qemu_migration.ground import SEED, ground
from qemu_migration.monitor import Gone, Refused
from qemu_migration.network import WAYS, namespaces, require
from qemu_migration.pages import PAGE, filled
from qemu_migration.pair import ZEROCOPY, How, Pair, pair
from qemu_migration.progress import Progress

_PATIENCE = 20.0  # seconds of the guest's clock, which may be slow


def bench(lines: Iterable[str]) -> Iterator[str]:
    """The lines of each round, as it is over."""
    try:
        tools.require()
    except Skipped as skipped:
        for line in lines:
            yield _lacking(line.split()[0], skipped)
        return
    with namespaces(), _spinner() as spinner:
        contents: dict[int, bytes] = {}
        for line in lines:
            number, way, mode, channels, size = line.split()
            if int(size) not in contents:
                contents = {int(size): filled(SEED, int(size))}
            how = How(int(channels), zerocopy=mode == ZEROCOPY)
            try:
                require(WAYS[way])
                sides = _round(contents[int(size)], way, how, spinner)
            except Skipped as skipped:
                yield _lacking(number, skipped)
            except (Failed, Gone, Refused, OSError) as error:
                yield _line(number, {"error": str(error)})
            else:
                yield from (_line(number, side) for side in sides)


def _line(number: str, told: Mapping[str, object]) -> str:
    return json.dumps({"round": int(number), **told})


def _lacking(number: str, skipped: Skipped) -> str:
    return _line(number, {"error": str(skipped), "lacks": True})


def _round(content: bytes, way: str, how: How, spinner: int) -> tuple[dict[str, object], ...]:
    with ground(content) as made:
        made.patience = _PATIENCE
        source, destination = made.source(), made.destination()
        locked = 4 * len(content)
        with pair((source, destination), WAYS[way], how, locked, made.patience) as both:
            before = _clocks(both, spinner)
            both.begin()
            both.over()
            after = _clocks(both, spinner)
            both.completed()
            done = both.arrived()
            made.compare(destination)
    all_sent(done, made)
    whole, idle, sent, got = (now - then for now, then in zip(after, before, strict=True))
    common: dict[str, object] = {"bytes": len(content), "calls": 0, "switches": 0, "system": 0}
    sender: dict[str, object] = {"side": "sender", "messages": len(content) // PAGE, "send": 0}
    sender |= {"whole": whole, "user": sent, "enobufs": 0, "latency": {}, **_flushes(done, how)}
    if spinner:
        sender["idle"] = idle
    return (
        {**common, **sender},
        {**common, "side": "receiver", "whole": max(whole - idle, 0), "user": got},
    )


def _flushes(done: Progress, how: How) -> dict[str, object]:
    """QEMU tells of flushes only how many found nothing but copies: where none did, each pass had
    one at least. One that does not count them proves nothing."""
    clean = how.zerocopy and done.copied == 0
    return {"copied": done.copied or 0, "zerocopied": done.passes if clean else 0}


def _clocks(both: Pair, spinner: int) -> tuple[int, ...]:
    """Nanoseconds: the clock, and the CPU time of the spinner, the source and the destination."""
    used = [_used(spinner) if spinner else 0, *map(_used, (both.source.pid, both.destination.pid))]
    return (time.monotonic_ns(), *used)


def _used(pid: int) -> int:
    """The CPU time of a process with all threads that it has had (clock_getcpuclockid(3))."""
    return time.clock_gettime_ns(~pid << 3 | 2)


@contextmanager
def _spinner() -> Iterator[int]:
    """The process that runs when nothing else does; 0 where nobody counts instructions."""
    if not os.environ.get("KZC_COUNTED"):
        yield 0
        return
    pid = os.fork()
    if not pid:
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
        while True:
            pass
    try:
        yield pid
    finally:
        os.kill(pid, 9)
        os.waitpid(pid, 0)
