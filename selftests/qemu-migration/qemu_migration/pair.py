# SPDX-License-Identifier: GPL-2.0-only
"""A source and a destination, and the migration between them, step by step."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from qemu_migration.errors import Failed, Skipped
from qemu_migration.memory import Memory
from qemu_migration.monitor import Gone, Refused
from qemu_migration.network import PORT, SOURCE, Way
from qemu_migration.process import Qemu, started
from qemu_migration.progress import DONE, Progress, progress
from qemu_migration.queues import queues

ZEROCOPY = "zero-copy-send"
MIB = 1 << 20
UNLIMITED = 1 << 40  # bytes a second
_POLL = 0.05


@dataclass(frozen=True)
class How:
    """`channels` of multifd; `bandwidth` in bytes a second; with `held` the migration waits before
    its last pass until it is told to go on. That has what can be sent in `downtime` ms."""

    channels: int = 2
    zerocopy: bool = True
    bandwidth: int = UNLIMITED
    held: bool = False
    downtime: int = 300

    @property
    def capabilities(self) -> dict[str, bool]:
        """As migrate-set-capabilities has them."""
        return {
            "multifd": True,
            "events": True,
            ZEROCOPY: self.zerocopy,
            "pause-before-switchover": self.held,
        }


@dataclass(frozen=True)
class Pair:
    """Both QEMUs, ready. `patience` is how many seconds a migration may take."""

    source: Qemu
    destination: Qemu
    way: Way
    how: How
    patience: float

    def begin(self) -> None:
        """Let the destination listen and the source start to send."""
        for qemu, capabilities in (
            (self.destination, {"multifd": True}),
            (self.source, self.how.capabilities),
        ):
            _configure(qemu, capabilities, self.how)
        self.destination.monitor.ask("migrate-incoming", uri=self.way.uri)
        self.source.monitor.ask("migrate", uri=self.way.uri)

    def progress(self) -> Progress:
        """How far the source is."""
        return _asked(self.source)

    def until(self, there: Callable[[Progress], bool], what: str) -> Progress:
        """Wait until the source is as far. Raises Failed after the pair's patience."""
        end = time.monotonic() + self.patience
        while not there(now := self.progress()):
            if now.over:
                raise Failed(f"waiting for {what}: {told(now)}; {self.said()}")
            if time.monotonic() > end:
                raise self.late(what, now)
            time.sleep(_POLL)
        return now

    def late(self, what: str, now: Progress) -> Failed:
        """What to raise where the source did not come as far in the pair's patience."""
        why = "a completion that never came?"
        left = queues(self.source.pid, self.destination.pid, PORT)
        if left and (left.sent or left.unread):
            why = f"{left.sent} bytes are not acknowledged and {left.unread} not read"
        return Failed(
            f"waiting for {what}: {told(now)} after {self.patience:.0f} s, "
            f"{now.remaining} bytes of {now.total} to go: {why}"
        )

    def said(self) -> str:
        """The last lines of both."""
        return f"source: {self.source.said()}; destination: {self.destination.said()}"

    def over(self) -> None:
        """Wait for the source's end, a good one or not, without asking: that would cost it time."""
        try:
            while self.source.monitor.event("MIGRATION")["status"] not in DONE:
                pass
        except Gone:
            raise self.late("its end", self.progress()) from None

    def completed(self) -> None:
        """Wait for the source's end, which has to be a good one."""
        self.until(lambda now: now.status == "completed", "the migration to complete")

    def arrived(self) -> Progress:
        """Wait for the destination to have taken in everything; the source's last word on it.
        Raises Failed."""
        end = time.monotonic() + self.patience
        try:
            while (now := _asked(self.destination)).status != "completed":
                if now.over:
                    raise Failed(f"the destination: {told(now)}: {self.destination.said()}")
                if time.monotonic() > end:
                    raise self.late("the destination to take in everything", now)
                time.sleep(_POLL)
        except Gone as gone:
            raise Failed(f"the destination: {self.destination.said()} ({gone})") from None
        # QEMU says that it is done before it has looked how long it took, and then may answer
        # nothing until the destination has taken all
        done = self.progress()
        while not done.seconds and time.monotonic() < end:
            time.sleep(_POLL)
            done = self.progress()
        return done


def _asked(qemu: Qemu) -> Progress:
    return progress(qemu.monitor.ask("query-migrate"))


def told(now: Progress) -> str:
    """A migration's state in words."""
    return f"the migration is {now.status}" + (f": {now.error}" if now.error else "")


@contextmanager
def pair(
    memories: tuple[Memory, Memory], way: Way, how: How, locked: int, patience: float
) -> Iterator[Pair]:
    """Two new QEMUs with the memories of source and destination."""
    source, destination = memories
    with ExitStack() as stack:
        first = stack.enter_context(started(SOURCE, source, locked))
        second = stack.enter_context(started(way.namespace, destination, locked, waits=True))
        first.connect(patience)
        second.connect(patience)
        yield Pair(first, second, way, how, patience)


@contextmanager
def another(old: Pair, memory: Memory, locked: int) -> Iterator[Pair]:
    """The same source with a new destination."""
    how = How(old.how.channels, old.how.zerocopy)
    with started(old.way.namespace, memory, locked, waits=True) as destination:
        destination.connect(old.patience)
        yield Pair(old.source, destination, old.way, how, old.patience)


def _configure(qemu: Qemu, capabilities: dict[str, bool], how: How) -> None:
    known = {each["capability"] for each in qemu.monitor.ask("query-migrate-capabilities")}
    if ZEROCOPY not in known:
        raise Skipped(f"the guest's QEMU has no {ZEROCOPY} (7.1 and newer have it)")
    parameters: dict[str, object] = {"multifd-channels": how.channels}
    if ZEROCOPY in capabilities:
        parameters |= {"max-bandwidth": how.bandwidth, "downtime-limit": how.downtime}
    wanted = [{"capability": name, "state": state} for name, state in capabilities.items()]
    try:
        qemu.monitor.ask("migrate-set-capabilities", capabilities=wanted)
        qemu.monitor.ask("migrate-set-parameters", **parameters)
    except Refused as refused:
        raise Failed(f"QEMU does not take {', '.join(capabilities)}: {refused}") from None
