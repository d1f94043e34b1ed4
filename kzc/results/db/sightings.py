# SPDX-License-Identifier: GPL-2.0-only
"""Where a case was seen: one row per case, run and attempt."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from kzc.results.db import chosen
from kzc.results.db.schema import cases, facts, outcomes, runs
from kzc.results.past import Sighting
from kzc.results.wanted import Wanted
from kzc.values import Verdict

_NEAR = 5
_POINTS = "point-%-run-%"
"""Subjects of a bisection's guests: their kernels are no tree's and no series'."""


def of_case(connection: sa.Connection, name: str, wanted: Wanted) -> tuple[Sighting, ...]:
    """All of a case called `name`, SUITE:CASE or CASE, or of a whole suite or stage."""
    suite, colon, case = name.partition(":")
    ways: list[tuple[sa.ColumnElement[bool], ...]] = [(cases.c.name == name,)]
    if colon:
        longer = outcomes.c.subject.startswith(f"{suite} ", autoescape=True)
        ways.append((cases.c.name == case.strip(), sa.or_(outcomes.c.subject == suite, longer)))
    for way in ways:
        if found := _cases(connection, wanted, *way):
            return found
    return _subjects(connection, name, wanted)


def names_like(connection: sa.Connection, name: str) -> tuple[str, ...]:
    """Some SUITE:CASE that resemble it; those that have it in them go first."""
    every = sa.select(outcomes.c.subject, cases.c.name).distinct().select_from(_joined())
    _, _, case = name.rpartition(":")
    inside = every.where(cases.c.name.icontains(case.strip(), autoescape=True)).limit(_NEAR)
    found = [f"{row.subject}:{row.name}" for row in connection.execute(inside)] if case else []
    if not found:
        known = {f"{row.subject}:{row.name}" for row in connection.execute(every)}
        bare = {each.partition(":")[2]: each for each in sorted(known)}
        near = difflib.get_close_matches(case.strip(), bare, _NEAR)
        found = [bare[each] for each in near]
    return tuple(found)


def _joined() -> sa.Join:
    same = sa.and_(cases.c.run == outcomes.c.run, cases.c.outcome == outcomes.c.number)
    return cases.join(outcomes, same)


def _cases(
    connection: sa.Connection, wanted: Wanted, *conditions: sa.ColumnElement[bool]
) -> tuple[Sighting, ...]:
    columns = (cases.c.name, cases.c.verdict, cases.c.seconds, cases.c.reason)
    asked = (
        sa.select(runs.c.id, runs.c.started, outcomes.c.subject, *columns)
        .select_from(_joined().join(runs, runs.c.id == cases.c.run))
        .where(*conditions, outcomes.c.subject.not_like(_POINTS), runs.c.id.in_(chosen.ids(wanted)))
        .order_by(runs.c.started, cases.c.outcome, cases.c.number)
    )
    return _sightings(connection, connection.execute(asked).all())


def _subjects(connection: sa.Connection, name: str, wanted: Wanted) -> tuple[Sighting, ...]:
    columns = (outcomes.c.subject, sa.literal("").label("name"), outcomes.c.judged.label("verdict"))
    asked = (
        sa.select(runs.c.id, runs.c.started, *columns, outcomes.c.seconds, outcomes.c.reason)
        .select_from(outcomes.join(runs, runs.c.id == outcomes.c.run))
        .where(
            sa.or_(outcomes.c.subject == name, outcomes.c.stage == name),
            runs.c.id.in_(chosen.ids(wanted)),
        )
        .order_by(runs.c.started, outcomes.c.number)
    )
    return _sightings(connection, connection.execute(asked).all())


def _sightings(
    connection: sa.Connection, rows: Sequence[sa.Row[*tuple[Any, ...]]]
) -> tuple[Sighting, ...]:
    said: dict[str, dict[str, str]] = {}
    made_with = sa.select(facts).where(facts.c.run.in_({row.id for row in rows}))
    for fact in connection.execute(made_with):
        said.setdefault(fact.run, {})[fact.name] = fact.value
    return tuple(
        Sighting(
            row.id,
            row.started,
            row.subject,
            row.name,
            Verdict(row.verdict),
            row.seconds,
            row.reason,
            said.get(row.id, {}),
        )
        for row in rows
    )
