# SPDX-License-Identifier: GPL-2.0-only
"""zcbench's lines: what it is told, and what comes of whatever it prints."""

from __future__ import annotations

import json

import pytest

from kzc.bench.values import Cell, Clock, Mode
from kzc.bench.zcbench import LEAST, Amount, Origin, Turn, lines_of, parse

COPY = Cell("tcp", 4, "loopback", Mode.COPY, 4096)
ZEROCOPY = Cell("vsock", 0, "g2h", Mode.ERRQUEUE, 1 << 20, 32)
AMOUNT = Amount(bytes=64 << 10, warmup=2, buffer=1 << 20, seconds=5)
ORIGIN = Origin("own", 2, Clock.INSTRUCTIONS)
TURNS = (Turn(COPY, 3), Turn(ZEROCOPY, 3))
SENDER = {
    **{"round": 0, "side": "sender", "messages": 16, "bytes": 65536, "send": 5, "whole": 7},
    **{"user": 1, "system": 2, "calls": 16, "switches": 3, "zerocopied": 0, "copied": 0},
    **{"enobufs": 0, "idle": 0, "latency": {}},
}
RECEIVER = {
    **{"round": 0, "side": "receiver", "bytes": 65536, "whole": 6, "user": 1, "system": 2},
    **{"calls": 4, "switches": 1, "idle": 4},
}


def said(*values: object) -> list[str]:
    return [json.dumps(value) for value in values]


def test_a_cell_is_a_line_and_a_round_has_at_least_some_messages() -> None:
    assert lines_of(TURNS, AMOUNT) == (
        "0 tcp 4 loopback copy 4096 1 16 2 1048576 5",
        f"1 vsock 0 g2h errqueue 1048576 32 {LEAST} 2 1048576 5",
    )


def test_the_two_lines_of_a_round_are_a_round() -> None:
    first, second = parse(said(SENDER, RECEIVER), TURNS, AMOUNT, ORIGIN)
    assert (first.cell, first.kernel, first.boot, first.number) == (COPY, "own", 2, 3)
    assert first.clock is Clock.INSTRUCTIONS
    assert first.sender is not None
    assert (first.sender.send, first.sender.whole, first.sender.system) == (5, 7, 2)
    assert first.receiver is not None
    assert first.receiver.whole == 6
    assert first.idle == 4
    assert second.sender is None
    assert not second.reason, "nothing was said of it: whoever asked knows why"


def test_latency_is_all_quantiles_or_a_round_without_figures() -> None:
    quantiles = {"p50": 1, "p90": 2, "p99": 3, "max": 4}
    done, _ = parse(said({**SENDER, "latency": quantiles}, RECEIVER), TURNS, AMOUNT, ORIGIN)
    assert done.sender is not None
    assert done.sender.latency == quantiles
    torn, _ = parse(said({**SENDER, "latency": {"p50": 1}}, RECEIVER), TURNS, AMOUNT, ORIGIN)
    assert torn.sender is None


def test_what_a_kernel_lacks_is_no_failure() -> None:
    lines = said({"round": 1, "lacks": True, "error": "SO_ZEROCOPY: \x1b[31mno\n"})
    _, found = parse(lines, TURNS, AMOUNT, ORIGIN)
    assert found.lacks
    assert found.reason == "SO_ZEROCOPY:  [31mno "
    lines = said({"round": 1, "lacks": "yes", "error": 7})
    _, found = parse(lines, TURNS, AMOUNT, ORIGIN)
    assert not found.lacks
    assert found.reason == "zcbench did not say why"


@pytest.mark.parametrize(
    "lines",
    [
        ["{", "[]", '{"round": []}', "x" * 5000, '{"round": 9, "side": "sender"}'],
        ["[" * 100_000, "{" + '"a":[' * 10_000],
        said(SENDER),
        said({**SENDER, "round": True}, RECEIVER),
        said({**SENDER, "send": -1}, RECEIVER),
        said({**SENDER, "send": 1.5}, RECEIVER),
        said({**SENDER, "send": True}, RECEIVER),
        said({**SENDER, "send": 1 << 70}, RECEIVER),
        said({**SENDER, "latency": []}, RECEIVER),
        said({**SENDER, "messages": 15}, RECEIVER),
        said({**SENDER, "bytes": 1}, RECEIVER),
        said(SENDER, {**RECEIVER, "bytes": 65537}),
    ],
)
def test_anything_else_is_a_round_without_figures(lines: list[str]) -> None:
    found = parse(lines, TURNS, AMOUNT, ORIGIN)
    assert len(found) == len(TURNS)
    assert all(each.sender is None and each.receiver is None for each in found)


def test_what_the_receiver_missed_is_told_as_received() -> None:
    found, _ = parse(said(SENDER, {**RECEIVER, "bytes": 61440}), TURNS, AMOUNT, ORIGIN)
    assert found.sender is not None
    assert found.receiver is not None
    assert (found.sender.bytes, found.receiver.bytes) == (65536, 61440)
