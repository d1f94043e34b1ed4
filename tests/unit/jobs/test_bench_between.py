# SPDX-License-Identifier: GPL-2.0-only
"""Rounds between two ends, one of which may be lost: none is missing, none is there twice."""

from __future__ import annotations

import json
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from kzc.bench.values import Cell, Clock, Mode, Round
from kzc.bench.zcbench import Amount, Turn
from kzc.jobs.bench_between import Between
from kzc.jobs.bench_guest import Boot, Kernel, Terms
from kzc.jobs.topology import Side
from kzc.jobs.workshop import Workshop
from kzc.suites.pair import Pair
from kzc.values import Answer, Ended, KernelBuild, Limits, Verdict

DATA = Path(__file__).parents[2] / "data" / "guest"
G2H = Cell("vsock", 0, "g2h", Mode.COPY, 4096)
LOCAL = Cell("vsock", 0, "loopback", Mode.COPY, 4096)
TURNS = tuple(Turn(cell, number) for number in range(1, 8) for cell in (G2H, LOCAL))
WARM = 4  # calls before the first that counts: two rounds of two kinds


@dataclass
class End:
    """An end that plays zcbench; after `good` calls of it, rounds with the guest fail."""

    name: str
    good: int = 1000
    alive: bool = True
    ended: Ended = Ended.SILENCE
    log: tuple[str, ...] = ()
    folder: str = "/bin"
    absent: Mapping[str, str] = field(default_factory=dict)
    texts: list[str] = field(default_factory=list)

    def run(self, text: str, limits: Limits) -> Answer:
        self.texts.append(text)
        if text == "true" and not self.alive:
            return Answer(self.ended, None, (), (), 60.0)
        lines: list[str] = []
        if "<<'CELLS'" in text:
            self.good -= 1
            lines = [line for cell in text.splitlines()[1:-1] for line in self._round(cell)]
        return Answer(Ended.EXIT, 0, tuple(lines), (), 1.0)

    def _round(self, line: str) -> list[str]:
        number, _, _, direction, _, size, _, messages, *_ = line.split()
        if self.good < 0 and direction == "g2h":
            return [json.dumps({"round": int(number), "lacks": False, "error": "no end"})]
        times = dict.fromkeys(("whole", "user", "system", "calls", "switches"), 1)
        times["bytes"] = int(size) * int(messages)
        counts = dict.fromkeys(("send", "zerocopied", "copied", "enobufs"), 0)
        sender = {"side": "sender", "messages": int(messages), "latency": {}, **counts}
        sides: tuple[dict[str, Any], ...] = (sender, {"side": "receiver"})
        return [json.dumps({"round": int(number), "idle": 0, **side, **times}) for side in sides]

    @contextmanager
    def serve(self, text: str) -> Iterator[Any]:
        self.texts.append(text)
        yield None

    def kernel_log(self) -> tuple[str, ...]:
        """Its lines once it is asked whether it lives, each once."""
        said = self.log if "true" in self.texts else ()
        self.log = () if said else self.log
        return said


def between(
    shopfloor: Workshop, host: End, guest: End, *, again: bool
) -> tuple[list[Round], tuple[Turn, ...]]:
    kernel = Kernel("own", KernelBuild("k", "/k", "/k/i", "", "6.12", "t", ""), Path(), Path())
    pair = Pair(host, guest, 42, 51000, 40000, "10.0.2.2", 7, lambda: 1)
    side = cast(Side, SimpleNamespace(first=object(), factor=1.0, emulated=True))
    terms = Terms(Clock.INSTRUCTIONS, Amount(bytes=65536), again=again)
    rounds = Between(shopfloor, side, pair, Boot(kernel, 1, TURNS), terms).rounds()
    return drained(rounds)


def drained(
    rounds: Generator[Round, None, tuple[Turn, ...]],
) -> tuple[list[Round], tuple[Turn, ...]]:
    found: list[Round] = []
    while True:
        try:
            found.append(next(rounds))
        except StopIteration as end:
            return found, end.value


def places(found: list[Round]) -> list[Turn]:
    return [Turn(each.cell, each.number) for each in found]


def test_all_turns_are_measured_in_order(shopfloor: Workshop) -> None:
    host, guest = End("host"), End("guest")
    found, left = between(shopfloor, host, guest, again=True)
    assert places(found) == list(TURNS)
    assert all(each.sender for each in found)
    assert left == ()
    assert any("follow 51000" in text for text in guest.texts)
    called = [text for text in host.texts if "CELLS" in text]
    assert all(("lead 127.0.0.1 40000" in text) is ("g2h" in text) for text in called)
    (kept,) = shopfloor.run.run.outcomes
    assert (kept.verdict, kept.reason) == (Verdict.PASS, "14 rounds")


def test_what_a_lost_guest_left_is_handed_back(shopfloor: Workshop) -> None:
    host, guest = End("host", good=WARM + 4), End("guest", alive=False)
    found, left = between(shopfloor, host, guest, again=True)
    assert (*places(found), *left) == TURNS
    assert found
    assert left
    assert all(each.sender for each in found)
    (kept,) = shopfloor.run.run.outcomes
    assert f"lost the second level, {len(left)} rounds are left" in kept.reason


@pytest.mark.parametrize("ended", [Ended.TOTAL, Ended.PANIC])
def test_a_guest_that_the_emulation_killed_is_lost(shopfloor: Workshop, ended: Ended) -> None:
    log = tuple((DATA / "misplaced.log").read_text().splitlines())
    guest = End("guest", alive=False, ended=ended, log=log)
    found, left = between(shopfloor, End("host", good=WARM + 4), guest, again=True)
    assert (*places(found), *left) == TURNS
    assert left
    (kept,) = shopfloor.run.run.outcomes
    assert kept.verdict is Verdict.PASS
    assert "(a double fault that no CPU delivers)" in kept.reason


@pytest.mark.parametrize(("ended", "lost"), [(Ended.TOTAL, True), (Ended.PANIC, False)])
def test_what_its_kernel_said_itself_is_told(shopfloor: Workshop, ended: Ended, lost: bool) -> None:
    oops = "BUG: kernel NULL pointer dereference, address: 0000000000000008"
    guest = End("guest", alive=False, ended=ended, log=(oops,))
    found, left = between(shopfloor, End("host", good=WARM + 4), guest, again=True)
    assert (*places(found), *left) == TURNS
    assert bool(left) is lost
    (kept,) = shopfloor.run.run.outcomes
    assert kept.verdict is Verdict.FAIL
    assert oops in kept.reason


def test_a_guest_lost_before_the_first_round_leaves_all_turns(shopfloor: Workshop) -> None:
    host, guest = End("host", good=1), End("guest", alive=False)
    assert between(shopfloor, host, guest, again=True) == ([], TURNS)


def test_where_it_may_not_be_booted_again_each_turn_has_a_reason(shopfloor: Workshop) -> None:
    host, guest = End("host", good=WARM + 4), End("guest", alive=False)
    found, left = between(shopfloor, host, guest, again=False)
    assert places(found) == list(TURNS)
    assert left == ()
    assert {each.reason for each in found if each.sender is None} == {"no end"}
    (kept,) = shopfloor.run.run.outcomes
    assert kept.verdict is Verdict.FAIL


def test_a_guest_that_answers_was_not_lost(shopfloor: Workshop) -> None:
    host, guest = End("host", good=WARM + 4), End("guest")
    found, left = between(shopfloor, host, guest, again=True)
    assert places(found) == list(TURNS)
    assert left == ()
