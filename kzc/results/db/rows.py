# SPDX-License-Identifier: GPL-2.0-only
"""Runs as rows and back. Every function does its part in the transaction it is given.

What is read equals what was written as far as codec.py promises it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from itertools import groupby
from typing import Any

import sqlalchemy as sa

from kzc.errors import HostError
from kzc.results.codec import (
    header_from_json,
    header_to_json,
    outcome_from_json,
    outcome_to_json,
)
from kzc.results.db.schema import cases, facts, outcomes, runs
from kzc.results.verdicts import judge
from kzc.values import Outcome, Run

_HEADER = ("id", "started", "finished", "kzc", "command")


def add_run(connection: sa.Connection, run: Run) -> None:
    """A run with all its outcomes. Raises IntegrityError where there is one of that id."""
    header = header_to_json(run)
    connection.execute(sa.insert(runs).values({name: header[name] for name in _HEADER}))
    add_facts(connection, run.id, run.environment)
    for number, outcome in enumerate(run.outcomes):
        add_outcome(connection, run.id, number, outcome)


def add_facts(connection: sa.Connection, run: str, said: Mapping[str, str]) -> None:
    """What a run was made with, in place of what was said of it under these names."""
    if said:
        names = [str(name) for name in said]
        connection.execute(
            sa.delete(facts).where(facts.c.run == run, facts.c.name.in_(names)),
        )
        connection.execute(
            sa.insert(facts),
            [{"run": run, "name": str(name), "value": str(value)} for name, value in said.items()],
        )


def add_outcome(connection: sa.Connection, run: str, number: int, outcome: Outcome) -> None:
    """The `number`-th outcome of a run, with its cases."""
    row = outcome_to_json(outcome)
    found = row.pop("cases")
    row |= {"seconds": row["seconds"] or 0.0, "judged": judge(outcome).value}
    connection.execute(sa.insert(outcomes).values(run=run, number=number, **row))
    if found:
        keys = {"run": run, "outcome": number}
        connection.execute(
            sa.insert(cases),
            [
                {**case, "seconds": case["seconds"] or 0.0, **keys, "number": at}
                for at, case in enumerate(found)
            ],
        )


def finish(connection: sa.Connection, run: str, when: str) -> None:
    """Say that a run is complete."""
    connection.execute(sa.update(runs).where(runs.c.id == run).values(finished=when))


def ids(connection: sa.Connection) -> tuple[str, ...]:
    """All runs, the newest first."""
    ordered = sa.select(runs.c.id).order_by(runs.c.started.desc(), runs.c.id.desc())
    return tuple(connection.execute(ordered).scalars())


def read_run(connection: sa.Connection, run: str) -> Run | None:
    """A whole run; None where there is none of that id. Raises HostError where a newer kzc has
    written what this one does not know."""
    header = connection.execute(sa.select(runs).where(runs.c.id == run)).mappings().first()
    if header is None:
        return None
    by_outcome = sa.select(cases).where(cases.c.run == run)
    ordered = by_outcome.order_by(cases.c.outcome, cases.c.number)
    found = _grouped(connection.execute(ordered).mappings(), "outcome")
    wanted = sa.select(outcomes).where(outcomes.c.run == run).order_by(outcomes.c.number)
    try:
        whole = [
            outcome_from_json({**row, "cases": found.get(row["number"], ())})
            for row in connection.execute(wanted).mappings()
        ]
    except ValueError as error:
        raise HostError(f"run {run}: {error}", "a newer kzc wrote it: install that") from error
    said = sa.select(facts.c.name, facts.c.value).where(facts.c.run == run).order_by(facts.c.name)
    environment = {row.name: row.value for row in connection.execute(said)}
    return header_from_json({**header, "environment": environment}, tuple(whole))


def read_heads(connection: sa.Connection, chosen: sa.Select[tuple[str]]) -> tuple[Run, ...]:
    """The runs whose ids `chosen` selects, newest first, without cases and detail; the verdicts of
    cases are folded into their outcomes'. One that a newer kzc wrote with words of its own is left
    out."""
    wanted = sa.select(runs).where(runs.c.id.in_(chosen))
    headers = connection.execute(wanted.order_by(runs.c.started.desc(), runs.c.id.desc()))
    said = sa.select(facts).where(facts.c.run.in_(chosen)).order_by(facts.c.run, facts.c.name)
    environments = _grouped(connection.execute(said).mappings(), "run")
    columns = [column for column in outcomes.c if column is not outcomes.c.detail]
    heads = sa.select(*columns).where(outcomes.c.run.in_(chosen))
    ordered = heads.order_by(outcomes.c.run, outcomes.c.number)
    found = _grouped(connection.execute(ordered).mappings(), "run")
    whole = []
    for header in headers.mappings():
        environment = {fact["name"]: fact["value"] for fact in environments.get(header["id"], ())}
        with suppress(ValueError):  # a newer kzc's
            steps = tuple(_head(row) for row in found.get(header["id"], ()))
            whole.append(header_from_json({**header, "environment": environment}, steps))
    return tuple(whole)


def _head(row: Mapping[str, Any]) -> Outcome:
    return outcome_from_json({**row, "verdict": row["judged"], "detail": {}, "cases": ()})


def _grouped(
    rows: Iterable[Mapping[Any, Any]], key: str
) -> Mapping[Any, Sequence[Mapping[Any, Any]]]:
    """Rows by the value under a key, by which they are ordered."""
    return {value: list(same) for value, same in groupby(rows, lambda row: row[key])}
