# SPDX-License-Identifier: GPL-2.0-only
"""`kzc bench` on a real kernel: rounds, tables, a comparison with itself, and Ctrl-C in between."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import pytest

from kzc.bench.document import from_json
from kzc.bench.values import Clock, Mode
from tests.vm.conftest import SERIES, TREE, Kzc, interrupt_when

pytestmark = pytest.mark.vm

COUNTED = ("bench", SERIES, "--tree", TREE, "--plan", "smoke", "--clock", "instructions")


def test_a_plan_is_measured_told_and_compared_with_itself(
    kzc: Kzc, built: str, tmp_path: Path
) -> None:
    done = kzc(*COUNTED, "--rounds", "4", "--out", str(tmp_path / "out"))
    assert done.code == 0, done.said
    assert "per 1000 instructions" in done.out
    assert "Gbit/s" not in done.out
    found = from_json((tmp_path / "out" / "bench.json").read_text(), "out")
    assert found.bench.clock is Clock.INSTRUCTIONS
    assert found.bench.whole
    assert all(cell.summary for cell in found.cells)
    share = {(cell.cell.transport, cell.copied) for cell in found.cells if cell.copied is not None}
    assert share == {("tcp", 1.0), ("vsock", 0.0)}
    assert {cell.cell.mode for cell in found.cells if cell.zerocopy} == {
        *(Mode.ERRQUEUE, Mode.NOTIFICATION),
    }
    (bench,) = kzc.outcomes("bench")
    assert {case["verdict"] for case in bench["cases"]} == {"pass"}
    first = kzc.report()["id"]
    again = kzc(*COUNTED, "--rounds", "4", "--against", first, "--tolerance", "10", "--json")
    assert again.code == 0, again.said
    words = {change["word"] for change in json.loads(again.out)["comparison"]["changes"]}
    assert "worse" not in words


def test_what_was_measured_outlives_ctrl_c(kzc: Kzc, built: str) -> None:
    process = kzc.start(*COUNTED, "--rounds", "200")

    def some() -> bool:
        return any(path.stat().st_size for path in kzc.data.glob("runs/*/bench/rounds.jsonl"))

    interrupt_when(process, some, signal.SIGINT)
    out, err = process.communicate()
    assert process.returncode == 130
    assert "Traceback" not in out + err
    assert "CUT SHORT" in out
    assert "they are kept in run" in err
    assert kzc.nothing_left(), kzc.left()
