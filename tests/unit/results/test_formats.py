# SPDX-License-Identifier: GPL-2.0-only
"""What the formats show, against golden files (`KZC_REGEN=1 pytest` writes them anew)."""

from __future__ import annotations

import io
import json
import os
import re
import shlex
import time
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest
from junitparser import JUnitXml
from rich.console import Console

from kzc.results.formats import FORMATS, svg
from kzc.results.text import render, runs
from kzc.values import Case, Outcome, Run, Stage, Verdict

from . import sample

GOLDEN = Path(__file__).parents[2] / "data" / "results"
ENDINGS = {"text": "txt", "markdown": "md", "json": "json", "junit": "xml"}


@pytest.mark.parametrize("name", FORMATS)
def test_the_sample_looks_as_before(name: str) -> None:
    golden = GOLDEN / f"report.{ENDINGS[name]}"
    shown = FORMATS[name](sample.run(), sample.FOLDER)
    if os.environ.get("KZC_REGEN"):
        golden.write_text(shown)
    assert shown == golden.read_text()


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_tells_the_essentials(name: str) -> None:
    shown = FORMATS[name](sample.run(), sample.FOLDER)
    for needed in (
        *("9f3c1d7ab2e4", "scm-zc-notification", "5be01c77", "7.2.22", "1.42", "tcg", "0.1.0"),
        *("20 SOCK_STREAM MSG_ZEROCOPY", "virtio_transport_recv_pkt", "ECONNRESET", "EOPNOTSUPP"),
        *("logs/test-vsock.log", "the guest died in test 20", "--profile debug"),
    ):
        assert needed in shown, needed


def test_the_first_line_is_the_verdict() -> None:
    first = FORMATS["text"](sample.clean_run(), sample.FOLDER).split("\n")[0]
    assert first == (
        "PASS  scm-zc-notification on 6.12.117: "
        "4 patches, 1 kernel, 1 suite, 16 cases in 4 min 12 s"
    )


def test_the_text_fits_its_width_and_needs_no_unicode() -> None:
    assert max(map(len, FORMATS["text"](sample.run(), sample.FOLDER).split("\n"))) <= 100
    raw = io.BytesIO()
    file = io.TextIOWrapper(raw, encoding="ascii")
    console = Console(file=file, width=100)
    console.print(render(sample.run(), sample.FOLDER))
    file.flush()
    assert b"copied" in raw.getvalue()


def test_a_wrapped_command_is_still_one_command() -> None:
    text = FORMATS["text"](sample.run(), sample.FOLDER)
    found = re.search(r"  repeat +(.*?)\n  next", text, re.DOTALL)
    assert found is not None
    assert "\n" in found[1]
    words = shlex.split(found[1].replace("\\\n", ""))
    assert words[-2:] == ["--only", "20 SOCK_STREAM MSG_ZEROCOPY"]


def test_compiler_lines_of_a_failed_build_are_shown() -> None:
    error = {"file": "net/core/sock.c", "line": 7, "kind": "error", "text": "expected ';'"}
    build = Outcome(
        Stage.BUILD,
        "2/4 sock: add it",
        Verdict.FAIL,
        reason="patch 2/4 does not compile\nmake: *** [net/core/sock.o] Error 1",
        detail={"errors": [error]},
    )
    run = replace(sample.run(), outcomes=(build,))
    for name in FORMATS:
        shown = FORMATS[name](run, sample.FOLDER)
        assert "patch 2/4 does not compile" in shown
        assert "[net/core/sock.o] Error 1" in shown
        if name != "json":
            assert "net/core/sock.c:7: error: expected ';'" in shown


def test_junit_counts_and_kinds() -> None:
    xml = JUnitXml.fromstring(FORMATS["junit"](sample.run(), sample.FOLDER))
    assert [suite.name for suite in xml] == ["apply", "build", "boot", "vsock", "msg_zerocopy"]
    assert (xml.tests, xml.failures, xml.errors, xml.skipped) == (48, 1, 6, 4)


def test_a_splat_that_no_case_explains_is_a_junit_error() -> None:
    suite = Outcome(
        Stage.TEST,
        "vsock",
        Verdict.CRASH,
        cases=(Case("a", Verdict.PASS),),
        reason="WARNING in the kernel log",
    )
    run = replace(sample.run(), outcomes=(suite,))
    (found,) = JUnitXml.fromstring(FORMATS["junit"](run, sample.FOLDER))
    assert [case.is_error for case in found] == [False, True]


def test_json_has_stable_keys() -> None:
    data = json.loads(FORMATS["json"](sample.run(), sample.FOLDER))
    assert data["schema"] == 1
    assert (data["verdict"], data["exit_code"]) == ("crash", 1)
    assert data["counts"]["not_run"] == 5
    assert set(data["outcomes"][0]) == {
        *("stage", "subject", "verdict", "judged", "seconds", "log", "reason", "detail", "cases")
    }


def test_the_picture_is_whole_and_loads_nothing() -> None:
    picture = svg(sample.run(), sample.FOLDER)
    ElementTree.fromstring(picture)
    assert "url(http" not in picture
    assert "@font-face" not in picture
    assert "scm-zc-notification" in picture


def test_the_list_of_runs_shows_id_and_verdict() -> None:
    console = Console(width=100, file=io.StringIO())
    with console.capture() as shown:
        console.print(runs([sample.run(), replace(sample.clean_run(), finished="")]))
    first, second = shown.get().splitlines()[-2:]
    assert first.split()[:2] == ["20261121-093015-3fa2", "crash"]
    assert second.split()[1] == "unfinished"


def many(number: int) -> Run:
    verdicts = (Verdict.PASS, Verdict.FAIL, Verdict.SKIP, Verdict.NOT_RUN)
    cases = tuple(
        Case(f"case {each}", verdicts[each % 4], 0.1, f"reason\x1b[31m {each}", {"n": each})
        for each in range(number)
    )
    return replace(
        sample.run(), outcomes=(Outcome(Stage.TEST, "big", Verdict.FAIL, 1, cases=cases),)
    )


@pytest.mark.parametrize("name", FORMATS)
def test_ten_thousand_cases_render_quickly_and_what_is_left_out_is_said(name: str) -> None:
    run = many(10_000)
    begin = time.process_time()
    shown = FORMATS[name](run, sample.FOLDER)
    assert time.process_time() - begin < 4
    if name in ("text", "markdown"):
        assert "2,475 more" in shown
        assert len(shown) < 100_000
