# SPDX-License-Identifier: GPL-2.0-only
"""What got slower is said only where samples tell it from chance; what is flaky did not regress."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from kzc.results.pace import paces_of
from kzc.results.sidebyside import Change, Rate, regressed, side_by_side, slowed
from kzc.results.sidebyside_report import as_object, markdown, table
from kzc.values import Case, Outcome, Run, Stage, Verdict

KVM = {"accelerator": "kvm", "machine": "m", "profile": "default"}
PASS, FAIL, INFRA, SKIP = Verdict.PASS, Verdict.FAIL, Verdict.INFRA, Verdict.SKIP


def run(
    details: Sequence[Mapping[str, Any]], facts: Mapping[str, str] = KVM, name: str = "r"
) -> Run:
    cases = tuple(Case("perf", PASS, detail=detail) for detail in details)
    return Run(name, "s", (), "0", facts, (Outcome(Stage.TEST, "vsock", PASS, cases=cases),), "f")


def around(middle: float, number: int = 10, spread: float = 0.02) -> list[float]:
    chance = random.Random(middle)
    return [middle * (1 + chance.uniform(-spread, spread)) for _ in range(number)]


def word(old: Run | Sequence[Run], new: Run | Sequence[Run]) -> list[tuple[str, str]]:
    sides = [[side] if isinstance(side, Run) else side for side in (old, new)]
    found = paces_of(*sides).get(("vsock", "perf"), ())
    return [(pace.name, pace.word) for pace in found]


def test_a_rate_is_better_large_and_a_time_small() -> None:
    old = run([{"tx": around(10.0), "seconds": around(3.0), "bytes": around(5.0)}])
    new = run([{"tx": around(9.0), "seconds": around(2.5), "bytes": around(9.0)}])
    assert word(old, new) == [("tx", "slower"), ("seconds", "faster")]
    assert word(new, old) == [("tx", "faster"), ("seconds", "slower")]
    assert word(old, old) == []


def test_chance_and_few_samples_claim_nothing() -> None:
    assert word(run([{"tx": around(10.0)}]), run([{"tx": around(10.01)}])) == []
    assert word(run([{"tx": [10, 10.1, 10.2]}]), run([{"tx": [5, 5.1, 5.2]}])) == []


def test_samples_are_those_of_all_runs_and_rounds() -> None:
    old = [run([{"tx": each}]) for each in around(10.0)]
    assert word(old, [run([{"tx": each} for each in around(12.0)])]) == [("tx", "faster")]


@pytest.mark.parametrize(
    ("facts", "clock", "claimed"),
    [
        (KVM, {}, True),
        ({**KVM, "accelerator": "tcg: no KVM"}, {}, False),
        ({**KVM, "accelerator": "tcg"}, {"clock": "instructions"}, True),
        ({**KVM, "accelerator": "tcg"}, {"clock": "wall"}, False),
        ({}, {}, False),
    ],
)
def test_wall_time_under_emulation_is_no_figure(
    facts: Mapping[str, str], clock: Mapping[str, str], claimed: bool
) -> None:
    sides = [run([{"tx": around(middle), **clock}], facts) for middle in (10.0, 5.0)]
    assert bool(word(*sides)) is claimed


def test_figures_of_two_machines_or_clocks_are_not_compared() -> None:
    old, new = [{"tx": around(10.0)}], [{"tx": around(5.0)}]
    assert word(run(old), run(new, {**KVM, "machine": "another"})) == []
    assert word(run(old), run([{**new[0], "clock": "instructions"}])) == []


def verdicts(*found: Verdict) -> list[Run]:
    return [
        Run(f"r{at}", "s", (), "0", {}, (Outcome(Stage.TEST, "vsock", PASS, cases=(case,)),), "f")
        for at, case in enumerate(Case("one", verdict) for verdict in found)
    ]


@pytest.mark.parametrize(
    ("old", "new", "change"),
    [
        ((PASS,), (FAIL,), Change.REGRESSED),
        ((PASS, PASS), (FAIL, PASS), Change.REGRESSED),
        ((PASS, INFRA, SKIP), (FAIL,), Change.REGRESSED),
        ((PASS, FAIL), (FAIL,), Change.FLAKY),
        ((FAIL, PASS), (PASS, PASS), Change.FLAKY),
        ((FAIL, FAIL), (PASS, FAIL), Change.FLAKY),
        ((FAIL, FAIL), (PASS, PASS), Change.FIXED),
    ],
)
def test_what_failed_now_and_then_did_not_regress(
    old: tuple[Verdict, ...], new: tuple[Verdict, ...], change: Change
) -> None:
    (then, *before), (now, *after) = verdicts(*old), verdicts(*new)
    rows = side_by_side(then, now, before, after)
    assert [row.change for row in rows] == [change]
    assert regressed(rows) is (change is Change.REGRESSED)


def test_rates_and_paces_are_shown() -> None:
    (then, *before), (now, *after) = verdicts(PASS, FAIL, INFRA), verdicts(FAIL, FAIL, FAIL)
    rows = side_by_side(then, now, before, after)
    assert rows[0].rates == (Rate(1, 2), Rate(3, 3))
    assert "bad in 1 of 2 runs, now in 3 of 3" in markdown(then, now, rows)
    old, new = run([{"tx": around(10.0)}]), run([{"tx": around(5.0)}])
    rows = side_by_side(old, new)
    assert "1 slower" in markdown(old, new, rows)
    assert "slower: tx" in markdown(old, new, rows)
    assert table(old, new, rows)
    assert as_object(old, new, rows)["rows"][0]["paces"][0]["word"] == "slower"


def test_slower_by_more_than_is_tolerated() -> None:
    old, new = run([{"tx": around(10.0)}]), run([{"tx": around(9.0)}])
    rows = side_by_side(old, new)
    assert slowed(rows, 5)
    assert not slowed(rows, 15)
    assert not slowed(side_by_side(new, old), 5)
