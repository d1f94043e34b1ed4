# SPDX-License-Identifier: GPL-2.0-only
"""What a bench says of the code: one outcome, a case for each cell on each kernel. Pure.

A cell is good where it has figures; what the kernel lacks is a skip. It fails where a round failed,
or where it got worse than what it is compared with, significantly and by more than the tolerance.
A boot that gave no round at all has an outcome of its own that says whose fault it is; here its
rounds were not run.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from kzc.bench.compare import Change, Comparison
from kzc.bench.measured import Measured, measured
from kzc.bench.order import cells_of, name_of
from kzc.bench.report import marks
from kzc.bench.result import Bench
from kzc.bench.values import Cell, Round
from kzc.values import Case, Outcome, Stage, Verdict, worst


def outcome(
    bench: Bench, seconds: float, again: str, comparison: Comparison | None = None
) -> Outcome:
    """The outcome of a bench as far as it was measured."""
    cells, _ = cells_of(bench.plan, bench.topology)
    figures: dict[tuple[str, Cell], list[Measured]] = {}
    for figure in bench.plan.figures:
        for each in measured(bench, figure):
            figures.setdefault((each.kernel, each.cell), []).append(each)
    worse: dict[Cell, list[Change]] = {}
    for change in comparison.worse if comparison else ():
        worse.setdefault(change.cell, []).append(change)
    last = bench.kernels[-1].label
    failed = _failed(bench.rounds)
    cases = tuple(
        _case(
            name_of(cell) + (f" ({kernel.label})" if len(bench.kernels) > 1 else ""),
            figures.get((kernel.label, cell), ()),
            worse.get(cell, ()) if kernel.label == last else (),
            failed=(kernel.label, cell) in failed,
        )
        for cell in cells
        for kernel in bench.kernels
    )
    detail: dict[str, Any] = {"clock": bench.clock.value, "plan": bench.name, "repeat": again}
    if comparison:
        detail["compared with"] = comparison.before
    verdict = worst(case.verdict for case in cases)
    return Outcome(
        Stage.BENCH, bench.name, verdict, seconds, cases=cases, detail=detail, reason=_reason(bench)
    )


def _reason(bench: Bench) -> str:
    told = [f"{len(bench.rounds):,} rounds in {bench.clock} time", *marks(bench)]
    return "; ".join(told)


def _failed(rounds: Iterable[Round]) -> set[tuple[str, Cell]]:
    """Kernels and cells with a round that failed in a boot in which others did not."""
    boots: dict[tuple[str, int], list[Round]] = {}
    for found in rounds:
        boots.setdefault((found.kernel, found.boot), []).append(found)
    alive = [group for group in boots.values() if any(each.sender or each.lacks for each in group)]
    bad = (each for group in alive for each in group if not each.sender and not each.lacks)
    return {(each.kernel, each.cell) for each in bad}


def _case(name: str, figures: Iterable[Measured], worse: Iterable[Change], *, failed: bool) -> Case:
    figures = tuple(figures)
    if not figures:
        return Case(name, Verdict.NOT_RUN, reason="it was cut short before")
    detail = _detail(figures)
    first = figures[0]
    lost = "; ".join(f"{change.figure} {change.percent:+.1f} %, worse" for change in worse)
    if lost:
        return Case(name, Verdict.FAIL, reason=lost, detail=detail)
    if failed or (first.failed and not first.summary):
        reason = first.reason or "; ".join(first.notes)
        verdict = Verdict.FAIL if failed else Verdict.NOT_RUN
        return Case(name, verdict, reason=reason, detail=detail)
    if first.lacks:
        return Case(name, Verdict.SKIP, reason=first.reason, detail=detail)
    return Case(name, Verdict.PASS, reason="; ".join(first.notes), detail=detail)


def _detail(figures: Iterable[Measured]) -> Mapping[str, Any]:
    """Medians by figure and unit, so that two clocks' never stand under one name."""
    found: dict[str, Any] = {}
    for each in figures:
        if each.summary:
            found[f"{each.figure} ({each.unit})"] = each.summary.median
        if each.copied is not None:
            found["copied"] = each.copied
    return found
