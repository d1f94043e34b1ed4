# SPDX-License-Identifier: GPL-2.0-only
"""What one run says of one claim: its figures with their intervals, or its cases' verdicts. Pure.

Figures come from the rounds where these are kept, else (as of a run over many trees) from what
the cases tell, which has no interval.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cached_property

from kzc.bench.measured import Measured, measured, ratio
from kzc.bench.order import name_of
from kzc.bench.plan import Figure
from kzc.bench.result import Bench
from kzc.bench.tables import number
from kzc.results.clean import short
from kzc.seeds.manifest import AT, Claim, Posted
from kzc.seeds.rules import judge
from kzc.seeds.values import Found, Point, Word
from kzc.values import Case, Outcome, Run, Verdict

COPIED, COMPLETED = "copied", "completed"
"""Shares that are figures of a claim, too: of the completions, and of the sends."""
_SILENT = frozenset({Verdict.SKIP, Verdict.INFRA, Verdict.NOT_RUN})


@dataclass(frozen=True)
class Evidence:
    """An outcome of a run, with its bench where that is kept."""

    run: Run
    outcome: Outcome
    bench: Bench | None = None

    @cached_property
    def cases(self) -> Mapping[str, Case]:
        """Its cases by name."""
        return {case.name: case for case in self.outcome.cases}


def points_of(claim: Claim, evidence: Evidence) -> tuple[Point, ...]:
    """Each point of a claim, judged by its rule."""
    if claim.cases:
        return tuple(_of_cases(claim, each, evidence.outcome.cases) for each in claim.cases)
    return tuple(_of_figure(claim, posted, evidence) for posted in claim.points)


def _of_cases(claim: Claim, pattern: str, cases: Sequence[Case]) -> Point:
    """The cases that fit a pattern, together: a bad one decides, then one that tells nothing."""
    found = [case for case in cases if fnmatchcase(case.name, pattern)]
    counts = Counter(case.verdict for case in found)
    told = ", ".join(f"{counts[each]} {each.value}" for each in Verdict if counts[each])
    bad = [each for each in found if each.verdict not in claim.ends]
    wanted = " or ".join(claim.ends)
    decisive = [each for each in bad if each.verdict not in _SILENT] or bad
    if not found:
        return Point(pattern, wanted, "-", Word.UNTOLD, "the run has no such case")
    if not decisive:
        return Point(pattern, wanted, told, Word.HOLDS)
    first = decisive[0]
    word = Word.UNTOLD if first.verdict in _SILENT else Word.NOT
    why = f"{first.name}: {first.verdict.value}{f': {first.reason}' if first.reason else ''}"
    return Point(pattern, wanted, told, word, short(why))


def _of_figure(claim: Claim, posted: Posted, evidence: Evidence) -> Point:
    cell, of = (text.replace(AT, posted.at) for text in (claim.cell, claim.of))
    found = _found(claim, cell, of, evidence)
    rule = posted.rule or claim.rule
    assert rule is not None  # the manifest is checked
    word, why = judge(rule, found, posted.percent)
    percent = " %" if of or claim.figure in (COPIED, COMPLETED) else ""
    shown = "-" if found.value is None else f"{number(found.value)}{percent}"
    if found.sides:
        shown += f" ({found.sides})"
    return Point(posted.at or cell, _posted(posted, percent), shown, word, short(why))


def _posted(posted: Posted, percent: str) -> str:
    if posted.percent is None:
        return "-"
    if posted.posted_of is None:
        return f"{posted.percent:g}{percent}"
    return f"{posted.percent:.0f} % ({posted.posted:,.12g} of {posted.posted_of:,.12g})"


def _found(claim: Claim, cell: str, of: str, evidence: Evidence) -> Found:
    for each in filter(None, (cell, of)):
        if each not in evidence.cases:
            return Found(reason=f"the run has no cell {each}")
    if evidence.bench is not None:
        return _of_bench(evidence.bench, claim, cell, of)
    return _of_detail(evidence, claim, cell, of)


def _of_bench(bench: Bench, claim: Claim, cell: str, of: str) -> Found:
    if claim.figure in _SHARES:
        return _SHARES[claim.figure](bench, cell)
    try:
        cells = _cells(bench, Figure(claim.figure))
    except ValueError:
        return Found(reason=f"{bench.name} has no figure {claim.figure}")
    new = cells.get(cell)
    if new is None or new.summary is None:
        return Found(reason=new.reason if new else f"{cell} was not measured")
    if not of:
        summary = new.summary
        return Found(summary.median, summary.low, summary.high, new.unit)
    old = cells.get(of)
    if old is None or old.summary is None:
        return Found(reason=old.reason if old else f"{of} was not measured")
    part = ratio(new, old, may_copy=claim.may_copy)
    if part is None:
        why = dict.fromkeys((*new.notes, *old.notes))
        return Found(reason="; ".join(why) or "nothing proves that it was zerocopy")
    sides = f"{number(new.summary.median)} of {number(old.summary.median)} {new.unit}"
    return Found(part.ratio * 100, part.low * 100, part.high * 100, sides)


def _cells(bench: Bench, figure: Figure) -> dict[str, Measured]:
    last = bench.kernels[-1].label
    return {name_of(each.cell): each for each in measured(bench, figure) if each.kernel == last}


def _copied(bench: Bench, cell: str) -> Found:
    each = _cells(bench, bench.plan.figures[0]).get(cell)
    if each is None or each.copied is None:
        return Found(reason=(each.reason if each else "") or f"{cell}: no completion came")
    share = each.copied * 100
    return Found(share, share, share)


def _completed(bench: Bench, cell: str) -> Found:
    last = bench.kernels[-1].label
    rounds = [each for each in bench.rounds if each.kernel == last and name_of(each.cell) == cell]
    bad = next((each.reason for each in rounds if not each.sender), "")
    senders = [each.sender for each in rounds if each.sender]
    sent = sum(each.messages for each in senders)
    # a round has figures only when all its completions came
    if bad or not sent:
        return Found(reason=bad or f"{cell} was not measured")
    done = sum(each.zerocopied + each.copied for each in senders)
    share = done / sent * 100
    return Found(share, share, share, f"{done:,} of {sent:,} sends")


_SHARES: Mapping[str, Callable[[Bench, str], Found]] = {COPIED: _copied, COMPLETED: _completed}


def _of_detail(evidence: Evidence, claim: Claim, cell: str, of: str) -> Found:
    new = _number(evidence.cases[cell], claim.figure)
    if isinstance(new, str):
        return Found(reason=new)
    if not of:
        return Found(new, new, new)
    old = _number(evidence.cases[of], claim.figure)
    if isinstance(old, str) or not old:
        return Found(reason=old if isinstance(old, str) else f"{of}: its {claim.figure} is 0")
    share = evidence.cases[cell].detail.get(COPIED)
    if isinstance(share, int | float) and share > 0.05 and not claim.may_copy:
        return Found(reason=f"{cell}: {share:.0%} of the completions say copied")
    part = new / old * 100
    return Found(part, part, part, f"{number(new)} of {number(old)}")


def _number(case: Case, figure: str) -> float | str:
    """The number called `figure`, whatever its unit in brackets; else why there is none."""
    for name, value in case.detail.items():
        fits = name == figure or name.startswith(f"{figure} (")
        if fits and isinstance(value, int | float):
            return float(value) * (100 if name == COPIED else 1)
    return f"{case.name}: {case.reason or f'it has no {figure}'}"
