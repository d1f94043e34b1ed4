# SPDX-License-Identifier: GPL-2.0-only
"""The grid of a CI run: which cell an outcome belongs to, and what several goes come to."""

from __future__ import annotations

from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from kzc.results import summary
from kzc.results.cells import Cells, cells
from kzc.results.formats import FORMATS
from kzc.results.text import render
from kzc.values import Outcome, Run, Stage, Verdict

PASS, FAIL, SKIP, INFRA = Verdict.PASS, Verdict.FAIL, Verdict.SKIP, Verdict.INFRA


def outcome(verdict: Verdict, stage: Stage = Stage.TEST, go: Any = 1, **job: Any) -> Outcome:
    where = {"tree": "6.12", "series": "s", "profile": "default", **job, "go": go}
    name = "/".join(str(value) for value in where.values())
    return Outcome(stage, f"{name}: x", verdict, detail={"job": where})


def of(*outcomes: Outcome) -> Run:
    return Run("20261121-093015-3fa2", "2026-11-21T09:30:15Z", ("kzc",), "0", {}, outcomes, "x")


def grid(*outcomes: Outcome) -> Cells:
    found = cells(of(*outcomes))
    assert found is not None
    return found


def words(found: Cells) -> list[list[str]]:
    return [[mark.word if mark else "" for mark in row.marks] for row in found.rows]


def test_rows_are_trees_series_and_topologies_and_columns_suites() -> None:
    found = grid(
        outcome(PASS, Stage.BUILD),
        outcome(PASS, topology="loopback", suite="vsock"),
        outcome(FAIL, topology="nested", suite="vsock"),
        outcome(PASS, topology="loopback", suite="net", tree="6.1", profile="debug"),
        outcome(FAIL, Stage.BUILD, tree="7.3"),
        outcome(PASS, plan="smoke"),
    )
    assert found.columns == ("build", "vsock", "net", "smoke")
    rows = [(row.tree, row.series, row.topology) for row in found.rows]
    assert rows == [
        ("6.12", "s", "loopback"),
        ("6.12", "s", "nested"),
        ("6.1", "s (debug)", "loopback"),
        ("6.12", "s", "bench"),
        ("7.3", "s", ""),
    ]
    assert words(found) == [
        ["pass", "pass", "", ""],
        ["pass", "fail", "", ""],
        ["", "", "pass", ""],
        ["pass", "", "", "pass"],
        ["fail", "", "", ""],
    ]


def test_goes_that_differ_are_flaky_and_no_pass() -> None:
    where: dict[str, Any] = {"topology": "loopback", "suite": "vsock"}
    found = grid(outcome(FAIL, **where), outcome(PASS, go=2, **where))
    assert words(found) == [["flaky"]]
    mark = found.rows[0].marks[0]
    assert mark is not None
    assert mark.verdict is FAIL
    assert words(grid(outcome(FAIL, **where), outcome(FAIL, go=2, **where))) == [["fail"]]
    # what the machine broke and was made good is nothing of the code's
    assert words(grid(outcome(SKIP, **where), outcome(PASS, go=2, **where))) == [["pass"]]
    assert words(grid(outcome(SKIP, **where), outcome(INFRA, go=2, **where))) == [["infra"]]


def test_other_runs_have_none_and_what_is_no_job_is_passed_over() -> None:
    plain = Outcome(Stage.TEST, "vsock", PASS, detail={"job": "a text"})
    assert cells(of(plain)) is None
    assert cells(of()) is None


def test_names_from_outside_stay_names() -> None:
    run = of(outcome(PASS, topology="loopback", suite="\x1b[2J|<b>", tree="a\nb", go="x"))
    for form in ("text", "markdown"):
        text = FORMATS[form](run, Path("run"))
        assert "\x1b" not in text
        assert "<b>" not in text or form == "text"


def test_the_patches_of_a_job_that_apply_are_one_row() -> None:
    patches = [outcome(PASS, Stage.APPLY) for _ in range(5)]
    other = outcome(PASS, Stage.APPLY, tree="7.3")
    rows = summary.rows(of(*patches, outcome(FAIL, Stage.APPLY), outcome(PASS, Stage.BUILD), other))
    assert [(row.stage, row.found) for row in rows] == [
        ("apply", "all apply"),
        ("apply", ""),
        ("build", ""),
        ("apply", "all apply"),
    ]


def test_the_text_is_not_cut_off_at_its_edge() -> None:
    names = [f"suite_with_a_name_{number}" for number in range(9)]
    series = "a-series-with-a-long-name"
    tests = [outcome(PASS, topology="loopback", suite=name, series=series) for name in names]
    built = Outcome(
        Stage.BUILD,
        f"6.12/{series}/build: kernel 6.12.117+",
        PASS,
        740.0,
        reason="built, and there are many words on how that went",
        detail={"job": {"tree": "6.12", "series": series, "profile": "default", "go": 1}},
    )
    lines = FORMATS["text"](of(built, *tests), Path("run")).splitlines()
    assert max(map(len, lines)) <= 100
    assert any(line.endswith(" 12 min 20 s") for line in lines)
    assert [line.split() for line in lines if line.startswith("suite_")] == [
        [name, "pass"] for name in names
    ]


@pytest.mark.parametrize(("width", "across"), [(100, True), (54, True), (53, False), (30, False)])
def test_no_head_of_the_grid_is_folded(width: int, across: bool) -> None:
    suites = ("vsock", "vsock_perf", "net")
    tests = [
        outcome(FAIL if topology == "pair" else PASS, topology=topology, suite=suite, tree=tree)
        for tree in ("6.1", "6.12")
        for topology in ("loopback", "pair")
        for suite in suites
    ]
    console = Console(width=width, file=StringIO(), color_system=None)
    with console.capture() as told:
        console.print(render(of(*tests, outcome(PASS, Stage.BUILD)), Path("run")))
    words = [line.split() for line in told.get().split("Jobs\n")[1].split("\n")]
    if across:
        assert words[0] == ["Tree", "Series", "Topology", *suites, "build"]
        assert ["6.12", "s", "pair", "fail", "fail", "fail", "pass"] in words
        return
    at = words.index(["6.12", "s"])
    assert words[at + 1] == ["Suite", "loopback", "pair"]
    assert words[at + 3 : at + 6] == [[suite, "pass", "fail"] for suite in suites]
    assert words[at + 6] == ["build", "pass", "pass"]
    assert ["build"] not in [line[:1] for line in words[words.index(["6.1", "s"]) : at]]
