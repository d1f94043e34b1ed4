# SPDX-License-Identifier: GPL-2.0-only
"""The exit status, and that no format is kinder than it."""

from __future__ import annotations

import json
from itertools import product
from pathlib import Path

import pytest
from junitparser import JUnitXml

from kzc.results.formats import FORMATS
from kzc.results.verdicts import bisect_status, exit_code, judge, verdict_of
from kzc.values import Case, Outcome, Run, Stage, Verdict

GOOD = {Verdict.PASS, Verdict.SKIP, Verdict.XFAIL}


def of(*verdicts: Verdict, finished: bool = True) -> Run:
    outcomes = tuple(Outcome(Stage.TEST, f"s{n}", each) for n, each in enumerate(verdicts))
    end = "2026-11-21T09:31:00Z" if finished else ""
    return Run("20261121-093015-3fa2", "2026-11-21T09:30:15Z", ("kzc",), "0", {}, outcomes, end)


@pytest.mark.parametrize(
    ("verdicts", "code"),
    [
        ((), 3),
        ((Verdict.PASS,), 0),
        ((Verdict.PASS, Verdict.SKIP, Verdict.XFAIL), 0),
        ((Verdict.PASS, Verdict.FAIL), 1),
        ((Verdict.PASS, Verdict.CRASH), 1),
        ((Verdict.PASS, Verdict.TIMEOUT), 1),
        ((Verdict.PASS, Verdict.NOT_RUN), 1),
        ((Verdict.PASS, Verdict.INFRA), 3),
        ((Verdict.INFRA, Verdict.NOT_RUN), 3),
        ((Verdict.INFRA, Verdict.FAIL), 1),
    ],
)
def test_exit_codes(verdicts: tuple[Verdict, ...], code: int) -> None:
    assert exit_code(of(*verdicts)) == code


def test_a_run_that_was_cut_short_is_never_good() -> None:
    assert exit_code(of(Verdict.PASS, finished=False)) == 3
    assert exit_code(of(Verdict.FAIL, finished=False)) == 1
    text = FORMATS["text"](of(Verdict.PASS, finished=False), Path("run"))
    assert text.startswith("UNFINISHED")
    assert "cut short" in text


def test_an_outcome_is_no_better_than_its_worst_case() -> None:
    cases = (Case("a", Verdict.PASS), Case("b", Verdict.CRASH))
    assert judge(Outcome(Stage.TEST, "vsock", Verdict.PASS, cases=cases)) is Verdict.CRASH
    assert verdict_of(of()) is Verdict.NOT_RUN


@pytest.mark.parametrize("finished", [True, False])
@pytest.mark.parametrize("stage", [Stage.BUILD, Stage.TEST])
def test_no_format_is_kinder_than_the_exit_status(stage: Stage, finished: bool) -> None:
    for own, inner in product(Verdict, Verdict):
        outcome = Outcome(stage, "vsock", own, cases=(Case("a", inner),))
        whole = of(finished=finished)
        run = Run(**{**vars(whole), "outcomes": (outcome,)})
        code = exit_code(run)
        xml = JUnitXml.fromstring(FORMATS["junit"](run, Path("run")))
        assert bool(xml.failures + xml.errors) == bool(code), (own, inner)
        assert json.loads(FORMATS["json"](run, Path("run")))["exit_code"] == code
        for name in ("text", "markdown"):
            first = FORMATS[name](run, Path("run")).split("\n")[0]
            assert ("PASS" in first) <= (code == 0), first
        assert (code == 0) == (finished and {own, inner} <= GOOD)


def a_stage(stage: Stage, verdict: Verdict, *cases: Verdict) -> Outcome:
    found = tuple(Case(f"case {n}", each) for n, each in enumerate(cases))
    return Outcome(stage, "vsock", verdict, cases=found)


BOOTED = a_stage(Stage.BOOT, Verdict.PASS)


@pytest.mark.parametrize(
    ("outcomes", "status"),
    [
        ((BOOTED, a_stage(Stage.TEST, Verdict.PASS, Verdict.PASS, Verdict.SKIP)), 0),
        ((BOOTED, a_stage(Stage.TEST, Verdict.PASS, Verdict.XFAIL)), 0),
        ((BOOTED, a_stage(Stage.TEST, Verdict.PASS, Verdict.FAIL)), 1),
        ((BOOTED, a_stage(Stage.TEST, Verdict.CRASH, Verdict.PASS, Verdict.NOT_RUN)), 1),
        ((BOOTED, a_stage(Stage.TEST, Verdict.TIMEOUT, Verdict.PASS)), 1),
        # one suite's guest did not come up, and another's test failed: that is bad
        (
            (a_stage(Stage.BOOT, Verdict.CRASH), a_stage(Stage.TEST, Verdict.FAIL, Verdict.FAIL)),
            1,
        ),
        ((a_stage(Stage.BUILD, Verdict.FAIL), a_stage(Stage.TEST, Verdict.NOT_RUN)), 125),
        ((a_stage(Stage.APPLY, Verdict.FAIL),), 125),
        ((a_stage(Stage.BOOT, Verdict.CRASH), a_stage(Stage.TEST, Verdict.NOT_RUN)), 125),
        # the test programs did not build
        ((a_stage(Stage.TEST, Verdict.FAIL),), 125),
        ((BOOTED, a_stage(Stage.TEST, Verdict.INFRA, Verdict.INFRA, Verdict.PASS)), 125),
        ((BOOTED, a_stage(Stage.TEST, Verdict.PASS, Verdict.SKIP)), 125),
        ((), 125),
    ],
)
def test_what_git_bisect_is_told(outcomes: tuple[Outcome, ...], status: int) -> None:
    run = Run(**{**vars(of()), "outcomes": outcomes})
    assert bisect_status(run, exit_code(run)) == status
    assert bisect_status(run, 130) == 130


def test_git_bisect_is_stopped_by_a_wrong_command_only() -> None:
    assert bisect_status(None, 2) == 128
    assert bisect_status(None, 3) == 125
    cut = of(Verdict.PASS, finished=False)
    assert bisect_status(cut, 3) == 125
