# SPDX-License-Identifier: GPL-2.0-only
"""A run for measurement only: no format of its report has a plain pass, and failures stay so."""

from __future__ import annotations

import json
from dataclasses import replace
from xml.etree import ElementTree

import pytest

from kzc.results.b4 import b4_checks, terse
from kzc.results.formats import FORMATS
from kzc.results.sidebyside_report import as_object, markdown
from kzc.results.summary import word
from kzc.results.verdicts import MEASUREMENT_ONLY, exit_code, is_clean
from kzc.values import Run

from . import sample

WORDS = "for measurement only: not clean (it has bench)"


def marked(run: Run) -> Run:
    return replace(run, environment={**run.environment, MEASUREMENT_ONLY: "bench"})


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_says_so(name: str) -> None:
    for run in (sample.clean_run(), sample.run()):
        assert WORDS in FORMATS[name](marked(run), sample.FOLDER)
        assert "measurement" not in FORMATS[name](run, sample.FOLDER)


def test_a_good_one_has_status_0_and_is_no_pass() -> None:
    run = marked(sample.clean_run())
    assert (exit_code(run), word(run), is_clean(run)) == (0, "NOT CLEAN", False)
    assert is_clean(sample.clean_run())
    first, second = FORMATS["text"](run, sample.FOLDER).split("\n")[:2]
    assert first.startswith("NOT CLEAN  scm-zc-notification")
    assert second == WORDS
    assert FORMATS["markdown"](run, sample.FOLDER).startswith("## NOT CLEAN: ")
    found = json.loads(FORMATS["json"](run, sample.FOLDER))
    assert (found["verdict"], found["clean"], found["caveat"]) == ("not_clean", False, WORDS)


def test_one_that_failed_has_failed() -> None:
    run = marked(sample.run())
    assert (exit_code(run), word(run), is_clean(run)) == (1, "CRASH", False)
    found = json.loads(FORMATS["json"](run, sample.FOLDER))
    assert (found["verdict"], found["clean"], found["caveat"]) == ("crash", False, WORDS)


def test_one_that_was_cut_short_is_unfinished() -> None:
    run = replace(marked(sample.clean_run()), finished="")
    assert (exit_code(run), word(run)) == (3, "UNFINISHED")


def test_junit_has_a_skip_more_and_is_not_red() -> None:
    plain, measured = (
        ElementTree.fromstring(FORMATS["junit"](run, sample.FOLDER))
        for run in (sample.clean_run(), marked(sample.clean_run()))
    )
    for key, more in (("skipped", 1), ("failures", 0), ("errors", 0)):
        counts = [
            sum(int(suite.get(key, "0")) for suite in whole.iter("testsuite"))
            for whole in (plain, measured)
        ]
        assert counts[1] == counts[0] + more
    (case,) = (each for each in measured.iter("testcase") if each.get("name") == "it is clean")
    assert WORDS in str(case[0].get("message"))


def test_b4_gets_a_warning() -> None:
    run = marked(sample.clean_run())
    assert b4_checks(run, sample.FOLDER)[-1] | {"summary": ""} == {
        "tool": "kzc",
        "status": "warn",
        "summary": "",
        "url": "",
        "details": "",
    }
    assert b4_checks(run, sample.FOLDER)[-1]["summary"] == WORDS
    assert terse(run)[-1] == f"WARNING: {WORDS}"


def test_two_runs_side_by_side_tell_which_is_one() -> None:
    plain, measured = sample.clean_run(), replace(marked(sample.clean_run()), id="m")
    assert f"run m is {WORDS}" in markdown(plain, measured, ()).replace("\\", "")
    assert as_object(plain, measured, ())["caveats"] == {"m": WORDS}
    assert as_object(plain, plain, ())["caveats"] == {}
