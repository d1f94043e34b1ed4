# SPDX-License-Identifier: GPL-2.0-only
"""The grid of checks in every report, and what b4 reads of it."""

from __future__ import annotations

import json
from pathlib import Path

from junitparser import JUnitXml

from kzc.results.b4 import b4_checks, terse
from kzc.results.formats import FORMATS
from kzc.results.grid import grid
from kzc.results.mark import Mark
from kzc.values import Case, Outcome, Run, Stage, Verdict

FOLDER = Path("/runs/1")
NEW = {"file": "net/a.c", "line": 3, "kind": "warning", "text": "unused variable 'a'"}


def run(*outcomes: Outcome) -> Run:
    return Run("1", "2026-01-01T00:00:00", ("kzc", "check", "x"), "0", {}, outcomes, "2026-01-01")


def checked(subject: str, *cases: Case, reason: str = "") -> Outcome:
    return Outcome(Stage.CHECK, subject, Verdict.PASS, cases=cases, reason=reason)


def two() -> Run:
    build = Case("build", Verdict.PASS, 2.0, detail={"log": "logs/1-build.log"})
    new = {"log": "logs/1-warnings.log", "new": [NEW]}
    warned = Case("warnings", Verdict.FAIL, 1.0, "new against its parent: net/a.c:3", new)
    tested = Case("vsock", Verdict.SKIP, reason="same image and programs as 1/2")
    mail = Case("mail", Verdict.PASS, detail={"hints": ["the subject ends with a period"]})
    return run(
        checked("1/2 vsock: a | b", build, warned),
        checked("2/2 vsock: c", build, tested, mail, reason="checked before"),
    )


def test_the_columns_are_the_checks_and_what_was_not_made_is_no_pass() -> None:
    found = grid(two())
    assert found is not None
    assert found.columns == ("build", "warnings", "vsock", "mail")
    assert [row.verdict for row in found.rows] == [Verdict.FAIL, Verdict.PASS]
    assert found.rows[0].marks == (
        Mark(Verdict.PASS, "ok", "logs/1-build.log"),
        Mark(Verdict.FAIL, "fail", "logs/1-warnings.log"),
        None,
        None,
    )


def test_a_run_without_checks_has_no_grid() -> None:
    plain = run(Outcome(Stage.TEST, "vsock", Verdict.PASS))
    assert grid(plain) is None
    assert "Checks" not in FORMATS["text"](plain, FOLDER)
    assert "Checks" not in FORMATS["markdown"](plain, FOLDER)


def test_a_log_that_is_no_path_of_the_run_is_no_link() -> None:
    for log in (
        "../../etc/passwd",
        "/etc/passwd",
        "logs/x](http://y)",
        "logs/../../b",
        "logs/",
        "b.log",
        "",
    ):
        found = grid(run(checked("1/1 a: b", Case("build", Verdict.PASS, detail={"log": log}))))
        assert found is not None
        assert found.rows[0].marks == (Mark(Verdict.PASS, "ok", ""),), log


def test_text_shows_the_grid_and_what_failed_with_its_log() -> None:
    text = FORMATS["text"](two(), FOLDER)
    lines = text[text.index("Checks") :].split("\n")
    assert lines[1].split() == ["Patch", "build", "warnings", "vsock", "mail"]
    assert lines[3].split()[-4:] == ["ok", "fail", "-", "-"]
    assert lines[4].split()[-4:] == ["ok", "-", "skip", "ok"]
    assert lines[5] == "2/2 mail: the subject ends with a period"
    assert "/runs/1/logs/1-warnings.log" in text
    assert "net/a.c:3: warning: unused variable 'a'" in text


def test_markdown_links_to_logs_and_keeps_its_table_whole() -> None:
    text = FORMATS["markdown"](two(), FOLDER)
    table = text[text.index("### Checks") :].split("\n\n")[1].split("\n")
    assert table[0] == "| Patch | build | warnings | vsock | mail |"
    assert table[2] == (
        "| 1/2 vsock: a \\| b | [ok](logs/1-build.log) | [**fail**](logs/1-warnings.log) | - | - |"
    )


def test_junit_has_a_suite_for_each_patch() -> None:
    xml = JUnitXml.fromstring(FORMATS["junit"](two(), FOLDER).encode())
    suites = {suite.name: suite for suite in xml}
    assert [case.name for case in suites["1/2 vsock: a | b"]] == ["build", "warnings"]
    assert suites["1/2 vsock: a | b"].failures == 1
    assert suites["2/2 vsock: c"].skipped == 1


def test_b4_gets_its_words_and_nothing_but_text() -> None:
    apply = Outcome(Stage.APPLY, "1/2 vsock: a", Verdict.PASS)
    found = b4_checks(run(apply, *two().outcomes), FOLDER)
    assert [(entry["tool"], entry["status"]) for entry in found] == [
        ("kzc apply", "pass"),
        ("kzc build", "pass"),
        ("kzc warnings", "fail"),
        ("kzc build", "pass"),
        ("kzc vsock", "pass"),
        ("kzc mail", "warn"),
    ]
    assert found[2]["details"] == (
        "net/a.c:3: warning: unused variable 'a'\nlog: /runs/1/logs/1-warnings.log"
    )
    assert {type(text) for entry in found for text in entry.values()} == {str}
    assert json.loads(json.dumps(found)) == found


def test_terse_says_only_what_was_found() -> None:
    detail = {"problems": ["there is no Signed-off-by"], "hints": ["it is long"]}
    mail = Case("mail", Verdict.FAIL, reason="both", detail=detail)
    style = Case("checkpatch", Verdict.FAIL, reason="1 error, 0 warnings, 0 checks")
    lost = Case("build", Verdict.NOT_RUN, reason="it does not apply")
    assert terse(run(*two().outcomes, checked("1/1 a: b", mail, style, lost))) == [
        "ERROR: warnings: net/a.c:3: warning: unused variable 'a'",
        "WARNING: mail: the subject ends with a period",
        "ERROR: mail: there is no Signed-off-by",
        "WARNING: mail: it is long",
        "ERROR: checkpatch: 1 error, 0 warnings, 0 checks",
        "WARNING: build: it does not apply",
    ]
