# SPDX-License-Identifier: GPL-2.0-only
"""Two tables of a run at a glance: patch by check, and suite by topology. Pure.

An empty cell means that nothing was done there, which is never a pass.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from kzc.results.clean import line, short
from kzc.results.grid import grid
from kzc.results.logs import safe
from kzc.results.mark import Mark
from kzc.results.verdicts import judge
from kzc.results.words import label
from kzc.values import Outcome, Run, Stage, Verdict

LOOPBACK = "loopback"
MOST = 500
"""Rows of a table that a page shows."""


@dataclass(frozen=True)
class Line:
    """A row: what it is of, its cells in the order of the columns, and a remark."""

    number: str
    name: str
    marks: tuple[Mark | None, ...]
    note: str = ""


@dataclass(frozen=True)
class Matrix:
    """A table; `left_out` rows are not in it."""

    columns: tuple[str, ...]
    lines: tuple[Line, ...]
    left_out: int = 0


def patches(run: Run) -> Matrix | None:
    """Every patch with how it applied and what its checks said; None without patches."""
    applied = {each.subject: each for each in run.outcomes if each.stage is Stage.APPLY}
    checked = {each.subject: each for each in run.outcomes if each.stage is Stage.CHECK}
    found = grid(run)
    if not applied and not checked:
        return None
    names = tuple(dict.fromkeys((*applied, *checked)))
    checks = found.columns if found else ()
    cells = dict(zip(checked, found.rows, strict=False)) if found else {}
    whole = ("checks",) if checked and not checks else ()
    columns = (*(("applies",) if applied else ()), *checks, *whole)
    lines = []
    for name in names[:MOST]:
        marks = [_applied(applied.get(name))] if applied else []
        row = cells.get(name)
        marks += row.marks if row else (None,) * len(checks)
        marks += [_whole(checked.get(name))] if whole else []
        lines.append(_line(applied.get(name) or checked[name], marks))
    return Matrix(columns, tuple(lines), max(0, len(names) - MOST))


def suites(run: Run) -> Matrix | None:
    """Every suite in every topology that it ran in, and the plans of a run over several trees as
    rows of their own; None where none was to run."""
    cells: dict[str, dict[str, Mark]] = {}
    for at, outcome in enumerate(run.outcomes):
        plan = _job(outcome).get("plan")
        if outcome.stage is (Stage.BENCH if plan else Stage.TEST):
            suite, where = _of_plan(outcome) if plan else of_suite(outcome)
            if where in cells.get(suite, ()):
                suite = short(outcome.subject, 100)  # never one result in the place of another
            cells.setdefault(suite, {})[where] = _suite(outcome, at)
    if not cells:
        return None
    columns = tuple(dict.fromkeys(where for row in cells.values() for where in row))
    lines = [
        Line("", suite, tuple(row.get(where) for where in columns)) for suite, row in cells.items()
    ]
    return Matrix(columns, tuple(lines[:MOST]), max(0, len(lines) - MOST))


def of_suite(outcome: Outcome) -> tuple[str, str]:
    """Suite and topology of a test's outcome: `vsock nested` is vsock in the topology nested. In a
    run over several trees the job says both, and the tree stands before the topology; the suite's
    further boots have names of their own there."""
    job = _job(outcome)
    if job.get("suite"):
        name = f"{job['suite']} {job.get('boot', '')}".strip()
        place = f"{job.get('tree', '')} {job.get('topology', '') or LOOPBACK}"
        return short(name, 60), short(place, 60)
    suite, _, where = line(outcome.subject).partition(" ")
    return short(suite, 60), short(where, 60) or LOOPBACK


def _of_plan(outcome: Outcome) -> tuple[str, str]:
    job = _job(outcome)
    return short(job.get("plan", ""), 60), short(f"{job.get('tree', '')} bench", 60)


def _line(outcome: Outcome, marks: Sequence[Mark | None]) -> Line:
    job = _job(outcome)
    before = f"{job.get('name')}: "
    name = outcome.subject.removeprefix(before)
    number, _, title = name.partition(" ")
    numbered = number.partition("/")[0].isdigit()
    title = title if numbered else name
    if outcome.subject.startswith(before):
        title = f"{job.get('tree', '')}: {title}"
    commit = short(outcome.detail.get("commit", ""), 12).partition(" ")[0]
    return Line(short(number, 20) if numbered else "", short(title, 160), tuple(marks), commit)


def _job(outcome: Outcome) -> Mapping[str, object]:
    """What a run over several trees keeps of the job that an outcome is of."""
    job = outcome.detail.get("job")
    return job if isinstance(job, Mapping) else {}


def _applied(outcome: Outcome | None) -> Mark | None:
    if outcome is None:
        return None
    fit = short(outcome.detail.get("fit", ""), 40)
    word = fit if outcome.verdict is Verdict.PASS and fit else label(outcome.verdict)
    return Mark(outcome.verdict, "ok" if word == "pass" else word, log=safe(outcome.log))


def _whole(outcome: Outcome | None) -> Mark | None:
    if outcome is None:
        return None
    return Mark(judge(outcome), short(outcome.reason, 100) or label(judge(outcome)))


def _suite(outcome: Outcome, at: int) -> Mark:
    numbers = Counter(case.verdict for case in outcome.cases)
    shown = tuple((each, numbers[each]) for each in Verdict if numbers[each])
    verdict = judge(outcome)
    return Mark(verdict, label(verdict), safe(outcome.log), shown, outcome.seconds, at)
