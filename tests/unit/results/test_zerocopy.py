# SPDX-License-Identifier: GPL-2.0-only
"""Nothing that was copied shows a speed-up."""

from __future__ import annotations

import re
from dataclasses import replace
from io import BytesIO, StringIO
from typing import Any

import pytest
from rich.console import Console

from kzc.results.formats import FORMATS
from kzc.results.html import html
from kzc.results.text import render
from kzc.results.zerocopy import CREDIT, UNTOLD, VETH, WALL, tables
from kzc.values import Case, Run, Stage, Verdict

from . import sample


def on(accelerator: str) -> Run:
    return replace(sample.run(), environment={**sample.ENVIRONMENT, "accelerator": accelerator})


@pytest.mark.parametrize("accelerator", ["kvm", "tcg, icount shift=0"])
def test_only_what_was_zerocopied_has_a_gain(accelerator: str) -> None:
    (table,) = tables(on(accelerator))
    assert {row.way for row in table.transfers if row.gain} == {"zerocopied"}
    assert [row.gain for row in table.transfers if row.way == "zerocopied"] == [11071 / 10171] * 4
    assert table.notes == (VETH,)
    for name in ("text", "markdown"):
        shown = FORMATS[name](on(accelerator), sample.FOLDER)
        for each in shown.split("\n"):
            assert not ("x 1.09" in each and "zerocopied" not in each)
        assert shown.count("x 1.09") == 4


@pytest.mark.parametrize("accelerator", ["tcg", ""])
def test_wall_clock_under_tcg_has_no_gain(accelerator: str) -> None:
    (table,) = tables(on(accelerator))
    assert not any(row.gain for row in table.transfers)
    assert table.notes == (VETH, WALL)
    assert "Against copy" not in FORMATS["text"](on(accelerator), sample.FOLDER)


@pytest.mark.parametrize(
    ("change", "way"),
    [
        ({"zc": "n"}, "copied"),
        ({"zc": False}, "copied"),
        ({"zc": True}, "zerocopied"),
        ({"txc": 0}, "no completion"),
        ({"zc": "?"}, "unknown"),
        ({"zc": None, "txc": None, "tx": None, "tx_mb": None}, "no completion"),
    ],
)
def test_the_way_is_read_from_the_completions(change: dict[str, Any], way: str) -> None:
    detail = {"proto": "tcp", "ip": 4, "mode": "zerocopy", "tx": 9, "tx_mb": 1, "txc": 9}
    detail |= {"zc": "y", "rx": 9, "rx_mb": 5} | change
    copy = {**detail, "mode": "copy", "rx_mb": 1}
    cases = (Case("c", Verdict.PASS, detail=copy), Case("z", Verdict.PASS, detail=detail))
    run = on("kvm")
    suite = replace(run.outcomes[-1], stage=Stage.TEST, cases=cases)
    (table,) = tables(replace(run, outcomes=(suite,)))
    assert table.transfers[1].way == way
    assert bool(table.transfers[1].gain) == (way == "zerocopied")


def test_a_case_that_failed_has_no_gain() -> None:
    run = on("kvm")
    cases = tuple(replace(case, verdict=Verdict.FAIL) for case in run.outcomes[-1].cases)
    (table,) = tables(replace(run, outcomes=(replace(run.outcomes[-1], cases=cases),)))
    assert not any(row.gain for row in table.transfers)


@pytest.mark.parametrize(
    ("counted", "way", "note"),
    [
        ({"zerocopied": 256, "copied": 0}, "zerocopied", ()),
        ({"zerocopied": 0, "copied": 64}, "copied", (CREDIT,)),
        ({"zerocopied": 79, "copied": 6}, "6 copied", (CREDIT,)),
        ({"zerocopied": 0, "copied": 0}, "no completion", ()),
        ({}, "unknown", (UNTOLD,)),
        ({"zerocopied": 256}, "unknown", (UNTOLD,)),
    ],
)
def test_vsock_is_zerocopied_only_where_all_completions_say_so(
    counted: dict[str, int], way: str, note: tuple[str, ...]
) -> None:
    figures = {"proto": "vsock", "tx": 1.5, "rx": 9.5, "bytes": 16 << 20}
    plain = Case("p", Verdict.PASS, detail={**figures, "mode": "copy", "rx": 1.0})
    case = Case("z", Verdict.PASS, detail={**figures, "mode": "zerocopy", **counted})
    run = on("kvm")
    run = replace(run, outcomes=(replace(run.outcomes[-1], cases=(plain, case)),))
    (table,) = tables(run)
    row = table.transfers[1]
    assert (row.way, row.rx_mb, row.gain, table.notes) == (way, 16, 0.0, note)
    for name in ("text", "markdown"):
        shown = FORMATS[name](run, sample.FOLDER)
        told = [each for each in shown.split("\n") if re.match(r"\W*vsock\W.* zerocopy ", each)]
        assert len(told) == 1
        assert ("zerocopied" in told[0]) == (way == "zerocopied")


def test_both_directions_of_a_pair_are_told_apart() -> None:
    figures = {"proto": "vsock", "mode": "copy", "tx": 1.5, "rx": 9.5, "bytes": 16 << 20}
    names = ("H2G/vsock_perf copy", "G2H/vsock_perf copy", "a/b")
    cases = tuple(Case(name, Verdict.PASS, detail=figures) for name in names)
    run = on("tcg")
    run = replace(run, outcomes=(replace(run.outcomes[-1], cases=cases),))
    (table,) = tables(run)
    assert [row.direction for row in table.transfers] == ["H2G", "G2H", ""]
    page = html(run, lambda _: BytesIO(b""))
    assert re.findall("<td>(H2G|G2H|-)</td><td>vsock</td>", page) == ["H2G", "G2H", "-"]
    assert '<th scope="col">direction</th>' in page
    for name in ("text", "markdown"):
        shown = FORMATS[name](run, sample.FOLDER)
        assert re.findall(r"^\W*(H2G|G2H|-)\W+vsock\b", shown, re.MULTILINE) == ["H2G", "G2H", "-"]
        assert "Direction" in shown
        assert "Direction" not in FORMATS[name](sample.run(), sample.FOLDER)


def test_both_directions_of_a_pair_fit_a_narrow_terminal() -> None:
    figures = {"proto": "vsock", "mode": "zerocopy", "tx": 1.5, "rx": 9.5, "bytes": 16 << 20}
    run = on("tcg")
    case = Case("H2G/vsock_perf zerocopy", Verdict.PASS, detail=figures)
    run = replace(run, outcomes=(replace(run.outcomes[-1], cases=(case,)),))
    console = Console(width=80, file=StringIO(), color_system=None)
    with console.capture() as shown:
        console.print(render(run, sample.FOLDER))
    (row,) = re.findall("^H2G .*", shown.get(), re.MULTILINE)
    assert row.split() == ["H2G", "vsock", "zerocopy", "pass", "-", "16", "-", "unknown"]
