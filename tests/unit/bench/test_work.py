# SPDX-License-Identifier: GPL-2.0-only
"""What a send costs in cycles or instructions, and how many sends were completed and copied."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from kzc.bench.counts import counts
from kzc.bench.figures import unit_of, value_of
from kzc.bench.measured import measured
from kzc.bench.order import name_of
from kzc.bench.plan import Figure
from kzc.bench.result import Bench
from kzc.bench.tables import cover_tables
from kzc.bench.values import Cell, Clock, Mode, Receiver, Round, Sender
from kzc.bench.zcbench import parse

from . import synthetic
from .test_zcbench import AMOUNT, ORIGIN, RECEIVER, SENDER, TURNS

COPY = Cell("tcp", 4, "loopback", Mode.COPY, 1000)
COUNTED = Sender(10, 10_000, 20_000, 40_000, 5_000, 10_000, 10, 1, cycles=70_000, all_cycles=90_000)
ROUND = Round(COPY, "k", 1, 1, Clock.WALL, COUNTED, Receiver(10_000, 1, 3_000, 1_000, 1, 1))
WORK = (Figure.PROCESS, Figure.SYSTEM)


def of(found: Round) -> list[float | None]:
    return [value_of(found, figure) for figure in WORK]


def test_cycles_are_a_pmus_and_instructions_are_the_guests() -> None:
    assert of(ROUND) == [7000, 9000]
    counted = replace(ROUND, clock=Clock.INSTRUCTIONS, idle=8_000)
    assert of(counted) == [1500, 3200]
    assert unit_of(Figure.SYSTEM, Clock.WALL) == "cycles per message"
    assert unit_of(Figure.PROCESS, Clock.INSTRUCTIONS) == "instructions per message"
    assert not Figure.PROCESS.rate


def test_without_a_pmu_wall_time_has_no_such_figure_and_says_why() -> None:
    assert of(replace(ROUND, sender=replace(COUNTED, cycles=-1, all_cycles=-1))) == [None, None]
    bench = synthetic.bench(clock=Clock.WALL, kvm=True)
    assert {each.summary for each in measured(bench, Figure.PROCESS)} == {None}
    assert "no PMU" in measured(bench, Figure.PROCESS)[0].reason


def test_cycles_are_read_where_zcbench_has_them() -> None:
    lines = [json.dumps(SENDER | {"cycles": 5, "all_cycles": 7}), json.dumps(RECEIVER)]
    found, _ = parse(lines, TURNS, AMOUNT, ORIGIN)
    assert found.sender is not None
    assert (found.sender.cycles, found.sender.all_cycles) == (5, 7)
    for none in ({}, {"cycles": -1, "all_cycles": "many"}):
        found, _ = parse([json.dumps(SENDER | none), lines[1]], TURNS, AMOUNT, ORIGIN)
        assert found.sender is not None
        assert (found.sender.cycles, found.sender.all_cycles) == (-1, -1)


def counted() -> Bench:
    """TCP is copied, and one cell is refused by the kernel."""
    made = synthetic.bench(copied=synthetic.local_copies)
    refused = Cell("tcp", 4, "loopback", Mode.ERRQUEUE, 4 << 10)
    rounds = tuple(
        replace(each, sender=None, receiver=None, lacks=True, reason="SO_ZEROCOPY: not supported")
        if each.cell == refused
        else each
        for each in made.rounds
    )
    plan = made.plan.model_copy(update={"counts": True})
    return replace(made, plan=plan, rounds=rounds)


def test_all_rounds_are_added_up() -> None:
    found = {name_of(each.cell): each for each in counts(counted(), "tree")}
    copy = found["tcp4 loopback 64K copy"]
    assert (copy.sent, copy.received, copy.completed, copy.copied) == (160, 160, 0, 0)
    assert copy.bytes == 160 << 16
    zerocopy = found["tcp4 loopback 64K errqueue/1"]
    assert (zerocopy.sent, zerocopy.completed, zerocopy.copied) == (160, 160, 160)
    vsock = found["vsock loopback 64K errqueue/1"]
    assert (vsock.completed, vsock.copied) == (160, 0)


def test_a_table_has_them_and_says_what_was_refused() -> None:
    (table,) = [each for each in cover_tables(counted()) if "completed and copied" in each.title]
    rows = {row[:3]: row[3:] for row in table.rows}
    assert rows["tcp4 loopback", "64K", "errqueue/1"] == ("160", "160", "10", "160", "160")
    refused = rows["tcp4 loopback", "4K", "errqueue/1"]
    assert refused == ("refused [1]", "-", "-", "-", "-")
    assert "SO_ZEROCOPY" in table.notes[0]


def test_a_plan_without_counts_has_no_such_table() -> None:
    titles = [each.title for each in cover_tables(synthetic.bench())]
    assert not any("completed and copied" in title for title in titles)


@pytest.mark.parametrize("figure", WORK)
def test_the_deck_is_a_table_in_percent_of_copying(figure: Figure) -> None:
    bench = synthetic.bench()
    bench = replace(bench, plan=bench.plan.model_copy(update={"figures": (figure,)}))
    table = next(each for each in cover_tables(bench) if each.title.startswith("tcp4 loopback"))
    assert "errqueue/1 / copy" in table.head
    assert all(row[3].endswith(" %") for row in table.rows)
