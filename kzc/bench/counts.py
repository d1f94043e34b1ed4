# SPDX-License-Identifier: GPL-2.0-only
"""How many messages of a cell were sent, came, were completed, and were copied. Pure.

All rounds of a kernel are added up, those that failed count nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from kzc.bench.measured import measured
from kzc.bench.result import Bench
from kzc.bench.values import Cell, Round


@dataclass(frozen=True)
class Counts:
    """Of a cell. Nothing is `sent` where the kernel `lacks` what it takes or all rounds failed:
    `reason` says which. `bytes` are those received; `copied` are part of `completed`."""

    cell: Cell
    sent: int = 0
    received: int = 0
    bytes: int = 0
    completed: int = 0
    copied: int = 0
    lacks: bool = False
    reason: str = ""


def counts(bench: Bench, kernel: str) -> Iterator[Counts]:
    """Each cell that has rounds on the kernel of that label, in the plan's order."""
    rounds: dict[Cell, list[Round]] = {}
    for found in bench.rounds:
        if found.kernel == kernel:
            rounds.setdefault(found.cell, []).append(found)
    for each in measured(bench, bench.plan.figures[0]):
        if each.kernel == kernel:
            yield _added(each.cell, rounds[each.cell], each.reason, lacks=each.lacks)


def _added(cell: Cell, rounds: list[Round], reason: str, *, lacks: bool) -> Counts:
    senders = [found.sender for found in rounds if found.sender]
    if not senders:
        return Counts(cell, lacks=lacks, reason=reason)
    got = sum(found.receiver.bytes for found in rounds if found.receiver)
    copied = sum(sender.copied for sender in senders)
    return Counts(
        cell,
        sent=sum(sender.messages for sender in senders),
        received=got // cell.size,
        bytes=got,
        completed=copied + sum(sender.zerocopied for sender in senders),
        copied=copied,
    )
