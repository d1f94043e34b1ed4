# SPDX-License-Identifier: GPL-2.0-only
"""What is told of a guest whose program brings its other ends, and lost some of them."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from kzc.bench.values import Cell, Clock, Mode
from kzc.bench.zcbench import Amount, Turn
from kzc.jobs.bench_guest import Boot, Kernel, Terms
from kzc.jobs.bench_one import OneGuest, Program
from kzc.jobs.bench_vhost import lines_of
from kzc.jobs.workshop import Workshop
from kzc.values import Answer, Ended, Limits, Verdict

TURN = Turn(Cell("udp", 4, "tap", Mode.ZCOPYTX, 1024), 1)
AGAIN = "# the guest was lost in round 0, attempt 1: nothing came for 0.2 s"
FIGURES = {"round": 0, "bytes": 65536, "whole": 9, "user": 0, "system": 0}
COUNTS = {"calls": 0, "switches": 0, "zerocopied": 0, "copied": 0, "enobufs": 0}
ROUND = [
    json.dumps({**FIGURES, **COUNTS, "side": side, "messages": 64, "send": 0, "latency": {}})
    for side in ("sender", "receiver")
]


class Told:
    """A guest that says what it is given, and is asked with these texts."""

    def __init__(self, *lines: str) -> None:
        self.lines = lines
        self.texts: list[str] = []

    def run(self, text: str, limits: Limits) -> Answer:
        self.texts.append(text)
        return Answer(Ended.EXIT, 0, self.lines if "bench <<" in text else (), (), 1.0)

    def kernel_log(self) -> tuple[str, ...]:
        return ()


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ((), "1 rounds"),
        ((AGAIN,), "1 rounds; the second level was lost and a round was measured again"),
        ((AGAIN,) * 2, "1 rounds; the second level was lost and 2 rounds were measured again"),
    ],
)
def test_rounds_that_were_measured_again_are_told(
    shopfloor: Workshop, lines: tuple[str, ...], said: str
) -> None:
    terms = Terms(Clock.INSTRUCTIONS, Amount(bytes=64 << 10, warmup=16))
    plan, nothing = cast("Any", SimpleNamespace(factor=2.0)), cast("Any", None)
    built = cast("Any", SimpleNamespace(tree_id="a tree"))
    boot = Boot(Kernel("own", built, Path("/built"), nothing), 1, (TURN,))
    one = OneGuest(shopfloor, plan, boot, terms, nothing, "own boot 1", "nested")
    guest = Told(*lines, *ROUND)
    (found,) = one.measured_by(cast("Any", guest), Program("vhost_net", lines_of, 24, "true"))
    assert found.sender is not None
    assert "KZC_COUNTED=1 /built/vhost_net bench <<" in guest.texts[-1]
    (outcome,) = shopfloor.run.run.outcomes
    assert (outcome.verdict, outcome.reason) == (Verdict.PASS, said)
