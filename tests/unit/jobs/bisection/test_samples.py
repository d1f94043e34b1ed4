# SPDX-License-Identifier: GPL-2.0-only
"""A bisection of what was measured, not of verdicts: a sample that gets worse."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from kzc.jobs.bisection.belief import Goal
from kzc.jobs.bisection.drive import Found, scan
from kzc.jobs.bisection.observations import (
    Log,
    Observation,
    evidence_of,
)
from kzc.jobs.bisection.search import Answer, Ending
from kzc.jobs.bisection.sightings import Seen, Sighting, Sought, Worse
from tests.unit.jobs.bisection.machine import (
    QUESTION,
    Machine,
    nothing,
    searched,
)


def measured(values: Sequence[tuple[int, float]]) -> tuple[Observation, ...]:
    return tuple(
        Observation(point, "", Sighting(Seen.MEASURED, value=value)) for point, value in values
    )


def test_a_sample_is_held_against_the_median_of_the_base() -> None:
    smaller = replace(QUESTION, sought=Sought("vsock", worse=Worse("tx", 10)))
    larger = replace(QUESTION, sought=Sought("vsock", worse=Worse("seconds", 10, up=True)))
    runs = measured([(0, 10), (0, 9.8), (0, 20), (6, 8.9), (6, 9.1), (6, 11.1)])
    down, up = evidence_of(smaller, runs).tallies, evidence_of(larger, runs).tallies
    assert (down[0].bad, down[6].bad, down[6].good) == (0, 1, 2)
    assert (up[0].bad, up[6].bad, up[6].good) == (1, 1, 2)


def test_a_benchmark_that_got_slower_is_found(tmp_path: Path) -> None:
    noise = random.Random(3)
    question = replace(
        QUESTION,
        sought=Sought("vsock", worse=Worse("tx", 10)),
        goal=Goal(rate_min=0.5, false_rate=0.05),
    )

    def shows(point: int) -> Sighting:
        return Sighting(Seen.MEASURED, value=noise.gauss(8 if point >= 5 else 10, 0.3))

    machine = Machine(shows)
    found = searched(tmp_path, machine, question)
    assert machine.ran[:5] == [0] * 5
    assert [patch.number for patch in found.culprits] == [5]


def test_a_base_that_moves_as_much_as_is_asked_is_said() -> None:
    question = replace(QUESTION, sought=Sought("vsock", worse=Worse("rx", 50)))
    answer = Answer(Ending.UNDECIDED, 0.5)
    runs = measured([(0, 0.19), (0, 0.20), (0, 1.03), (0, 0.47), (0, 0.79), (6, 0.1)])
    doubts = Found(question, tuple(runs), answer).doubts
    assert len(doubts) == 1
    assert doubts[0].startswith("2 of the base's own 5 samples are worse by that much, too (0.19 ")
    calm = measured([(0, 1.0), (0, 1.1), (6, 0.4)])
    assert Found(question, tuple(calm), answer).doubts == ()


def test_a_grid_of_samples_begins_with_the_base(tmp_path: Path) -> None:
    question = replace(QUESTION, sought=Sought("vsock", worse=Worse("tx", 10)))
    machine = Machine(lambda point: Sighting(Seen.MEASURED, value=8.0 if point >= 5 else 10.0))
    with Log(tmp_path / "log", question) as log:
        found = scan(log, machine, 4, nothing)
    assert {point: tally.bad for point, tally in found.evidence.tallies.items()} == {
        **dict.fromkeys(range(5), 0),
        5: 4,
        6: 4,
    }
