# SPDX-License-Identifier: GPL-2.0-only
"""Two runs side by side: what regressed, what is only told, and which runs are taken."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from dataclasses import replace

import pytest
from rich.console import Console

from kzc.results import sidebyside_report as report
from kzc.results.sidebyside import (
    Change,
    Number,
    Row,
    judge_change,
    newest_pair,
    regressed,
    side_by_side,
)
from kzc.values import Case, Outcome, Run, Stage, Verdict

PASS, FAIL, SKIP, INFRA = Verdict.PASS, Verdict.FAIL, Verdict.SKIP, Verdict.INFRA
NOT_RUN, CRASH = Verdict.NOT_RUN, Verdict.CRASH


def suite(*cases: Case, verdict: Verdict = PASS, name: str = "vsock") -> Outcome:
    return Outcome(Stage.TEST, name, verdict, cases=cases)


def run(*outcomes: Outcome, name: str = "r", environment: Mapping[str, str] | None = None) -> Run:
    return Run(name, "s", ("kzc",), "0", environment or {}, outcomes, "f")


def changes(old: Run, new: Run) -> dict[tuple[str, str], Change]:
    return {(row.subject, row.case): row.change for row in side_by_side(old, new)}


@pytest.mark.parametrize(
    ("old", "new", "change"),
    [
        (PASS, PASS, Change.SAME),
        (SKIP, SKIP, Change.SAME),
        (PASS, SKIP, Change.OTHER),
        (PASS, FAIL, Change.REGRESSED),
        (SKIP, CRASH, Change.REGRESSED),
        (PASS, NOT_RUN, Change.REGRESSED),
        (FAIL, PASS, Change.FIXED),
        (NOT_RUN, PASS, Change.FIXED),
        (FAIL, CRASH, Change.FAILING),
        (PASS, INFRA, Change.UNKNOWN),
        (INFRA, PASS, Change.UNKNOWN),
        (None, FAIL, Change.NEW),
        (PASS, None, Change.GONE),
    ],
)
def test_what_two_verdicts_say(old: Verdict | None, new: Verdict | None, change: Change) -> None:
    assert judge_change(old, new) is change


def test_cases_are_found_again_by_suite_and_name() -> None:
    old = run(
        suite(Case("a", PASS), Case("b", FAIL), Case("gone", PASS)),
        suite(Case("a", FAIL), name="msg_zerocopy"),
    )
    new = run(
        suite(Case("a", FAIL), Case("b", PASS), Case("new", FAIL)),
        suite(Case("a", FAIL), name="msg_zerocopy"),
    )
    assert changes(old, new) == {
        ("vsock", "a"): Change.REGRESSED,
        ("vsock", "b"): Change.FIXED,
        ("vsock", "new"): Change.NEW,
        ("vsock", "gone"): Change.GONE,
        ("msg_zerocopy", "a"): Change.FAILING,
    }
    assert regressed(side_by_side(old, new))
    assert not regressed(side_by_side(new, new))


def test_a_suite_that_is_worse_than_its_cases_is_a_row_of_its_own() -> None:
    case = Case("a", PASS)
    found = changes(run(suite(case)), run(suite(case, verdict=FAIL)))
    assert found == {("vsock", ""): Change.REGRESSED, ("vsock", "a"): Change.SAME}


def test_a_suite_that_could_not_run_regressed() -> None:
    old = run(Outcome(Stage.BUILD, "6.12.1", PASS), suite(Case("a", PASS)))
    new = run(Outcome(Stage.BUILD, "6.12.2", FAIL), suite(verdict=NOT_RUN))
    assert changes(old, new) == {
        ("build", ""): Change.REGRESSED,
        ("vsock", ""): Change.REGRESSED,
        ("vsock", "a"): Change.GONE,
    }


def test_a_host_that_broke_is_no_regression() -> None:
    rows = side_by_side(run(suite(Case("a", PASS))), run(suite(Case("a", INFRA), verdict=INFRA)))
    assert not regressed(rows)
    assert {row.change for row in rows} == {Change.UNKNOWN}


def test_numbers_stand_side_by_side_as_medians() -> None:
    old = run(suite(*(Case("t", PASS, detail={"mb": mb, "zc": "y"}) for mb in (1, 9, 4))))
    new = run(suite(Case("t", PASS, detail={"mb": 5.5, "ok": True, "more": 2})))
    (row,) = side_by_side(old, new)
    assert row.numbers == (Number("mb", 4, 5.5), Number("more", None, 2))


def test_the_newest_runs_with_tests_are_taken_of_the_same_tree_where_there_is_one() -> None:
    def made(name: str, key: str, tree: str = "t") -> Run:
        environment = {"series_key": key, "tree_id": tree, "profile": "default"}
        return run(suite(), name=name, environment=environment)

    built = replace(made("built", "new"), outcomes=(Outcome(Stage.BUILD, "k", PASS),))
    cut = replace(made("cut", "new"), finished="")
    rows = [
        cut,
        built,
        made("n2", "new"),
        made("o3", "old", "x"),
        made("o2", "old"),
        made("o1", "old"),
    ]
    pair = newest_pair(rows, "old", "new")
    assert [each and each.id for each in pair] == ["o2", "n2"]
    assert [each and each.id for each in newest_pair(rows[:4], "old", "new")] == ["o3", "n2"]
    assert [each and each.id for each in newest_pair(rows, "none", "new")] == [None, "n2"]


EVIL = "\x1b]0;owned\x07[red]x[/red] | a"


def shown(old: Run, new: Run) -> tuple[str, str, str]:
    rows = side_by_side(old, new)
    screen = io.StringIO()
    Console(file=screen, width=120).print(report.table(old, new, rows))
    whole = json.dumps(report.as_object(old, new, rows))
    return screen.getvalue(), report.markdown(old, new, rows), whole


def test_what_says_nothing_is_only_counted() -> None:
    same = [Case(f"same {number}", PASS) for number in range(3)]
    old = run(suite(*same, Case("b", PASS, detail={"mb": 3})), environment={"tree": "6.12"})
    fresh = (Case("good and new", PASS), Case("bad and new", FAIL))
    new = run(suite(*same, Case("b", FAIL, detail={"mb": 7}), *fresh), environment={"tree": "7.3"})
    text, markdown, whole = shown(old, new)
    for told in (text, markdown):
        assert "1 regressed, 2 new, 3 same" in told
        assert "bad and new" in told
        assert "good and new" not in told
        assert "mb 3, now 7" in told
        assert "not the same tree: 6.12, now 7.3" in told
        assert "same 1" not in told
    assert len(json.loads(whole)["rows"]) == 6


def test_names_from_a_guest_stay_names() -> None:
    old, new = run(suite(Case(EVIL, PASS), name=EVIL)), run(suite(Case(EVIL, FAIL), name=EVIL))
    text, markdown, whole = shown(old, new)
    assert all(letter == "\n" or letter.isprintable() for letter in text + markdown)
    assert r"\x1b]0;owned\x07[red]x[/red]" in text
    # a bar in a name does not begin another cell
    assert markdown.splitlines()[-1].replace("\\|", "").count("|") == 5
    assert json.loads(whole)["rows"][0]["case"] == EVIL


def test_a_lone_surrogate_is_told_as_text_in_json() -> None:
    bad = run(suite(Case("\ud800", PASS)))
    _, _, whole = shown(bad, bad)
    assert "\\\\ud800" in whole


def test_a_row_is_a_value() -> None:
    assert hash(Row("s", "c", Change.SAME, PASS, PASS))
