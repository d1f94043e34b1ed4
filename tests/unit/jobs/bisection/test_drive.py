# SPDX-License-Identifier: GPL-2.0-only
"""A bisection from its first run to its words; its log is test_log.py's.

The machine is a function here; real kernels and guests are tests/vm/test_bisect.py's.
"""

from __future__ import annotations

import json
import random
from dataclasses import replace
from pathlib import Path

from kzc.jobs.bisection import culprit
from kzc.jobs.bisection.drive import scan
from kzc.jobs.bisection.observations import (
    Log,
)
from kzc.jobs.bisection.search import Ending
from kzc.jobs.bisection.sightings import Sighting, Sought
from kzc.values import Stage, Verdict
from tests.unit.jobs.bisection.machine import (
    BAD,
    BROKEN,
    GOOD,
    OTHER,
    QUESTION,
    SUSPECTS,
    Machine,
    nothing,
    searched,
    words,
)


def test_the_patch_is_named_with_what_it_rests_on(tmp_path: Path) -> None:
    machine = Machine(lambda point: BAD if point >= 4 else GOOD)
    found = searched(tmp_path, machine)
    assert [patch.number for patch in found.culprits] == [4]
    assert machine.ran[:2] == [6, 0]
    said = words(found)
    assert said.startswith("patch 4/6 broke it, 99")
    assert "failure vsock: fail: peek" in said
    assert "Reported-by: R <r@example.org>" in said
    assert "Fixes:" not in said
    assert found.doubts == ()
    runs = {point: machine.ran.count(point) for point in machine.ran}
    assert f"patch 3{runs[3]:>8}    ." in said


def test_a_commit_of_a_range_gets_its_fixes(tmp_path: Path) -> None:
    suspects = tuple(replace(each, commit=f"{each.number:040x}") for each in SUSPECTS)
    question = replace(QUESTION, suspects=suspects)
    found = searched(tmp_path, Machine(lambda point: BAD if point >= 2 else GOOD), question)
    assert 'Fixes: 000000000000 ("vsock: part 2")' in words(found)


def test_what_is_looked_for_is_learnt_from_the_first_failure(tmp_path: Path) -> None:
    machine = Machine(lambda point: BAD if point >= 4 else GOOD)
    searched(tmp_path, machine)
    assert machine.sought[0] == Sought("vsock", "peek")
    assert set(machine.sought[1:]) == {Sought("vsock", "peek", "fail: peek")}


def test_a_patch_that_does_not_build_leaves_two(tmp_path: Path) -> None:
    machine = Machine(lambda point: {2: BROKEN}.get(point, BAD if point >= 3 else GOOD))
    found = searched(tmp_path, machine)
    assert (found.answer.first, found.answer.last) == (2, 3)
    assert machine.ran.count(2) == 1
    assert words(found).startswith("one of patches 2-3 of 6 broke it")
    assert found.doubts == ("patch 2 was left out: does not build (its build log is in logs)",)


def test_another_failure_is_tried_again_and_then_left_out(tmp_path: Path) -> None:
    machine = Machine(lambda point: {3: OTHER}.get(point, BAD if point >= 5 else GOOD))
    found = searched(tmp_path, machine)
    assert [patch.number for patch in found.culprits] == [5]
    assert machine.ran.count(3) in {0, 3}


def test_a_last_patch_that_never_says_anything_ends_it(tmp_path: Path) -> None:
    machine = Machine(lambda _: OTHER)
    found = searched(tmp_path, machine)
    assert machine.ran == [6, 6, 6]
    assert found.answer.ending is Ending.UNDECIDED
    assert words(found).startswith("undecided: the last patch cannot be tested")


def test_a_point_with_other_failures_now_and_then_stays(tmp_path: Path) -> None:
    noise = random.Random(1)

    def shows(point: int) -> Sighting:
        if noise.random() < 0.3:
            return OTHER
        return BAD if point >= 4 else GOOD

    found = searched(tmp_path, Machine(shows))
    assert [patch.number for patch in found.culprits] == [4]
    assert any("said nothing (skipped)" in doubt for doubt in found.doubts)


def test_the_same_image_is_said(tmp_path: Path) -> None:
    machine = Machine(lambda point: BAD if point >= 5 else GOOD, {3: "x", 4: "x"})
    found = searched(tmp_path, machine)
    assert [patch.number for patch in found.culprits] == [5]
    if {3, 4} <= set(machine.ran):
        assert "the same image" in found.doubts[0]


def test_the_grid_runs_every_point(tmp_path: Path) -> None:
    machine = Machine(lambda point: {2: BROKEN}.get(point, BAD if point >= 5 else GOOD))
    with Log(tmp_path / "log", QUESTION) as log:
        found = scan(log, machine, 3, nothing)
    assert machine.ran == [6] * 3 + [5] * 3 + [4] * 3 + [3] * 3 + [2] + [1] * 3 + [0] * 3
    table = list(culprit.table(found))
    assert table[0].split() == ["point", "good", "bad", "other"]
    assert table[1].split() == ["base", "3", ".", "."]
    assert table[3].split()[:5] == ["patch", "2", ".", ".", "1"]
    assert table[6].split()[:5] == ["patch", "5", ".", "3", "."]


def test_a_report_of_the_run_shows_points_and_answer(tmp_path: Path) -> None:
    found = searched(tmp_path, Machine(lambda point: BAD if point >= 4 else GOOD))
    shown = list(culprit.outcomes(found))
    assert all(outcome.stage is Stage.CHECK for outcome in shown)
    assert shown[-1].reason == culprit.headline(found)
    assert {o.subject: o.verdict for o in shown}["bisect patch 6"] is Verdict.FAIL
    assert {o.subject: o.verdict for o in shown}["bisect the base"] is Verdict.PASS
    assert json.loads(json.dumps(shown[-1].detail))["patches"] == [4]
