# SPDX-License-Identifier: GPL-2.0-only
"""The order of jobs, what a failure takes with it, goes again, and the end of the time: on a clock
that only moves when a job ends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from kzc.jobs.ci.drive import Drive, Rules, State
from kzc.jobs.ci.executor import Go
from kzc.jobs.ci.local import Capacity
from kzc.jobs.ci.simulated import SimulatedExecutor, forecast
from kzc.jobs.ci.values import Attempt, Job
from tests.unit.jobs.ci.samples import build, run

A, B = build("a", 10), build("b", 10)
PLAIN = Rules()
GOOD, FAILED, BROKE = State.GOOD, State.FAILED, State.BROKE


class Notes:
    """Remembers what it was told; `ends` are the states of a job's goes, the last one for ever."""

    def __init__(self, **ends: Sequence[State]) -> None:
        self.ends = ends
        self.told: list[str] = []
        self.reasons: dict[str, str] = {}

    def began(self, go: Go) -> None:
        self.told.append(f"{short(go.job)} {go.number}")

    def ended(self, go: Go, attempt: Attempt, last: bool) -> State:
        states = self.ends.get(short(go.job), (GOOD,))
        return states[min(go.number, len(states)) - 1]

    def cut(self, go: Go, attempt: Attempt, why: str) -> None:
        self.told.append(f"cut {short(go.job)}")
        self.reasons[short(go.job)] = why

    def never(self, job: Job, why: str) -> None:
        self.told.append(f"never {short(job)}")
        self.reasons[short(job)] = why


def short(job: Job) -> str:
    return job.cell.suite or job.cell.series


def driven(
    jobs: Sequence[Job],
    notes: Notes,
    rules: Rules = PLAIN,
    cpus: int = 1,
    machine: SimulatedExecutor | None = None,
) -> Notes:
    machine = machine or SimulatedExecutor(Capacity(cpus, 1 << 20), lambda job: job.expected)
    Drive(jobs, machine, notes, machine.clock, rules).run()
    return notes


def test_the_longest_chain_begins_first_and_a_build_before_its_tests() -> None:
    jobs = (A, B, run(A, "short", 1), run(B, "long", 5), run(B, "longer", 7))
    assert driven(jobs, Notes()).told == ["b 1", "a 1", "longer 1", "long 1", "short 1"]


def test_what_may_fail_waits_for_what_is_required() -> None:
    jobs = (A, run(A, "maybe", 9, required=False), run(A, "must", 1))
    assert driven(jobs, Notes()).told == ["a 1", "must 1", "maybe 1"]


def test_jobs_share_a_machine_as_far_as_it_goes() -> None:
    jobs = (A, run(A, "x", 4, cpus=2), run(A, "y", 3, cpus=2), run(A, "z", 2, cpus=1))
    assert forecast(jobs, Capacity(4, 1 << 20)).seconds == 10 + 3 + 2
    # more than there is: it runs alone
    assert forecast((A, run(A, "x", 4, cpus=64)), Capacity(4, 1)).seconds == 14


def test_a_failed_build_stops_only_what_needs_it() -> None:
    jobs = (A, B, run(A, "x"), run(A, "y"), run(B, "z"))
    notes = driven(jobs, Notes(a=[FAILED]))
    assert notes.told == ["a 1", "never x", "never y", "b 1", "z 1"]
    assert notes.reasons["x"] == "t/a/build did not end well"


def test_a_failed_test_is_done_again_so_often_and_a_failed_build_is_not() -> None:
    jobs = (A, B, run(A, "x"))
    assert driven(jobs, Notes(x=[FAILED], b=[FAILED])).told == ["a 1", "b 1", "x 1", "x 2"]
    assert driven(jobs, Notes(x=[FAILED, GOOD]), Rules(retries=3)).told[-2:] == ["x 1", "x 2"]
    assert driven(jobs, Notes(x=[FAILED]), Rules(retries=0)).told[-1] == "x 1"
    assert driven(jobs, Notes(x=[State.HOPELESS])).told[-1] == "x 1"


def test_a_machine_that_broke_is_tried_again_for_builds_too() -> None:
    notes = driven((A, run(A, "x")), Notes(a=[BROKE, GOOD]))
    assert notes.told == ["a 1", "a 2", "x 1"]
    notes = driven((A, run(A, "x")), Notes(a=[BROKE]))
    assert notes.told == ["a 1", "a 2", "never x"]


def test_when_the_time_is_over_all_is_told_with_the_reason() -> None:
    jobs = (A, run(A, "x", 4), run(A, "y", 3), run(A, "z", 2))
    notes = driven(jobs, Notes(), Rules(budget=13))
    assert notes.told == ["a 1", "x 1", "never y", "never z"]
    assert notes.reasons["z"] == "the time budget of 13 s was over"


def test_what_is_known_to_take_longer_than_there_is_time_does_not_begin() -> None:
    jobs = (A, replace(run(A, "x", 40), known=True), run(A, "y", 3))
    notes = driven(jobs, Notes(), Rules(budget=20))
    assert notes.told == ["a 1", "never x", "y 1"]
    assert notes.reasons["x"] == "it took 40 s before, and 10 s of the time budget (20 s) were left"


class Refusing(SimulatedExecutor):
    def refuses(self, job: Job) -> str:
        return "no /dev/x" if short(job) == "a" else ""


def test_what_a_machine_cannot_do_is_not_begun_and_nor_is_what_needs_it() -> None:
    machine = Refusing(Capacity(1, 1 << 20), lambda job: job.expected)
    notes = driven((A, B, run(A, "x"), run(B, "y")), Notes(), machine=machine)
    assert notes.told == ["never a", "never x", "b 1", "y 1"]
    assert notes.reasons["a"] == "no /dev/x"


class Interrupted(SimulatedExecutor):
    def ended(self, timeout: float) -> list[tuple[Go, Attempt]]:
        if self.now >= 10:
            raise KeyboardInterrupt
        return super().ended(timeout)


def test_ctrl_c_ends_what_runs_and_tells_of_the_rest() -> None:
    machine = Interrupted(Capacity(2, 1 << 20), lambda job: job.expected)
    notes = Notes()
    jobs = (A, run(A, "x", 3), run(A, "y", 2), run(A, "z", 1))
    with pytest.raises(KeyboardInterrupt):
        driven(jobs, notes, machine=machine)
    assert notes.told == ["a 1", "x 1", "y 1", "cut y", "cut x", "never z"]
    assert notes.reasons["x"] == "kzc ci was interrupted"
