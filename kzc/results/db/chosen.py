# SPDX-License-Identifier: GPL-2.0-only
"""The runs that somebody wants, as a selection of their ids."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import sqlalchemy as sa

from kzc.results.db.schema import Exact, facts, outcomes, runs
from kzc.results.verdicts import verdict_word
from kzc.results.wanted import Wanted
from kzc.values import Run, Stage

_ENDS = ("pair", "nested")


def ids(wanted: Wanted) -> sa.Select[tuple[str]]:
    """Ids of the wanted runs by all but their verdict; at most `last` unless that is asked for."""
    chosen = sa.select(runs.c.id)
    for condition in (_tree(wanted.tree), _series(wanted.series)):
        if condition is not None:
            chosen = chosen.where(runs.c.id.in_(sa.select(facts.c.run).where(condition)))
    if wanted.suite or wanted.topology:
        chosen = chosen.where(runs.c.id.in_(sa.select(outcomes.c.run).where(*_tests(wanted))))
    if wanted.last and not wanted.verdict:
        # PostgreSQL and SQLite take a limit inside IN, where it is a selection of its own
        newest = chosen.order_by(runs.c.started.desc(), runs.c.id.desc()).limit(wanted.last)
        return sa.select(newest.subquery().c.id)
    return chosen


def known(connection: sa.Connection) -> Mapping[str, Sequence[str]]:
    """By fields of `Wanted`, each value that was kept, once."""
    asked = {
        "tree": sa.select(facts.c.value).where(facts.c.name == "tree"),
        "series": sa.select(facts.c.value).where(facts.c.name == "series"),
        "suite": sa.select(outcomes.c.subject).where(outcomes.c.stage == Stage.TEST.value),
        "verdict": sa.select(outcomes.c.judged),
    }
    return {name: connection.scalars(each.distinct()).all() for name, each in asked.items()}


def by_verdict(found: Sequence[Run], wanted: Wanted) -> tuple[Run, ...]:
    """Those of the verdict that is wanted, at most `last`."""
    if wanted.verdict:
        words = {wanted.verdict, wanted.verdict.replace(" ", "_").lower()}
        found = [run for run in found if words & {_word(run), verdict_word(run)}]
    return tuple(found[: wanted.last] if wanted.last else found)


def _word(run: Run) -> str:
    return verdict_word(run) if run.finished else "unfinished"


def _tree(tree: str) -> sa.ColumnElement[bool] | None:
    if not tree:
        return None
    value, name = facts.c.value, facts.c.name
    shown = _listed(f", {tree}, ", f", {tree} (", f" ({tree}), ")
    same = value.startswith(tree, autoescape=True) if len(tree) > 6 else value == tree
    return sa.or_(sa.and_(name == "tree", shown), sa.and_(name.in_(("tree_id", "commit")), same))


def _series(series: str) -> sa.ColumnElement[bool] | None:
    if not series:
        return None
    key = facts.c.value.startswith(series, autoescape=True)
    by_key = sa.and_(facts.c.name == "series_key", key, sa.literal(len(series) > 6))
    return sa.or_(by_key, sa.and_(facts.c.name == "series", _listed(f", {series}, ")))


def _listed(*parts: str) -> sa.ColumnElement[bool]:
    """Whether a fact has one of these in it; a run over several trees or series lists them."""
    comma = sa.literal(", ")
    whole = sa.type_coerce(comma.concat(facts.c.value).concat(comma), Exact())
    return sa.or_(*(whole.contains(part, autoescape=True) for part in parts))


def _tests(wanted: Wanted) -> list[sa.ColumnElement[bool]]:
    subject = outcomes.c.subject
    found: list[sa.ColumnElement[bool]] = [outcomes.c.stage.in_((Stage.TEST.value, "bench"))]
    if wanted.suite:
        longer = subject.startswith(f"{wanted.suite} ", autoescape=True)
        found.append(sa.or_(subject == wanted.suite, longer))
    if wanted.topology:
        ends = {word: subject.contains(f" {word}", autoescape=True) for word in _ENDS}
        word = wanted.topology
        found.append(ends[word] if word in ends else sa.not_(sa.or_(*ends.values())))
    return found
