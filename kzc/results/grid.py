# SPDX-License-Identifier: GPL-2.0-only
"""The checks of a series as a grid, patch by check: plain values for the reports. Pure.

Columns are all checks that any patch had, in order of first appearance; a patch that never came
to one has an empty cell there, which is never a pass.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from kzc.results.clean import short
from kzc.results.logs import safe
from kzc.results.mark import Mark
from kzc.results.verdicts import judge
from kzc.results.words import label, phrase
from kzc.values import Case, Outcome, Run, Stage, Verdict

_REMARKS = ("remarks", "hints")
_WORDS = {Verdict.PASS: "ok", Verdict.NOT_RUN: "not run"}


@dataclass(frozen=True)
class Row:
    """A patch; `marks` are as many as the grid has columns, None where it had no such check."""

    subject: str
    verdict: Verdict
    marks: tuple[Mark | None, ...]
    note: str = ""


@dataclass(frozen=True)
class Grid:
    """All patches that were checked; `notes` are remarks on what passed, a line each."""

    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    notes: tuple[str, ...] = ()


def grid(run: Run) -> Grid | None:
    """The grid of a run, None where it checked no patches."""
    checked = [outcome for outcome in run.outcomes if outcome.stage is Stage.CHECK]
    names = dict.fromkeys(case.name for outcome in checked for case in outcome.cases)
    if not checked:
        return None
    rows = tuple(_row(outcome, tuple(names)) for outcome in checked)
    notes = tuple(note for outcome in checked for note in _notes(outcome))
    return Grid(tuple(short(name, 40) for name in names), rows, notes)


def _row(outcome: Outcome, names: tuple[str, ...]) -> Row:
    cases = {case.name: case for case in outcome.cases}
    marks = tuple(_mark(cases[name]) if name in cases else None for name in names)
    return Row(short(outcome.subject, 100), judge(outcome), marks, short(outcome.reason))


def _notes(outcome: Outcome) -> Iterator[str]:
    """What a passing check remarks. What failed is shown with all its evidence elsewhere."""
    number = outcome.subject.partition(" ")[0]
    for case in outcome.cases:
        for key in _REMARKS if case.verdict is Verdict.PASS else ():
            found = case.detail.get(key)
            for item in found if isinstance(found, list | tuple) else ():
                yield short(f"{number} {case.name}: {phrase(item)}")


def _mark(case: Case) -> Mark:
    word = _WORDS.get(case.verdict, label(case.verdict))
    return Mark(case.verdict, word, safe(case.detail.get("log", "")))
