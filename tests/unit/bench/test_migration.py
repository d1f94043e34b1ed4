# SPDX-License-Identifier: GPL-2.0-only
"""Cells that are a migration: which there are, what is asked for them, what their rounds say."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kzc.bench.figures import value_of
from kzc.bench.measured import reference
from kzc.bench.order import amount_of, cells_of, name_of
from kzc.bench.plan import Figure, Knobs, Plan, load_plan
from kzc.bench.values import Cell, Clock, Mode
from kzc.bench.why import Seen, why_copied, zerocopied
from kzc.bench.zcbench import Origin, Turn, parse
from kzc.errors import UsageError
from kzc.jobs.bench_migration import lines_of

PATH = Path(__file__).parents[3] / "plans" / "qemu-migration.toml"
PLAN = load_plan(PATH)
CELL = Cell("multifd", 4, "veth", Mode.ZERO_COPY_SEND, 4096, channels=8)
TURN = Turn(CELL, 1)
PAGES = (32 << 20) // 4096


def changed(**what: object) -> Plan:
    return Plan.model_validate({**PLAN.model_dump(), **what})


def test_the_plan_has_each_number_of_channels_copied_and_not() -> None:
    assert PLAN.suite == "qemu-migration"
    cells, missing = cells_of(PLAN, "loopback")
    assert not missing
    assert {cell.channels for cell in cells} == {1, 4, 8}
    for cell in cells:
        assert reference(cell, Mode.COPY) in cells
    assert name_of(CELL) == "multifd4 veth 8 channels zero-copy-send"


@pytest.mark.parametrize(
    ("plan", "topology", "told"),
    [
        (PLAN, "nested", "--topology loopback"),
        (changed(sizes=("8K",)), "loopback", "pages of 4K"),
        (changed(modes=("errqueue",)), "loopback", "errqueue is not measured over multifd"),
    ],
)
def test_what_cannot_be_says_why(plan: Plan, topology: str, told: str) -> None:
    cells, missing = cells_of(plan, topology)
    assert any(told in each.reason for each in missing)
    assert not any(cell.mode is not Mode.COPY for cell in cells)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('["multifd"]', '["multifd", "tcp"]', "multifd is measured by QEMU"),
        ('["multifd"]', '["tcp"]', "multifd has channels, and no other transport has"),
        ("channels = [1, 4, 8]", "", "multifd has channels"),
    ],
)
def test_a_plan_that_mixes_them_is_refused(tmp_path: Path, old: str, new: str, told: str) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(PATH.read_text().replace(old, new))
    with pytest.raises(UsageError) as raised:
        load_plan(path)
    assert told in raised.value.message


def test_a_cell_is_a_line_of_the_program() -> None:
    assert lines_of((TURN,), amount_of(PLAN)) == ("0 veth4 zero-copy-send 8 33554432",)


def test_a_round_is_a_message_for_each_page_without_the_time_that_nobody_worked() -> None:
    common = {"round": 0, "system": 0, "calls": 0, "switches": 0, "bytes": 32 << 20}
    sender = {"side": "sender", "messages": PAGES, "send": 0, "whole": 5000 << 20, "latency": {}}
    sender |= {"user": PAGES * 300, "idle": 1000 << 20, "enobufs": 0, "copied": 0, "zerocopied": 2}
    receiver = {"side": "receiver", "whole": 4000 << 20, "user": 7}
    lines = [json.dumps({**common, **side}) for side in (sender, receiver)]
    (found,) = parse(lines, (TURN,), amount_of(PLAN), Origin("own", 1, Clock.INSTRUCTIONS))
    assert found.reason == ""
    assert value_of(found, Figure.CPU) == 300.0
    assert value_of(found, Figure.WHOLE) == 32 * 1000 / 4000


def test_what_was_copied_says_so_in_words_of_qemus() -> None:
    seen = Seen(CELL, Knobs(), 1.0)
    assert not zerocopied(seen)
    assert why_copied(seen).startswith("QEMU's flushes found only copies: over veth the receiver")
    assert zerocopied(Seen(CELL, Knobs(), 0.0, kept_local=True))
