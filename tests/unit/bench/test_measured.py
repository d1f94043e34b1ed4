# SPDX-License-Identifier: GPL-2.0-only
"""Rounds become figures in the unit of their clock, and what was copied claims nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kzc.bench.breakeven import break_even
from kzc.bench.figures import unit_of, value_of
from kzc.bench.measured import Measured, measured, ratio, reference
from kzc.bench.order import name_of
from kzc.bench.plan import Figure, Knobs
from kzc.bench.result import Bench
from kzc.bench.tables import gains
from kzc.bench.values import Cell, Clock, Mode, Receiver, Round, Sender
from kzc.bench.why import Seen, why_copied, why_lacking, why_retried, zerocopied
from kzc.errors import UsageError

from . import synthetic

COPY = Cell("tcp", 4, "loopback", Mode.COPY, 1000)
SENDER = Sender(10, 10_000, 20_000, 40_000, 5_000, 10_000, 10, 1, latency={"p50": 700})


def by_name(bench: Bench, figure: Figure) -> dict[str, Measured]:
    return {name_of(each.cell): each for each in measured(bench, figure)}


@pytest.mark.parametrize(
    ("figure", "wall", "instructions"),
    [
        (Figure.SEND, 4.0, 500.0),
        (Figure.WHOLE, 2.0, 250.0),
        (Figure.RECEIVE, 1.0, 125.0),
        (Figure.CPU, 1.5, 1500.0),
        (Figure.MESSAGE, 4.0, 4000.0),
        (Figure.LATENCY, 0.7, 700.0),
    ],
)
def test_a_figure_of_known_times(figure: Figure, wall: float, instructions: float) -> None:
    found = Round(COPY, "k", 1, 1, Clock.WALL, SENDER, Receiver(10_000, 80_000, 0, 0, 1, 1))
    assert value_of(found, figure) == pytest.approx(wall)
    counted = replace(found, clock=Clock.INSTRUCTIONS)
    assert value_of(counted, figure) == pytest.approx(instructions)


def test_mb_are_millions_of_bytes_a_second() -> None:
    found = Round(COPY, "k", 1, 1, Clock.WALL, SENDER)
    assert value_of(found, Figure.WHOLE, "MB/s") == pytest.approx(250.0)


def test_instructions_of_waiting_are_no_work_but_wall_time_is_what_it_is() -> None:
    found = Round(COPY, "k", 1, 1, Clock.INSTRUCTIONS, SENDER, idle=15_000)
    assert value_of(found, Figure.WHOLE) == pytest.approx(400.0)
    assert value_of(found, Figure.MESSAGE) == pytest.approx(2500.0)
    assert value_of(replace(found, clock=Clock.WALL), Figure.WHOLE) == pytest.approx(2.0)


def test_a_round_that_has_no_such_figure_has_none() -> None:
    failed = Round(COPY, "k", 1, 1, Clock.WALL, reason="it broke")
    bare = Round(COPY, "k", 1, 1, Clock.WALL, replace(SENDER, latency={}, messages=0, send=0))
    assert all(value_of(failed, figure) is None for figure in Figure)
    assert all(value_of(bare, each) is None for each in Figure if each is not Figure.WHOLE)


@pytest.mark.parametrize("figure", Figure)
def test_no_unit_of_instructions_has_time_in_it(figure: Figure) -> None:
    unit = unit_of(figure, Clock.INSTRUCTIONS)
    assert "instruction" in unit
    assert unit != unit_of(figure, Clock.WALL)
    for word in ("bit", "/s", "µs", "MB"):
        assert word not in unit


def test_a_cell_folds_its_rounds_over_all_boots() -> None:
    found = by_name(synthetic.bench(noise=0), Figure.CPU)["vsock loopback 64K copy"]
    assert found.summary is not None
    assert found.summary.n == 10
    assert found.summary.median == pytest.approx(2000 + 65536 / 4)
    assert len(found.boots) == 2
    assert found.unit == "instructions per message"


def test_what_was_copied_claims_nothing_and_says_why() -> None:
    cells = by_name(synthetic.bench(copied=synthetic.local_copies), Figure.CPU)
    copied, plain = cells["tcp4 loopback 64K errqueue/1"], cells["tcp4 loopback 64K copy"]
    assert (copied.copied, copied.zerocopy) == (1.0, False)
    assert ratio(copied, plain) is None
    assert "skb_orphan_frags_rx" in copied.notes[0]
    real = ratio(cells["vsock loopback 64K errqueue/1"], cells["vsock loopback 64K copy"])
    assert real is not None
    assert real.ratio == pytest.approx((4500 + 1024) / (2000 + 16384), rel=0.01)


def test_a_reference_that_was_copied_is_none_either() -> None:
    cells = by_name(synthetic.bench(), Figure.CPU)
    new, old = cells["vsock loopback 64K errqueue/1"], cells["vsock loopback 4K errqueue/1"]
    assert ratio(new, old) is not None
    assert ratio(new, replace(old, zerocopy=False)) is None


def test_two_clocks_are_never_compared() -> None:
    wall = measured(synthetic.bench(clock=Clock.WALL), Figure.CPU)[0]
    counted = measured(synthetic.bench(), Figure.CPU)[0]
    with pytest.raises(UsageError, match="never compared"):
        ratio(wall, counted)
    bench = synthetic.bench()
    mixed = replace(bench.rounds[0], clock=Clock.WALL)
    with pytest.raises(UsageError, match="two clocks"):
        measured(replace(bench, rounds=(*bench.rounds, mixed)), Figure.CPU)


def test_a_round_that_failed_is_told_and_one_that_the_kernel_lacks_is_another_thing() -> None:
    bench = synthetic.bench()
    first = bench.rounds[0]
    failed = replace(first, sender=None, receiver=None, reason="killed by signal 9")
    found = measured(replace(bench, rounds=(failed, *bench.rounds[1:])), Figure.CPU)
    (told,) = (each for each in found if each.failed)
    assert told.summary is not None
    assert told.summary.n == 9
    assert "killed by signal 9" in told.notes[-1]
    lacking = tuple(
        replace(each, sender=None, lacks=True, reason="setsockopt: Operation not supported")
        if each.cell == first.cell
        else each
        for each in bench.rounds
    )
    found = measured(replace(bench, rounds=lacking), Figure.CPU)
    (told,) = (each for each in found if each.lacks)
    assert (told.summary, told.failed) == (None, 0)


def seen(transport: str = "vsock", size: int = 4096, copied: float | None = 1.0) -> Seen:
    cell = Cell(transport, 0, "loopback", Mode.ERRQUEUE, size)
    return Seen(cell, Knobs(optmem_max=1 << 20, buffer=256 << 10), copied)


@pytest.mark.parametrize(
    ("one", "told"),
    [
        (seen("tcp"), "skb_orphan_frags_rx"),
        (seen("udp"), "receiver is local"),
        (replace(seen("tcp"), kept_local=True), "not known"),
        (seen(size=1 << 20), "message of 1M is larger than the credit that buffers of 256K"),
        (seen(), "credit that is left"),
        (seen(copied=0.3), "30%"),
        (seen(copied=None), "nothing proves"),
        (seen(copied=0.01), ""),
        (seen(copied=0.0), ""),
    ],
)
def test_why_it_was_copied(one: Seen, told: str) -> None:
    assert told in why_copied(one)
    assert bool(why_copied(one)) is bool(told)
    assert zerocopied(one) is not bool(told)


def test_copying_on_purpose_needs_no_excuse() -> None:
    plain = Seen(COPY, Knobs(), None)
    assert why_copied(plain) == ""
    assert not zerocopied(plain)


def test_enobufs_points_to_optmem_max() -> None:
    told = why_retried(replace(seen(), enobufs=1234))
    assert "1,234 sends" in told
    assert "net.core.optmem_max, here 1,048,576" in told
    assert why_retried(seen()) == ""


def test_what_a_kernel_lacks_is_told_in_words_of_the_interface() -> None:
    raw = Cell("raw", 4, "loopback", Mode.ERRQUEUE, 4096)
    assert "no SO_ZEROCOPY for raw" in why_lacking(raw, "setsockopt: Operation not supported")
    assert "MAX_SKB_FRAGS" in why_lacking(raw, "EMSGSIZE")
    assert why_lacking(COPY, "connect: Operation not supported").startswith("connect")


@pytest.mark.parametrize(
    ("points", "told", "size"),
    [
        ([(4096, 0.5), (16384, 2.0)], "between 4,096 and 16,384", 8192),
        ([(4096, 0.9), (8192, 1.2), (16384, 0.8), (32768, 1.25)], "between 16,384", 23170),
        ([(4096, 1.1), (8192, 1.2)], "at most 4,096", None),
        ([(4096, 0.5), (8192, 0.9)], "above 8,192", None),
        ([], "nothing was zerocopy", None),
    ],
)
def test_where_zerocopy_begins_to_win(
    points: list[tuple[int, float]], told: str, size: int | None
) -> None:
    found = break_even(points[::-1])
    assert told in found.words
    assert found.size == (None if size is None else pytest.approx(size, rel=0.01))


def test_gains_leave_out_what_was_copied() -> None:
    bench = synthetic.bench(copied=synthetic.local_copies)
    found = gains(bench, Figure.CPU, "tree")
    assert found["tcp4 loopback", (Mode.ERRQUEUE, 1)] == []
    (low, loss), (high, win) = found["vsock loopback", (Mode.ERRQUEUE, 1)]
    assert (low, high) == (4096, 65536)
    assert loss < 1 < win


def test_a_cell_is_a_ratio_of_the_one_with_the_same_interval_unless_that_copies() -> None:
    cell = Cell("tcp", 4, "loopback", Mode.NOTIFICATION, 4096, 32)
    assert reference(cell, Mode.COPY).interval == 1
    assert reference(cell, Mode.ERRQUEUE).interval == 32
