# SPDX-License-Identifier: GPL-2.0-only
"""Patch by check and suite by topology: every result in a cell of its own, nothing made up."""

from __future__ import annotations

from dataclasses import replace

from kzc.results.matrix import MOST, patches, suites
from kzc.values import Case, Outcome, Stage, Verdict

from . import sample


def test_patches_with_how_they_applied_and_their_checks() -> None:
    checked = Outcome(
        Stage.CHECK,
        f"2/4 {sample.SUBJECTS[1]}",
        Verdict.FAIL,
        cases=(
            Case("build", Verdict.PASS, detail={"log": "logs/2-build.log"}),
            Case("checkpatch", Verdict.FAIL, detail={"log": "javascript:alert(1)"}),
        ),
    )
    found = patches(replace(sample.run(), outcomes=(*sample.run().outcomes, checked)))
    assert found is not None
    assert found.columns == ("applies", "build", "checkpatch")
    assert [line.number for line in found.lines] == ["1/4", "2/4", "3/4", "4/4"]
    first, second = found.lines[:2]
    assert first.note == "111111111111"
    assert first.marks[1:] == (None, None)
    assert [mark.word if mark else "" for mark in second.marks] == ["applies", "ok", "fail"]
    assert [mark.log if mark else "" for mark in second.marks[1:]] == ["logs/2-build.log", ""]


def test_a_suite_in_each_topology() -> None:
    one = Outcome(Stage.TEST, "vsock", Verdict.PASS, 1, cases=(Case("a", Verdict.PASS),))
    two = replace(one, subject="vsock nested", cases=(Case("a", Verdict.FAIL),))
    found = suites(replace(sample.run(), outcomes=(one, two, replace(one, subject="other"))))
    assert found is not None
    assert found.columns == ("loopback", "nested")
    assert [(line.name, *(bool(mark) for mark in line.marks)) for line in found.lines] == [
        ("vsock", True, True),
        ("other", True, False),
    ]
    nested = found.lines[0].marks[1]
    assert nested is not None
    assert (nested.verdict, nested.numbers, nested.at) == (
        Verdict.FAIL,
        ((Verdict.FAIL, 1),),
        1,
    )


def test_jobs_of_several_trees_and_no_result_hides_another() -> None:
    job = {"name": "6.1/a/loopback/vsock", "tree": "6.1", "topology": "loopback", "suite": "vsock"}
    one = Outcome(Stage.TEST, job["name"], Verdict.PASS, detail={"job": job})
    same = replace(one, subject="6.1/b/loopback/vsock", verdict=Verdict.FAIL)
    found = suites(replace(sample.run(), outcomes=(one, same)))
    assert found is not None
    assert found.columns == ("6.1 loopback",)
    assert [line.name for line in found.lines] == ["vsock", "6.1/b/loopback/vsock"]


def test_none_and_too_many() -> None:
    empty = replace(sample.run(), outcomes=())
    assert patches(empty) is None
    assert suites(empty) is None
    many = tuple(Outcome(Stage.APPLY, f"{n}/999 x", Verdict.PASS) for n in range(MOST + 3))
    found = patches(replace(sample.run(), outcomes=many))
    assert found is not None
    assert (len(found.lines), found.left_out) == (MOST, 3)


def test_a_plan_of_a_ci_run_is_a_row_and_its_boots_are_none() -> None:
    job = {"tree": "6.12", "series": "s", "plan": "smoke", "name": "6.12/s/bench/smoke"}
    boots = [
        Outcome(Stage.TEST, f"bench of 6.12 boot {number}", Verdict.PASS, detail={"job": job})
        for number in (1, 2)
    ]
    plan = Outcome(Stage.BENCH, "smoke", Verdict.FAIL, detail={"job": job})
    found = suites(replace(sample.run(), outcomes=(*boots, plan)))
    assert found is not None
    assert found.columns == ("6.12 bench",)
    assert [(line.name, [mark.word for mark in line.marks if mark]) for line in found.lines] == [
        ("smoke", ["fail"])
    ]
