# SPDX-License-Identifier: GPL-2.0-only
"""Rounds folded into measured cells, and the ratios between these.

Rule: figures of two clocks are never compared, and a cell that was copied shows no speed-up.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import median

from kzc.bench.figures import NO_PMU, WORK, unit_of, value_of
from kzc.bench.order import name_of
from kzc.bench.plan import Figure, Knobs
from kzc.bench.result import Bench
from kzc.bench.statistics import Difference, Summary, compare, summarize
from kzc.bench.values import Cell, Clock, Mode, Round
from kzc.bench.why import Seen, why_copied, why_lacking, why_retried, zerocopied
from kzc.errors import UsageError

LOCAL_OVERLAY = "bench-localhost-zerocopy"


@dataclass(frozen=True)
class Measured:
    """One figure of one cell on one kernel, folded over its rounds.

    `copied` is the share of completions (None where none came). `boots` are the medians of single
    boots. `notes` say why it was copied or tried again; without a `summary` `reason` says what
    is lacking (`lacks`) or failed. `failed` counts rounds that failed.
    """

    cell: Cell
    kernel: str
    clock: Clock
    figure: Figure
    unit: str
    summary: Summary | None = None
    copied: float | None = None
    zerocopy: bool = False
    enobufs: int = 0
    boots: tuple[float, ...] = ()
    notes: tuple[str, ...] = ()
    reason: str = ""
    lacks: bool = False
    failed: int = 0


def measured(bench: Bench, figure: Figure) -> tuple[Measured, ...]:
    """All cells of a bench that have rounds, in the order of plan and kernels."""
    rounds: dict[tuple[str, Cell], list[Round]] = {}
    for found in bench.rounds:
        rounds.setdefault((found.kernel, found.cell), []).append(found)
    labels = [kernel.label for kernel in bench.kernels]
    keys = sorted(rounds, key=lambda key: (labels.index(key[0]), _place(key[1])))
    return tuple(_fold(bench, figure, rounds[key]) for key in keys)


def _place(cell: Cell) -> tuple[object, ...]:
    modes = list(Mode)
    return (
        cell.transport,
        cell.ip,
        cell.direction,
        cell.size,
        modes.index(cell.mode),
        cell.interval,
    )


def _fold(bench: Bench, figure: Figure, rounds: Sequence[Round]) -> Measured:
    first = rounds[0]
    cell, unit = first.cell, unit_of(figure, first.clock, bench.plan.unit)
    if any(found.clock is not first.clock for found in rounds):
        raise UsageError(f"{name_of(cell)} has rounds of two clocks, which are never compared")
    seen = _seen(cell, bench.plan.settings, rounds, LOCAL_OVERLAY in bench.unclean)
    told = [(found, value_of(found, figure, bench.plan.unit)) for found in rounds]
    values = [value for _, value in told if value is not None]
    by_boot: dict[int, list[float]] = {}
    for found, value in told:
        if value is not None:
            by_boot.setdefault(found.boot, []).append(value)
    bad = [found for found in rounds if found.sender is None]
    whole = Measured(
        cell,
        first.kernel,
        first.clock,
        figure,
        unit,
        copied=seen.copied,
        zerocopy=zerocopied(seen),
        enobufs=seen.enobufs,
        boots=tuple(median(group) for group in by_boot.values()),
        failed=sum(not found.lacks for found in bad),
    )
    if not values:
        none = NO_PMU if figure in WORK else "it has no such figure"
        reason = why_lacking(cell, bad[0].reason) if bad else none
        return replace(whole, reason=reason, lacks=all(found.lacks for found in bad))
    notes = (why_copied(seen), why_retried(seen), _failures(bad))
    return replace(whole, summary=summarize(values), notes=tuple(filter(None, notes)))


def _failures(bad: Sequence[Round]) -> str:
    if not bad:
        return ""
    one = "a round" if len(bad) == 1 else f"{len(bad)} rounds"
    return f"{one} failed and did not count: {bad[0].reason}"


def _seen(cell: Cell, knobs: Knobs, rounds: Sequence[Round], kept_local: bool) -> Seen:
    senders = [found.sender for found in rounds if found.sender]
    copied = sum(sender.copied for sender in senders)
    completed = copied + sum(sender.zerocopied for sender in senders)
    share = copied / completed if completed and cell.mode is not Mode.COPY else None
    messages = sum(sender.messages for sender in senders)
    enobufs = sum(sender.enobufs for sender in senders)
    return Seen(cell, knobs, share, messages, enobufs, kept_local)


def reference(cell: Cell, against: Mode) -> Cell:
    """The cell that another one is a ratio of."""
    return replace(cell, mode=against, interval=1 if against is Mode.COPY else cell.interval)


def ratio(new: Measured, old: Measured, *, may_copy: bool = False) -> Difference | None:
    """`new` as a part of `old`; None where there is nothing to claim: one side has no figures, or
    was to be zerocopy and was copied, unless it may be. Raises UsageError for two clocks or
    figures."""
    comparable(new, old)
    if new.summary is None or old.summary is None:
        return None
    if not may_copy and not (_honest(new) and _honest(old)):
        return None
    if not old.summary.median:
        return None
    return compare(old.summary.values, new.summary.values)


def comparable(new: Measured, old: Measured) -> None:
    """Raises UsageError where two figures must not be compared."""
    if new.clock is not old.clock:
        raise UsageError(
            f"{name_of(new.cell)}: {old.clock} time and {new.clock} time are never compared",
            f"measure again with --clock {old.clock}",
        )
    if new.figure is not old.figure or new.unit != old.unit:
        raise UsageError(f"{name_of(new.cell)}: {old.unit} and {new.unit} cannot be compared")


def _honest(each: Measured) -> bool:
    return each.cell.mode is Mode.COPY or each.zerocopy
