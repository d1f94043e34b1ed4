# SPDX-License-Identifier: GPL-2.0-only
"""Before and after: a planted regression is found, noise is not, and nothing is passed over."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kzc.bench.compare import Change, Comparison, Side, Word, compared
from kzc.bench.order import name_of
from kzc.bench.plan import Figure
from kzc.bench.report import comparison_table
from kzc.bench.result import Bench
from kzc.bench.values import Cell, Clock, Mode
from kzc.errors import UsageError

from . import synthetic


def worse_by(part: float, mode: Mode = Mode.ERRQUEUE) -> synthetic.Cost:
    def cost(cell: Cell) -> float:
        return synthetic.cost(cell) * (1 + part if cell.mode is mode else 1)

    return cost


def versus(old: Bench, new: Bench, tolerance: float = 5.0) -> Comparison:
    return compared(Side(old, "tree"), Side(new, "tree"), tolerance)


def words(found: Comparison, figure: Figure = Figure.CPU) -> dict[str, Word]:
    return {name_of(each.cell): each.word for each in found.changes if each.figure is figure}


PLAN = synthetic.PLAN.model_copy(update={"sizes": (64 << 10,), "figures": (Figure.CPU,)})
BEFORE = synthetic.bench(PLAN, noise=0.01)


def test_ten_percent_more_are_found_in_the_cells_that_have_them_and_in_no_other() -> None:
    found = versus(BEFORE, synthetic.bench(PLAN, noise=0.01, seed=2, cost=worse_by(0.1)))
    told = words(found)
    assert {name for name, word in told.items() if word is Word.WORSE} == {
        *("vsock loopback 64K errqueue/1", "tcp4 loopback 64K errqueue/1"),
    }
    assert set(told.values()) == {Word.WORSE, Word.SAME}
    change = next(each for each in found.worse if each.figure is Figure.CPU)
    assert change.percent == pytest.approx(10, abs=1.5)


def test_noise_alone_is_no_regression() -> None:
    for seed in (2, 3, 4):
        found = versus(BEFORE, synthetic.bench(PLAN, noise=0.03, seed=seed), tolerance=0.0)
        assert not found.worse


def test_what_is_within_the_tolerance_is_told_but_does_not_count() -> None:
    found = versus(BEFORE, synthetic.bench(PLAN, noise=0.002, seed=2, cost=worse_by(0.04)))
    assert words(found)["vsock loopback 64K errqueue/1"] is Word.WITHIN
    assert not found.worse
    assert versus(
        BEFORE, synthetic.bench(PLAN, noise=0.002, seed=2, cost=worse_by(0.04)), 2.0
    ).worse


def test_faster_is_better_unless_it_was_copied() -> None:
    quick = synthetic.bench(
        PLAN, noise=0.01, seed=2, cost=worse_by(-0.2), copied=synthetic.local_copies
    )
    told = words(versus(BEFORE, quick))
    assert told["vsock loopback 64K errqueue/1"] is Word.BETTER
    assert told["tcp4 loopback 64K errqueue/1"] is Word.COPIED


def test_what_one_side_lacks_is_named() -> None:
    bench = synthetic.bench(PLAN, seed=2)
    gone = bench.rounds[0].cell
    fewer = replace(bench, rounds=tuple(each for each in bench.rounds if each.cell != gone))
    found = versus(BEFORE, fewer)
    assert words(found)[name_of(gone)] is Word.ONLY_BEFORE
    assert words(versus(fewer, bench))[name_of(gone)] is Word.ONLY_AFTER
    table = comparison_table(found, fewer)
    assert any(name_of(gone) in note and "missing now" in note for note in table.notes)
    assert not found.worse


def test_too_few_rounds_are_called_so() -> None:
    plan = PLAN.model_copy(update={"rounds": 3})
    old = synthetic.bench(plan)
    new = synthetic.bench(plan, seed=2, cost=worse_by(0.5))
    assert set(words(versus(old, new)).values()) == {Word.TOO_FEW}


def test_another_clock_plan_or_topology_is_refused() -> None:
    with pytest.raises(UsageError, match="never compared") as raised:
        versus(BEFORE, synthetic.bench(PLAN, clock=Clock.WALL))
    assert raised.value.hint == "measure again with --clock instructions"
    plan = PLAN.model_copy(update={"bytes": 1 << 21})
    with pytest.raises(UsageError, match="bytes was 1048576"):
        versus(BEFORE, synthetic.bench(plan))
    with pytest.raises(UsageError, match="--topology loopback"):
        versus(BEFORE, replace(BEFORE, topology="nested"))


def test_another_emulator_is_said() -> None:
    found = versus(BEFORE, replace(BEFORE, setup={"QEMU": "9.0", "machine": "x86_64"}))
    assert found.notes == ("QEMU is not the same: 7.2.22, now 9.0",)


def test_two_kernels_of_one_bench_are_compared_too() -> None:
    other = synthetic.bench(PLAN, noise=0.01, seed=2, cost=worse_by(0.1), label="after")
    both = replace(
        BEFORE,
        kernels=(*BEFORE.kernels, *other.kernels),
        rounds=(*BEFORE.rounds, *other.rounds),
    )
    found: tuple[Change, ...] = compared(Side(both, "tree"), Side(both, "after")).worse
    assert {each.cell.mode for each in found} == {Mode.ERRQUEUE}
