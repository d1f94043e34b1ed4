# SPDX-License-Identifier: GPL-2.0-only
"""Decoded traces in outcomes, and in the reports in the place of the raw ones."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from kzc.git import Git
from kzc.jobs.evidence import decoded, with_decoded
from kzc.results.formats import FORMATS
from kzc.values import KernelBuild, Outcome, Run, Stage, Verdict
from tests.plain import RUNNER

RAW, READ = " inner+0x4/0x10", " inner (net/core/sock.c:14)"
OUTCOME = Outcome(Stage.TEST, "vsock", Verdict.CRASH, detail={"excerpt": ["BUG: x", RAW]})


def report(outcome: Outcome, form: str) -> str:
    run = Run("20261121-093015-3fa2", "", (), "0", outcomes=(outcome,))
    return FORMATS[form](run, Path("runs/x"))


@pytest.mark.parametrize("form", ["text", "markdown"])
def test_reports_show_the_decoded_trace(form: str) -> None:
    assert RAW in report(OUTCOME, form)
    shown = report(with_decoded(OUTCOME, ["BUG: x", READ]), form)
    assert READ in shown
    assert RAW not in shown
    assert "decoded" not in shown


@pytest.mark.parametrize("form", FORMATS)
def test_json_and_junit_keep_both_and_all_say_why_there_is_none(form: str) -> None:
    shown = report(with_decoded(OUTCOME, ["BUG: x", READ]), form)
    assert READ.strip() in shown
    if form in ("json", "junit"):
        assert RAW.strip() in shown
    shown = report(with_decoded(OUTCOME, [RAW], "no debug info"), form)
    assert "no debug info" in shown
    assert RAW.strip() in shown


def test_an_outcome_without_trace_is_left_alone(tmp_path: Path) -> None:
    kernel = KernelBuild("k", str(tmp_path), "", "", "", "", "")
    git = Git(RUNNER, cwd=tmp_path)
    for detail in ({}, {"excerpt": ["Out of memory: Killed process 7"]}, {"excerpt": "x+0x1/0x2"}):
        outcome = replace(OUTCOME, detail=detail)
        assert decoded(outcome, kernel, git, "HEAD") is outcome
    told = decoded(OUTCOME, kernel, git, "HEAD")
    assert "vmlinux" in told.detail["not decoded"]
    assert told.detail["excerpt"] == ["BUG: x", RAW]
