# SPDX-License-Identifier: GPL-2.0-only
"""The checks of a series as a grid, patch by check: plain values for the reports. Pure.

Columns are all checks that any patch had, in order of first appearance; a patch that never came
to one has an empty cell there, which is never a pass.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from kzc.results.clean import short
from kzc.results.verdicts import judge
from kzc.results.words import label, phrase
from kzc.values import Case, Outcome, Run, Stage, Verdict

_LOG = re.compile(r"logs(?:/[\w+-][\w.+-]*)+", re.ASCII)
_REMARKS = ("remarks", "hints")
_WORDS = {Verdict.PASS: "ok", Verdict.NOT_RUN: "not run"}


@dataclass(frozen=True)
class Cell:
    """One check of one patch; `log` is relative to the run's folder and safe as a link."""

    verdict: Verdict
    word: str
    log: str = ""


@dataclass(frozen=True)
class Row:
    """A patch; `cells` are as many as the grid has columns, None where it had no such check."""

    subject: str
    verdict: Verdict
    cells: tuple[Cell | None, ...]
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
    cells = tuple(_cell(cases[name]) if name in cases else None for name in names)
    return Row(short(outcome.subject, 100), judge(outcome), cells, short(outcome.reason))


def _notes(outcome: Outcome) -> Iterator[str]:
    """What a passing check remarks. What failed is shown with all its evidence elsewhere."""
    number = outcome.subject.partition(" ")[0]
    for case in outcome.cases:
        for key in _REMARKS if case.verdict is Verdict.PASS else ():
            found = case.detail.get(key)
            for item in found if isinstance(found, list | tuple) else ():
                yield short(f"{number} {case.name}: {phrase(item)}")


def _cell(case: Case) -> Cell:
    log = str(case.detail.get("log", ""))
    word = _WORDS.get(case.verdict, label(case.verdict))
    return Cell(case.verdict, word, log if _LOG.fullmatch(log) else "")
