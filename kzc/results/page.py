# SPDX-License-Identifier: GPL-2.0-only
"""A run as a page shows it, in plain values: everything is cleaned, counted and bounded here.

The template only puts these values in their places, and escapes them.
"""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from markupsafe import escape

from kzc.results import matrix, summary, zerocopy
from kzc.results.clean import LONG, cut, printable, short
from kzc.results.grid import grid
from kzc.results.logs import OpenLog, safe
from kzc.results.matrix import Matrix
from kzc.results.proofs import Proofs, left_out, proofs
from kzc.results.verdicts import judge, verdict_of
from kzc.results.words import label, span
from kzc.values import Case, Outcome, Run, Stage, Verdict, worst

PROOFS, CASES = 1_400_000, 2_200_000
"""Characters of a page for what failed, and for the lists of cases."""
_ROWS = 300
_STEPS = 1000
_NAME = 160
_ROW = 40


@dataclass(frozen=True)
class Section:
    """More for a page, as of a benchmark: `html` is a trusted fragment of tables and inline SVG,
    with every text from outside escaped by its maker. Scripts in it do not run."""

    title: str
    html: str


@dataclass(frozen=True)
class Count:
    """How many cases have a verdict, and their share of all in percent."""

    verdict: Verdict
    number: int
    share: float


@dataclass(frozen=True)
class Step:
    """All outcomes of a stage together."""

    stage: str
    verdict: Verdict
    found: str
    time: str


@dataclass(frozen=True)
class Entry:
    """A case in the list of its suite."""

    verdict: Verdict
    name: str
    said: str
    time: str


@dataclass(frozen=True)
class Suite:
    """A suite with its cases; `left_out` of them are not listed for want of room."""

    at: int
    name: str
    where: str
    verdict: Verdict
    counts: tuple[Count, ...]
    time: str
    log: str
    reason: str
    repeat: str
    cases: tuple[Entry, ...]
    left_out: int


@dataclass(frozen=True)
class Page:
    """The whole page."""

    run: str
    started: str
    word: str
    tone: str
    headline: str
    notes: tuple[str, ...]
    command: str
    counts: tuple[Count, ...]
    steps: tuple[Step, ...]
    patches: Matrix | None
    suites: Matrix | None
    failures: tuple[Proofs, ...]
    failures_left_out: int
    transfers: tuple[zerocopy.Table, ...]
    warnings: tuple[tuple[str, str], ...]
    skipped: tuple[summary.Group, ...]
    remarks: tuple[str, ...]
    lists: tuple[Suite, ...]
    rows: tuple[summary.Row, ...]
    rows_left_out: int
    provenance: tuple[tuple[str, str], ...]
    sections: tuple[Section, ...] = ()


def page(run: Run, opened: OpenLog, sections: Sequence[Section] = ()) -> Page:
    """The page of a run; its logs are read by `opened`."""
    rows = summary.rows(run)
    checks = grid(run)
    return Page(
        run=run.id,
        started=short(run.started[:19].replace("T", " ")),
        word=summary.word(run),
        tone=tone(run),
        headline=summary.headline(run),
        notes=tuple(filter(None, (summary.caveat(run), *_unfinished(run)))),
        command=cut(printable(shlex.join(run.command)), LONG),
        counts=_counts(case for outcome in run.outcomes for case in outcome.cases),
        steps=tuple(_steps(run)),
        patches=matrix.patches(run),
        suites=matrix.suites(run),
        failures=tuple(proofs(run, opened, PROOFS)),
        failures_left_out=left_out(run),
        transfers=zerocopy.tables(run),
        warnings=summary.warnings(run)[:_ROWS],
        skipped=summary.skipped(run)[:_ROWS],
        remarks=checks.notes[:_ROWS] if checks else (),
        lists=tuple(_lists(run)),
        rows=rows[:_STEPS],
        rows_left_out=max(0, len(rows) - _STEPS),
        provenance=summary.provenance(run),
        sections=tuple(sections),
    )


def tone(run: Run) -> str:
    """The class of the verdict's colour: a verdict's word, or `doubt` where a good one is none."""
    verdict = verdict_of(run)
    doubtful = not run.finished or not run.outcomes or bool(summary.caveat(run))
    return "doubt" if verdict.good and doubtful else verdict.value


def _unfinished(run: Run) -> Iterator[str]:
    if not run.finished:
        yield summary.UNFINISHED


def _counts(cases: Iterable[Case]) -> tuple[Count, ...]:
    numbers = Counter(case.verdict for case in cases)
    whole = numbers.total() or 1
    return tuple(
        Count(each, numbers[each], round(100 * numbers[each] / whole, 3))
        for each in Verdict
        if numbers[each]
    )


def _steps(run: Run) -> Iterator[Step]:
    for stage in Stage:
        found = [outcome for outcome in run.outcomes if outcome.stage is stage]
        if found:
            verdict = worst(map(judge, found))
            counts = Counter(map(judge, found))
            told = ", ".join(f"{counts[each]:,} {label(each)}" for each in Verdict if counts[each])
            seconds = sum(outcome.seconds for outcome in found)
            yield Step(stage.value, verdict, told, span(seconds))


def _lists(run: Run) -> Iterator[Suite]:
    room = CASES
    for at, outcome in enumerate(run.outcomes):
        if outcome.stage is Stage.TEST:
            cases, room = _fitting(outcome.cases, room)
            yield _suite(at, outcome, cases)


def _suite(at: int, outcome: Outcome, cases: tuple[Entry, ...]) -> Suite:
    name, where = matrix.of_suite(outcome)
    return Suite(
        at=at,
        name=name,
        where=where,
        verdict=judge(outcome),
        counts=_counts(outcome.cases),
        time=span(outcome.seconds),
        log=safe(outcome.log),
        reason=short(outcome.reason),
        repeat=cut(printable(outcome.detail.get("repeat", "")).strip(), LONG),
        cases=cases,
        left_out=len(outcome.cases) - len(cases),
    )


def _fitting(cases: Sequence[Case], room: int) -> tuple[tuple[Entry, ...], int]:
    """As many cases as there is room for, with what room they leave."""
    fitting = []
    for case in cases:
        time = span(case.seconds) if case.seconds else ""
        entry = Entry(case.verdict, short(case.name, _NAME), short(case.reason, _NAME), time)
        room -= len(escape(entry.name)) + len(escape(entry.said)) + _ROW
        if room < 0:
            break
        fitting.append(entry)
    return tuple(fitting), max(room, 0)
