# SPDX-License-Identifier: GPL-2.0-only
"""The past of a case: how often it was bad, since when, and where it is looked for."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from kzc.errors import UsageError
from kzc.results.browse import choices
from kzc.results.past import Past, Sighting, pasts
from kzc.results.store import Store
from kzc.results.wanted import Wanted
from kzc.values import Case, Outcome, Stage, Verdict

PASS, FAIL, SKIP, INFRA = Verdict.PASS, Verdict.FAIL, Verdict.SKIP, Verdict.INFRA


def past(*verdicts: Verdict, trees: str = "") -> Past:
    """One sighting a verdict, on the tree whose letter stands at its place."""
    letters = trees or "a" * len(verdicts)
    return pasts(
        Sighting(f"r{at}", f"{at:03}", "vsock", "one", verdict, facts={"tree_id": letters[at]})
        for at, verdict in enumerate(verdicts)
    )[0]


@pytest.mark.parametrize(
    ("found", "rate", "flaky", "first_bad", "lasting"),
    [
        (past(PASS, PASS), 0.0, False, None, False),
        (past(SKIP, INFRA, Verdict.NOT_RUN), None, False, None, False),
        (past(PASS, FAIL, FAIL, trees="abc"), 2 / 3, False, "r1", True),
        (past(FAIL, PASS, FAIL, trees="abc"), 2 / 3, False, "r2", True),
        (past(PASS, FAIL, PASS), 1 / 3, True, "r1", False),
        (past(PASS, INFRA, FAIL, SKIP), 1 / 2, True, "r2", True),
        (past(FAIL, PASS, trees="ab"), 1 / 2, False, "r0", False),
    ],
)
def test_what_a_past_says(
    found: Past, rate: float | None, flaky: bool, first_bad: str | None, lasting: bool
) -> None:
    assert found.rate == rate
    assert found.flaky is flaky
    assert (found.first_bad.run if found.first_bad else None) == first_bad
    assert found.lasting is lasting


def ticking() -> Iterator[datetime]:
    now = datetime(2026, 11, 21, tzinfo=UTC)
    while True:
        yield now
        now += timedelta(hours=1)


@pytest.fixture
def store(tmp_path: Path, db: str) -> Store:
    """Four runs on two trees; `odd` fails in the last two, on the second tree."""
    clock = ticking()
    store = Store(tmp_path, db, clock=lambda: next(clock))
    for at, tree in enumerate(("6.12 (6.12.117)", "6.12 (6.12.117)", "7.3 (7.3.4)", "7.3 (7.3.4)")):
        facts = {"tree": tree, "tree_id": f"{at // 2}" * 40, "series": "s", "series_key": "k" * 64}
        verdict = FAIL if at > 1 else PASS
        with store.create(("kzc", "run"), facts, "0") as run:
            cases = (Case("100%_odd\\\x00\udc80", verdict, 1.5, "it\x1b said"), Case("even", PASS))
            run.append(Outcome(Stage.BOOT, "mini guest", PASS))
            run.append(Outcome(Stage.TEST, "vsock", PASS, cases=cases))
            nested = Outcome(Stage.TEST, "vsock nested", PASS, cases=(Case("even", FAIL),))
            if at == 3:
                run.append(nested)
    return store


def test_a_case_is_found_by_its_name_as_a_suite_and_a_stage_are(store: Store) -> None:
    odd = "100%_odd\\\x00\udc80"
    (found,) = store.past(odd)
    assert [each.verdict for each in found.seen] == [PASS, PASS, FAIL, FAIL]
    assert [each.started for each in found.seen] == sorted(each.started for each in found.seen)
    assert (found.seen[2].reason, found.seen[2].seconds) == ("it\x1b said", 1.5)
    assert found.first_bad is not None
    assert found.first_bad.facts["tree"] == "7.3 (7.3.4)"
    assert store.past(f"vsock:{odd}") == (found,)
    assert [each.subject for each in store.past("even")] == ["vsock", "vsock nested"]
    assert len(store.past("vsock:even")) == 2
    assert len(store.past(odd, Wanted(tree="7.3", last=1))[0].seen) == 1
    assert [each.verdict for each in store.past("vsock")[0].seen] == [PASS, PASS, FAIL, FAIL]
    assert len(store.past("boot")[0].seen) == 4


def test_what_was_never_seen_names_near_ones(store: Store) -> None:
    for name, near in (("vsock:eve", "vsock:even"), ("evven", "vsock:even"), ("", "kzc runs")):
        with pytest.raises(UsageError, match="no run has a case") as caught:
            store.past(name)
        assert near in caught.value.hint


def test_runs_are_chosen(store: Store) -> None:
    for wanted, number in (
        (Wanted(), 4),
        (Wanted(last=3), 3),
        (Wanted(tree="6.12"), 2),
        (Wanted(tree="7.3.4"), 2),
        (Wanted(tree="1111111"), 2),
        (Wanted(tree="6._2"), 0),
        (Wanted(series="s"), 4),
        (Wanted(series="kkkkkkkkkk"), 4),
        (Wanted(series="k"), 0),
        (Wanted(suite="vsock"), 4),
        (Wanted(suite="vso"), 0),
        (Wanted(topology="nested"), 1),
        (Wanted(topology="pair"), 0),
        (Wanted(verdict="fail"), 2),
        (Wanted(verdict="fail", last=1, tree="7.3"), 1),
        (Wanted(verdict="unfinished"), 0),
    ):
        found = [run.started for run in store.list(wanted)]
        assert len(found) == number, wanted
        assert found == sorted(found, reverse=True)


def test_a_run_over_several_trees_is_found_by_each(store: Store) -> None:
    facts = {"tree": "6.12 (6.12.117), 5.15, 6.1 (6.1.192)", "series": "s, of two words\\"}
    with store.create(("kzc", "ci"), facts, "0") as run:
        run.append(Outcome(Stage.TEST, "vsock", SKIP))
    for wanted, number in (
        (Wanted(tree="6.12"), 3),
        (Wanted(tree="5.15"), 1),
        (Wanted(tree="6.1.192"), 1),
        (Wanted(tree="5"), 0),
        (Wanted(tree="6.12.117, 5.15"), 0),
        (Wanted(series="s"), 5),
        (Wanted(series="of two words\\"), 1),
        (Wanted(series="of"), 0),
    ):
        assert len(store.list(wanted)) == number, wanted


def test_each_choice_finds_the_runs_it_is_of(store: Store) -> None:
    facts = {"tree": "6.12 (6.12.117), 6.1", "series": "a, \\b"}
    with store.create(("kzc", "ci"), facts, "0") as run:
        run.append(Outcome(Stage.TEST, "zc_fuzz nested", Verdict.NOT_RUN))
    offered = choices(store.known())
    numbers = {
        "tree": [len(store.list(Wanted(tree=word))) for word in offered["tree"]],
        "series": [len(store.list(Wanted(series=word))) for word in offered["series"]],
        "suite": [len(store.list(Wanted(suite=word))) for word in offered["suite"]],
        "verdict": [len(store.list(Wanted(verdict=word))) for word in offered["verdict"]],
    }
    found = {name: dict(zip(offered[name], numbers[name], strict=True)) for name in offered}
    assert found == {
        "tree": {"6.1": 1, "6.12": 3, "7.3": 2},
        "series": {"\\b": 1, "a": 1, "s": 4},
        "suite": {"vsock": 4, "zc_fuzz": 1},
        "verdict": {"fail": 2, "not run": 1, "pass": 2, "not clean": 0, "unfinished": 0},
    }
