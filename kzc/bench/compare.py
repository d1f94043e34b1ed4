# SPDX-License-Identifier: GPL-2.0-only
"""Before and after, cell by cell, with significance. Pure.

Rule: worse counts only if it is significant and by more than the tolerance; what one side lacks is
named, never passed over. p is adjusted for the number of cells looked at.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from kzc.bench.measured import Measured, comparable, measured
from kzc.bench.plan import Figure, Plan
from kzc.bench.result import Bench
from kzc.bench.statistics import ALPHA, Difference, adjusted, compare
from kzc.bench.values import Cell, Clock, Mode
from kzc.errors import UsageError

TOLERANCE = 5.0


class Word(StrEnum):
    """What became of a cell. WITHIN: significant, but within the tolerance; COPIED: more, but only
    because it was copied now; TOO_FEW: no number of rounds like this could be significant."""

    WORSE = "worse"
    BETTER = "better"
    SAME = "no difference"
    WITHIN = "within tolerance"
    COPIED = "copied now"
    TOO_FEW = "too few rounds to tell"
    ONLY_BEFORE = "missing now"
    ONLY_AFTER = "missing before"
    NEITHER = "measured on neither side"


@dataclass(frozen=True)
class Side:
    """One kernel of a bench."""

    bench: Bench
    kernel: str


@dataclass(frozen=True)
class Change:
    """One figure of one cell. `percent` is how much more (or, negative, less) the figure is now."""

    cell: Cell
    figure: Figure
    word: Word
    old: Measured | None
    new: Measured | None
    difference: Difference | None = None
    p: float = 1.0

    @property
    def percent(self) -> float | None:
        return (self.difference.ratio - 1) * 100 if self.difference else None


@dataclass(frozen=True)
class Comparison:
    """All changes, in the order of the plan; `notes` say what of the setup is not the same."""

    before: str
    after: str
    tolerance: float
    changes: tuple[Change, ...]
    notes: tuple[str, ...] = ()

    @property
    def worse(self) -> tuple[Change, ...]:
        return tuple(change for change in self.changes if change.word is Word.WORSE)


def compared(old: Side, new: Side, tolerance: float = TOLERANCE) -> Comparison:
    """Set two sides against each other; `tolerance` in percent.

    Raises UsageError where they cannot be compared: another clock, plan, topology or setting.
    """
    same_kind(old.bench, new.bench.plan, new.bench.topology, new.bench.clock)
    pairs = [pair for figure in new.bench.plan.figures for pair in _pairs(old, new, figure)]
    told = [_difference(before, after) for before, after in pairs]
    asked = [place for place, found in enumerate(told) if found]
    ps = dict(zip(asked, adjusted([told[place].p for place in asked]), strict=True))  # type: ignore[union-attr]
    changes = tuple(
        _change(pair, found, ps.get(place, 1.0), tolerance)
        for place, (pair, found) in enumerate(zip(pairs, told, strict=True))
    )
    return Comparison(_called(old), _called(new), tolerance, changes, _notes(old.bench, new.bench))


_Pair = tuple[Measured | None, Measured | None]


def _pairs(old: Side, new: Side, figure: Figure) -> list[_Pair]:
    before, after = (
        {each.cell: each for each in measured(side.bench, figure) if each.kernel == side.kernel}
        for side in (old, new)
    )
    return [(before.get(cell), after.get(cell)) for cell in dict.fromkeys((*after, *before))]


def _difference(old: Measured | None, new: Measured | None) -> Difference | None:
    if old is None or new is None:
        return None
    comparable(new, old)
    if old.summary is None or new.summary is None or not old.summary.median:
        return None
    return compare(old.summary.values, new.summary.values)


def _change(pair: _Pair, found: Difference | None, p: float, tolerance: float) -> Change:
    old, new = pair
    known = new or old
    assert known is not None
    if found is None:
        has_new = new is not None and new.summary is not None
        has_old = old is not None and old.summary is not None
        word = Word.ONLY_AFTER if has_new else Word.ONLY_BEFORE if has_old else Word.NEITHER
        return Change(known.cell, known.figure, word, old, new)
    assert new is not None
    return Change(known.cell, known.figure, _word(new, found, p, tolerance), old, new, found, p)


def _word(new: Measured, found: Difference, p: float, tolerance: float) -> Word:
    if not found.tellable:
        return Word.TOO_FEW
    if p >= ALPHA or found.ratio == 1:
        return Word.SAME
    gain = found.ratio if new.figure.rate else 1 / found.ratio
    if gain > 1:
        copied = new.cell.mode is not Mode.COPY and not new.zerocopy
        return Word.COPIED if copied else Word.BETTER
    loss = abs(found.ratio - 1) * 100
    return Word.WORSE if loss > tolerance else Word.WITHIN


def same_kind(old: Bench, plan: Plan, topology: str, clock: Clock) -> None:
    """Raises UsageError where an earlier bench is no measure for one with that plan and clock."""
    if old.clock is not clock:
        raise UsageError(
            f"the one was measured in {old.clock}, the other in {clock}: never compared",
            f"measure again with --clock {old.clock}",
        )
    for name in ("bytes", "warmup", "settings", "unit"):
        then, now = getattr(old.plan, name), getattr(plan, name)
        if then != now:
            raise UsageError(
                f"they were measured with different plans: {name} was {then}, now it is {now}",
                "compare runs of one plan",
            )
    if old.topology != topology:
        raise UsageError(
            f"the one was measured with --topology {old.topology}, the other {topology}",
            f"measure again with --topology {old.topology}",
        )


def _called(side: Side) -> str:
    for kernel in side.bench.kernels:
        if kernel.label == side.kernel:
            return kernel.what
    return side.kernel


def _notes(old: Bench, new: Bench) -> tuple[str, ...]:
    keys = dict.fromkeys((*old.setup, *new.setup))
    told: Sequence[tuple[str, str, str]] = [
        (key, old.setup.get(key, ""), new.setup.get(key, "")) for key in keys
    ]
    return tuple(
        f"{key} is not the same: {then or 'unknown'}, now {now or 'unknown'}"
        for key, then, now in told
        if then != now
    )
