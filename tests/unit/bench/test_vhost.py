# SPDX-License-Identifier: GPL-2.0-only
"""Cells behind vhost-net: which there are, what is asked for them, and what their rounds say."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kzc.bench.figures import unit_of, value_of
from kzc.bench.order import cells_of
from kzc.bench.plan import Figure, Knobs, load_plan
from kzc.bench.values import Cell, Clock, Mode
from kzc.bench.why import Seen, why_copied, zerocopied
from kzc.bench.zcbench import Amount, Origin, Turn, parse
from kzc.jobs.bench_vhost import lines_of

PLAN = load_plan(Path(__file__).parents[3] / "plans" / "vhost-net.toml")
CELL = Cell("udp", 4, "tap", Mode.ZCOPYTX, 1024)
AMOUNT = Amount(bytes=64 << 10, warmup=16)
ORIGIN = Origin("own", 1, Clock.INSTRUCTIONS)


def said(**more: object) -> list[str]:
    """What `vhost_net bench` prints of a round."""
    common = {"round": 0, "user": 0, "system": 0, "calls": 0, "switches": 0, "bytes": 65536}
    sender = {
        **common,
        **{"side": "sender", "messages": 64, "send": 0, "whole": 9000, "zerocopied": 16},
        **{"copied": 0, "enobufs": 0, "host": 131072, "idle": 1000},
        **{"latency": {"p50": 70, "p90": 80, "p99": 90, "max": 99}, **more},
    }
    return [json.dumps(sender), json.dumps({**common, "side": "receiver", "whole": 8000})]


def test_the_plan_is_of_vhost_net_alone_and_has_each_size_both_ways() -> None:
    assert PLAN.suite == "vhost-net"
    cells, missing = cells_of(PLAN, "nested")
    assert not missing
    assert {64, 128, 256} <= {cell.size for cell in cells}
    modes = [{c.mode for c in cells if c.size == size} for size in PLAN.sizes]
    assert modes == [{Mode.COPY, Mode.ZCOPYTX}] * len(PLAN.sizes)


@pytest.mark.parametrize(
    ("changed", "topology", "told"),
    [
        ({}, "pair", "--topology nested"),
        ({"transports": ("raw",)}, "nested", "a guest sends TCP and UDP over IPv4"),
        ({"ip": (6,)}, "nested", "a guest sends TCP and UDP over IPv4"),
        ({"modes": (Mode.ERRQUEUE,)}, "nested", "errqueue is not measured over tap"),
        ({"directions": ("loopback",)}, "nested", "zcopytx is not measured over loopback"),
    ],
)
def test_what_cannot_be_says_why(changed: dict[str, object], topology: str, told: str) -> None:
    cells, missing = cells_of(PLAN.model_copy(update=changed), topology)
    assert any(told in each.reason for each in missing)
    assert not any(cell.mode is not Mode.COPY for cell in cells)


def test_a_cell_is_a_line_of_the_program() -> None:
    assert lines_of((Turn(CELL, 5),), AMOUNT) == ("0 udp tap 1024 64 16",)


def test_a_round_has_the_hosts_time_per_byte_and_that_of_a_trip() -> None:
    (found,) = parse(said(), (Turn(CELL, 1),), AMOUNT, ORIGIN)
    assert value_of(found, Figure.HOST) == 2.0
    assert value_of(found, Figure.TRIP) == 70.0
    assert value_of(found, Figure.RECEIVE) == 65536 * 1000 / 8000
    assert unit_of(Figure.HOST, Clock.INSTRUCTIONS) == "instructions per byte"
    assert unit_of(Figure.TRIP, Clock.WALL) == "µs"


def test_a_round_without_a_hosts_time_has_no_such_figure() -> None:
    (found,) = parse(said(host="many"), (Turn(CELL, 1),), AMOUNT, ORIGIN)
    assert found.sender is not None
    assert value_of(found, Figure.HOST) is None


def test_a_cell_of_which_no_frame_went_in_place_is_copied_and_says_so() -> None:
    none = Seen(CELL, Knobs(), None)
    assert not zerocopied(none)
    assert "256 bytes" in why_copied(none)
    assert zerocopied(Seen(CELL, Knobs(), 0.0))
