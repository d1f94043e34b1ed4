# SPDX-License-Identifier: GPL-2.0-only
"""The noisy search: what it names, what it spends, and that evidence alone decides.

How often it is right and near which bound over many random series is bench/search.py's.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace

import pytest

from kzc.errors import UsageError
from kzc.jobs.bisection.belief import Evidence, Goal, Tally, believe, blocks_of
from kzc.jobs.bisection.search import Answer, Ending, informations, next_point

GOAL = Goal()


def play(
    start: Evidence, fails: Callable[[int], bool], goal: Goal = GOAL
) -> tuple[Answer, Evidence]:
    """Search to the end; a point that is excluded is never asked for."""
    evidence = start
    while True:
        step = next_point(evidence, goal)
        if isinstance(step, Answer):
            return step, evidence
        assert step not in evidence.excluded
        seen = Tally(bad=1) if fails(step) else Tally(good=1)
        more = {**evidence.tallies, step: evidence.tallies.get(step, Tally()) + seen}
        evidence = replace(evidence, tallies=more)


def flaky(
    noise: random.Random, bad: int, rate: float, false_rate: float = 0.0
) -> Callable[[int], bool]:
    """Kernels from `bad` on fail at that rate, those before at the false one."""
    return lambda point: noise.random() < (rate if point >= bad else false_rate)


@pytest.mark.parametrize("patches", [1, 2, 3, 6, 17])
def test_what_always_fails_is_found_wherever_it_is(patches: int) -> None:
    for bad in range(1, patches + 1, 1 + patches // 6):
        answer, evidence = play(Evidence(patches), flaky(random.Random(0), bad, 1.0))
        assert (answer.ending, answer.first, answer.last) == (Ending.FOUND, bad, bad)
        assert answer.confidence >= 0.99
        assert evidence.runs <= 25


def test_the_ends_come_first() -> None:
    assert next_point(Evidence(9), GOAL) == 9
    assert next_point(Evidence(9, {9: Tally(good=4)}), GOAL) == 9
    assert next_point(Evidence(9, {9: Tally(good=4, bad=1)}), GOAL) == 0
    assert next_point(Evidence(9, {9: Tally(bad=1), 0: Tally(good=1)}), GOAL) not in {0, 9}


def test_what_fails_now_and_then_is_found() -> None:
    noise = random.Random(1)
    right = 0
    for bad in range(2, 25, 3):
        answer, _ = play(Evidence(24), flaky(noise, bad, 0.3))
        right += answer.first == answer.last == bad
    assert right == 8


def test_a_rate_that_is_told_saves_runs() -> None:
    def spent(goal: Goal) -> int:
        noise = random.Random(2)
        return sum(
            play(Evidence(6), flaky(noise, bad, 0.3), goal)[1].runs for bad in (1, 2, 3, 4, 5, 6)
        )

    assert spent(Goal(rate=0.3)) < 0.85 * spent(GOAL)


def test_a_base_that_fails_already_is_said() -> None:
    answer, evidence = play(Evidence(6), lambda _: True)
    assert answer.ending is Ending.BASE_BAD
    assert evidence.runs == 2
    noise = random.Random(3)
    endings = [play(Evidence(6), flaky(noise, 0, 0.4))[0].ending for _ in range(20)]
    assert endings.count(Ending.BASE_BAD) >= 19


def test_what_does_not_fail_is_given_up_by_the_smallest_rate() -> None:
    answer, evidence = play(Evidence(6), lambda _: False)
    assert answer.ending is Ending.NOT_REPRODUCED
    assert set(evidence.tallies) == {6}
    # a fault of that rate would have hidden once in a thousand times
    assert 0.95**evidence.runs <= 0.001 < 0.95 ** (evidence.runs - 1)
    _, fewer = play(Evidence(6), lambda _: False, Goal(rate_min=0.5))
    assert fewer.runs == 10


def test_a_cap_ends_it_with_the_likeliest() -> None:
    answer, evidence = play(Evidence(6), lambda point: point >= 3, Goal(cap=6))
    assert answer.ending is Ending.UNDECIDED
    assert evidence.runs == 6
    assert (answer.first, answer.last) == (3, 3)
    assert answer.confidence < 0.99


def test_runs_that_said_nothing_count_against_the_cap() -> None:
    answer = next_point(Evidence(6, skipped=1000), GOAL)
    assert isinstance(answer, Answer)
    assert answer.ending is Ending.UNDECIDED


def test_points_that_say_nothing_leave_a_range() -> None:
    start = Evidence(6, excluded=frozenset({2, 3}))
    answer, _ = play(start, lambda point: point >= 3)
    assert (answer.ending, answer.first, answer.last) == (Ending.FOUND, 2, 4)
    answer, _ = play(start, lambda point: point >= 5)
    assert (answer.first, answer.last) == (5, 5)


@pytest.mark.parametrize(
    ("excluded", "why"), [({0}, "the base cannot"), ({6}, "the last patch cannot")]
)
def test_an_end_that_says_nothing_leaves_it_undecided(excluded: set[int], why: str) -> None:
    answer = next_point(Evidence(6, excluded=frozenset(excluded)), GOAL)
    assert isinstance(answer, Answer)
    assert answer.ending is Ending.UNDECIDED
    assert answer.why.startswith(why)


def test_points_with_one_image_share_their_runs() -> None:
    images = {0: "a", 1: "b", 2: "b", 3: "c", 4: "c"}
    tallies = {1: Tally(good=2), 2: Tally(good=3), 4: Tally(bad=1)}
    blocks = blocks_of(Evidence(4, tallies, images=images))
    assert [(b.first, b.last, b.tally) for b in blocks] == [
        (0, 0, Tally()),
        (1, 2, Tally(good=5)),
        (3, 4, Tally(bad=1)),
    ]
    answer, evidence = play(Evidence(4, images=images), lambda point: point >= 3)
    assert (answer.first, answer.last) == (3, 3)
    assert 2 not in evidence.tallies


def test_what_is_done_and_undone_is_one_point() -> None:
    images = {0: "a", 1: "b", 2: "c", 3: "b", 4: "d"}
    assert [(b.first, b.last) for b in blocks_of(Evidence(4, images=images))] == [
        (0, 0),
        (1, 3),
        (4, 4),
    ]


def test_two_ends_of_one_image_are_no_search() -> None:
    answer = next_point(Evidence(3, images={0: "a", 3: "a"}), GOAL)
    assert isinstance(answer, Answer)
    assert "same image" in answer.why


def test_the_order_of_runs_says_nothing() -> None:
    tallies = {9: Tally(1, 2), 0: Tally(3, 0), 4: Tally(5, 0), 6: Tally(2, 1)}
    turned = dict(reversed(tallies.items()))
    assert next_point(Evidence(9, tallies), GOAL) == next_point(Evidence(9, turned), GOAL)
    assert believe(Evidence(9, tallies), GOAL) == believe(Evidence(9, turned), GOAL)


def test_belief_is_bayes_rule() -> None:
    # of one patch: the base is bad (0.1), the patch is (0.85), or nothing (0.05)
    belief = believe(Evidence(1, {0: Tally(good=2), 1: Tally(good=1, bad=1)}), Goal(rate=0.5))
    base, patch = 0.1 * 0.5**4, 0.85 * 0.5**2
    assert belief.weights == pytest.approx((base / (base + patch), patch / (base + patch), 0.0))
    assert belief.rate == pytest.approx(0.5)


def test_a_run_that_can_say_nothing_is_worth_nothing() -> None:
    tallies = {0: Tally(good=50), 2: Tally(bad=3), 4: Tally(bad=3)}
    gains = informations(believe(Evidence(4, tallies), Goal(rate=1.0)), 0.0)
    assert gains == pytest.approx((0, 1, 0, 0, 0), abs=1e-6)


@pytest.mark.parametrize("goal", [Goal(rate=1.0), Goal(rate_min=1.0)])
def test_who_says_always_and_is_wrong_gets_an_answer(goal: Goal) -> None:
    tallies = {6: Tally(bad=1, good=1), 0: Tally(good=1), 3: Tally(bad=1), 4: Tally(good=2)}
    answer, _ = play(Evidence(6, tallies), lambda point: point >= 3, goal)
    assert (answer.first, answer.last) == (3, 3)


def test_with_false_alarms_one_failure_of_the_base_is_no_answer() -> None:
    goal = Goal(rate_min=0.5, false_rate=0.05)
    step = next_point(Evidence(4, {4: Tally(bad=3), 0: Tally(bad=1, good=4)}), goal)
    assert isinstance(step, int)
    noise = random.Random(4)
    right = 0
    for bad in (1, 2, 3, 4) * 5:
        answer, _ = play(Evidence(4), flaky(noise, bad, 0.9, 0.05), goal)
        right += answer.first == answer.last == bad
    assert right >= 19


@pytest.mark.parametrize(
    "values",
    [
        {"confidence": 0.5},
        {"confidence": 1.0},
        {"rate_min": 0.0},
        {"rate": 1.5},
        {"rate_min": 0.1, "false_rate": 0.1},
    ],
)
def test_a_goal_that_makes_no_sense_is_refused(values: dict[str, float]) -> None:
    with pytest.raises(UsageError):
        Goal(**values)  # type: ignore[arg-type]
