# SPDX-License-Identifier: GPL-2.0-only
"""The two sides of `kzc compare` where they are runs: which runs two words mean, with others of
the same make."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from kzc.errors import UsageError
from kzc.results.past import alike
from kzc.results.sidebyside import Row, fitting, side_by_side, suites_of, tested
from kzc.results.store import Store
from kzc.results.wanted import Wanted
from kzc.values import Case, Outcome, Run, Stage

TOPOLOGIES = ("loopback", "pair", "nested")
_DIRECTION = re.compile(r"(H2G|G2H)/")


@dataclass(frozen=True)
class Runs:
    """Two runs and what became of their cases."""

    old: Run
    new: Run
    rows: tuple[Row, ...]


def of_runs(store: Store, old: Run, new: Run, last: int) -> Runs:
    """Two runs, each with the last ones that were made of the same, `last` in all."""
    before, after = (others(store, run, last) for run in (old, new))
    return Runs(old, new, side_by_side(old, new, before, after))


def others(store: Store, run: Run, last: int) -> tuple[Run, ...]:
    """At most `last` - 1 other finished runs made of the same as the run, the newest first."""
    same = (each for each in alike(run, store.list()) if tested(each))
    return tuple(store.load(each.id) for each, _ in zip(same, range(last - 1), strict=False))


def of_trees(store: Store, old: str, new: str, wanted: Wanted) -> Runs:
    """The newest runs on two trees, of the same series and profile where there are such."""
    lists = [store.list(replace(wanted, tree=tree, last=0)) for tree in (old, new)]
    found = _loaded(store, (old, new), fitting(lists[0], lists[1], ("series_key", "profile")))
    return of_runs(store, *found, wanted.last)


def of_topologies(store: Store, old: str, new: str, wanted: Wanted) -> Runs:
    """The newest tests in two topologies, of the same kernel where there are such."""
    lists = [store.list(replace(wanted, topology=word, last=0)) for word in (old, new)]
    found = fitting(lists[0], lists[1], ("tree_id", "series_key", "profile"), _suites)
    whole = _loaded(store, (old, new), found)
    merged = "loopback" in (old, new) and old != new
    sides = []
    for word, run in zip((old, new), whole, strict=True):
        same = (run, *others(store, run, wanted.last))
        sides.append([_only(each, word, merged) for each in same])
    (then, *before), (now, *after) = sides
    return Runs(then, now, side_by_side(then, now, before, after))


def _loaded(
    store: Store, names: tuple[str, str], found: tuple[Run | None, Run | None]
) -> tuple[Run, Run]:
    for name, run in zip(names, found, strict=True):
        if run is None:
            raise UsageError(
                f"no complete run with tests is of {name}", "`kzc runs` shows what was run"
            )
    old, new = found
    assert old is not None
    assert new is not None
    return store.load(old.id), store.load(new.id)


def _suites(run: Run) -> set[str]:
    """What it tested, called alike in all topologies."""
    words = (name.split() for name in suites_of(run))
    return {" ".join(word for word in name if word not in TOPOLOGIES) for name in words}


def _only(run: Run, topology: str, merged: bool) -> Run:
    """The run with its tests in one topology, called alike in all of them; `merged`: both
    directions of two ends are one case."""
    found = [
        _renamed(each, topology, merged)
        for each in run.outcomes
        if each.stage is Stage.TEST and _topology(each) == topology
    ]
    return replace(run, outcomes=tuple(found))


def _topology(outcome: Outcome) -> str:
    said = outcome.detail.get("topology")
    if said in TOPOLOGIES:
        return str(said)
    words = outcome.subject.split()
    return next((word for word in TOPOLOGIES if word in words), "loopback")


def _renamed(outcome: Outcome, topology: str, merged: bool) -> Outcome:
    subject = outcome.subject.replace(f" {topology}", "", 1)
    cases = outcome.cases
    if merged:
        cases = tuple(_undirected(case) for case in cases)
    return replace(outcome, subject=subject, cases=cases)


def _undirected(case: Case) -> Case:
    return replace(case, name=_DIRECTION.sub("", case.name, count=1))
