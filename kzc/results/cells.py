# SPDX-License-Identifier: GPL-2.0-only
"""A CI run at a glance: tree, series and topology by suite, as plain values for the reports. Pure.

It is read from `detail["job"]` of the outcomes. A cell without any outcome is empty, which is never
a pass; one whose goes came to different ends is flaky, and its verdict the worse of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from kzc.results.clean import short
from kzc.results.mark import Mark
from kzc.results.verdicts import judge
from kzc.results.words import label
from kzc.values import Outcome, Run, Verdict, worst

BUILD = "build"
_WIDTH = 60


@dataclass(frozen=True)
class Row:
    """A tree, series (with profile) and topology, and as many cells as there are columns."""

    tree: str
    series: str
    topology: str
    marks: tuple[Mark | None, ...]


@dataclass(frozen=True)
class Cells:
    """The whole grid."""

    columns: tuple[str, ...]
    rows: tuple[Row, ...]


_Key = tuple[str, str, str]
_Found = dict[tuple[_Key, str], list[Outcome]]


def cells(run: Run) -> Cells | None:
    """The grid of a CI run, None for any other."""
    found: _Found = {}
    for outcome in run.outcomes:
        job = outcome.detail.get("job")
        if isinstance(job, Mapping):
            found.setdefault(_place(job), []).append(outcome)
    if not found:
        return None
    columns = tuple(dict.fromkeys(column for _, column in found))
    keys = dict.fromkeys(key for key, _ in found if key[2])
    # a kernel that nothing was run on has a line of its own
    tested = {key[:2] for key in keys}
    keys |= dict.fromkeys(key for key, _ in found if key[:2] not in tested)
    rows = tuple(_row(key, columns, found) for key in keys)
    return Cells(tuple(short(name, _WIDTH) for name in columns), rows)


def _place(job: Mapping[str, Any]) -> tuple[_Key, str]:
    tree, series, profile, topology, suite, plan = (
        str(job.get(name) or "")
        for name in ("tree", "series", "profile", "topology", "suite", "plan")
    )
    ground = series if profile in ("", "default") else f"{series} ({profile})"
    if plan:
        return (tree, ground, "bench"), plan
    return (tree, ground, topology), suite or BUILD


def _row(key: _Key, columns: Iterable[str], found: _Found) -> Row:
    places = [((*key[:2], "") if column == BUILD else key, column) for column in columns]
    marks = tuple(_mark(found[place]) if place in found else None for place in places)
    tree, series, topology = (short(text, _WIDTH) for text in key)
    return Row(tree, series, topology, marks)


def _mark(outcomes: list[Outcome]) -> Mark:
    goes: dict[str, list[Outcome]] = {}
    for outcome in outcomes:
        goes.setdefault(str(outcome.detail["job"].get("go")), []).append(outcome)
    ends = {worst(map(judge, found)) for found in goes.values()}
    verdict = worst(ends)
    # a machine's failure that was made good (skip) is not the code's
    flaky = not verdict.good and any(end.good for end in ends) and verdict is not Verdict.INFRA
    return Mark(verdict, "flaky" if flaky else label(verdict))
