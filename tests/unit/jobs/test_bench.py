# SPDX-License-Identifier: GPL-2.0-only
"""A bench's rounds on their way to disk and verdict; guests are stood in for by made-up rounds."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from kzc.bench.compare import Side
from kzc.bench.plan import Figure, Plan
from kzc.bench.result import load
from kzc.bench.values import Cell, Clock, Mode, Round
from kzc.errors import HostError, UsageError
from kzc.jobs import bench as job
from kzc.jobs import guests
from kzc.jobs.bench_guest import Boot, Kernel, Terms
from kzc.jobs.choice import Choice
from kzc.jobs.kernels import Wanted
from kzc.jobs.workshop import Workshop
from kzc.results.formats import FORMATS
from kzc.results.verdicts import exit_code
from kzc.trees.tree import Tree
from kzc.values import KernelBuild, Stage, Verdict
from tests.unit.bench import synthetic

PLAN = synthetic.PLAN.model_copy(
    update={"sizes": (64 << 10,), "figures": (Figure.CPU,), "rounds": 5, "transports": ("vsock",)}
)
TREE = Tree("t", "t", "path", Path(), "0" * 40, "0" * 40, "6.12.117")
BUILT = KernelBuild("0123", "/k", "/k/bzImage", "c", "6.12.117+", "t", "gcc")


def request_for(*labels: str, plan: Plan = PLAN, against: Side | None = None) -> job.Request:
    grounds = tuple(job.Ground(label, f"{label} on 6.12", Choice("", TREE)) for label in labels)
    plain = guests.Plan("tcg")
    return job.Request(
        "mine", plan, "loopback", Clock.INSTRUCTIONS, grounds, Wanted(()), plain, against
    )


def made(*labels: str) -> dict[str, Kernel]:
    return {label: Kernel(label, BUILT, Path(), Path()) for label in labels}


class Guests:
    """Yields rounds by the synthetic cost, times what a kernel is worse by; after `until` rounds
    it raises."""

    def __init__(
        self, worse: dict[str, float] | None = None, until: int = -1, error: type = HostError
    ) -> None:
        self.worse, self.until, self.error = worse or {}, until, error
        self.booted: list[tuple[str, int]] = []

    def __call__(
        self, shopfloor: Workshop, plan: guests.Plan, boot: Boot, terms: Terms
    ) -> Iterator[Round]:
        self.booted.append((boot.kernel.label, boot.number))
        assert terms.sysctls == {"net.core.optmem_max": 1 << 20}
        for turn in boot.turns:
            if self.until == 0:
                raise self.error("the machine is gone")
            self.until -= 1
            yield self.one(turn.cell, boot, turn.number)

    def one(self, cell: Cell, boot: Boot, number: int) -> Round:
        each = synthetic.cost(cell) * (1 + number / 5000)
        if cell.mode is not Mode.COPY:
            each *= 1 + self.worse.get(boot.kernel.label, 0)
        found = synthetic.round_of(cell, PLAN, each, 0, Clock.INSTRUCTIONS)
        return replace(found, kernel=boot.kernel.label, boot=boot.number, number=number)


def test_all_rounds_are_kept_and_the_outcome_has_a_case_for_each_cell(
    shopfloor: Workshop,
) -> None:
    standing = Guests()
    found = job.measured(shopfloor, request_for("tree"), made("tree"), standing)
    assert found.whole
    assert load(shopfloor.run.folder) == found
    assert standing.booted == [("tree", 1), ("tree", 2)]
    outcome = shopfloor.run.run.outcomes[-1]
    assert (outcome.stage, outcome.verdict) == (Stage.BENCH, Verdict.PASS)
    assert [case.name for case in outcome.cases] == [
        *("vsock loopback 64K copy", "vsock loopback 64K errqueue/1"),
    ]
    assert outcome.cases[0].detail["cpu (instructions per message)"] == pytest.approx(18384, 0.01)
    assert exit_code(shopfloor.run.run) == 0


def test_what_was_measured_outlives_an_interruption(shopfloor: Workshop) -> None:
    with pytest.raises(KeyboardInterrupt):
        job.measured(
            shopfloor, request_for("tree"), made("tree"), Guests(until=3, error=KeyboardInterrupt)
        )
    kept = load(shopfloor.run.folder)
    assert kept is not None
    assert (len(kept.rounds), kept.wanted) == (3, 10)
    outcome = shopfloor.run.run.outcomes[-1]
    assert "CUT SHORT: 3 of 10 rounds" in outcome.reason
    assert not shopfloor.run.run.finished


def test_a_host_that_breaks_is_the_verdict_and_what_was_measured_stays(
    shopfloor: Workshop,
) -> None:
    with pytest.raises(HostError):
        job.measured(shopfloor, request_for("tree"), made("tree"), Guests(until=1))
    verdicts = [each.verdict for each in shopfloor.run.run.outcomes]
    assert Verdict.INFRA in verdicts
    assert shopfloor.run.run.outcomes[-1].cases[0].verdict is not Verdict.FAIL
    kept = load(shopfloor.run.folder)
    assert kept is not None
    assert len(kept.rounds) == 1


def test_two_kernels_take_turns_and_a_planted_regression_fails_the_second(
    shopfloor: Workshop,
) -> None:
    standing = Guests({"after": 0.2})
    found = job.measured(shopfloor, request_for("base", "after"), made("base", "after"), standing)
    assert standing.booted == [("base", 1), ("after", 1), ("after", 2), ("base", 2)]
    (bad,) = (case for case in shopfloor.run.run.outcomes[-1].cases if not case.verdict.good)
    assert bad.name == "vsock loopback 64K errqueue/1 (after)"
    assert "+20.0 %, worse" in bad.reason
    assert exit_code(shopfloor.run.run) == 1
    comparison = job.comparison_of(found)
    assert comparison is not None
    assert comparison.before == "base on 6.12"


def test_an_earlier_bench_is_compared_with(shopfloor: Workshop) -> None:
    before = synthetic.bench(PLAN)
    request = request_for("tree", against=Side(before, "tree"))
    job.measured(shopfloor, request, made("tree"), Guests({"tree": 0.2}))
    assert exit_code(shopfloor.run.run) == 1


def test_one_of_another_clock_is_refused_before_anything_is_built(shopfloor: Workshop) -> None:
    before = synthetic.bench(PLAN, clock=Clock.WALL)
    request = request_for("tree", against=Side(before, "tree"))
    with pytest.raises(UsageError, match="never compared"):
        job.run(shopfloor, request, Guests())
    assert shopfloor.run.run.outcomes == ()


def test_a_cell_that_the_kernel_lacks_is_skipped_and_one_that_failed_fails(
    shopfloor: Workshop,
) -> None:
    class Poor(Guests):
        def one(self, cell: Cell, boot: Boot, number: int) -> Round:
            found = super().one(cell, boot, number)
            if cell.mode is Mode.COPY and number > 1:
                return found
            lacks = cell.mode is not Mode.COPY
            return replace(found, sender=None, lacks=lacks, reason="it says no")

    job.measured(shopfloor, request_for("tree"), made("tree"), Poor())
    copy, errqueue = shopfloor.run.run.outcomes[-1].cases
    assert (copy.verdict, errqueue.verdict) == (Verdict.FAIL, Verdict.SKIP)
    assert "it says no" in copy.reason
    assert errqueue.reason == "it says no"


def test_a_boot_that_gave_nothing_is_not_the_fault_of_its_cells(shopfloor: Workshop) -> None:
    class Dead(Guests):
        def one(self, cell: Cell, boot: Boot, number: int) -> Round:
            found = super().one(cell, boot, number)
            return found if boot.number == 1 else replace(found, sender=None, reason="it is gone")

    found = job.measured(shopfloor, request_for("tree"), made("tree"), Dead())
    assert found.whole
    for case in shopfloor.run.run.outcomes[-1].cases:
        assert case.verdict is Verdict.PASS
        assert "2 rounds failed and did not count: it is gone" in case.reason
    one_boot = request_for("tree", plan=PLAN.model_copy(update={"boots": 1}))

    class Deader(Dead):
        def one(self, cell: Cell, boot: Boot, number: int) -> Round:
            return replace(super().one(cell, boot, number), sender=None, reason="it is gone")

    job.measured(shopfloor, one_boot, made("tree"), Deader())
    assert {case.verdict for case in shopfloor.run.run.outcomes[-1].cases} == {Verdict.NOT_RUN}


@pytest.mark.parametrize("form", FORMATS)
def test_the_run_has_a_report_like_any_other(shopfloor: Workshop, form: str) -> None:
    job.measured(shopfloor, request_for("tree"), made("tree"), Guests())
    shown = FORMATS[form](shopfloor.run.run, shopfloor.run.folder)
    assert "mine" in shown
    if form == "json":
        stages = [each["stage"] for each in json.loads(shown)["outcomes"]]
        assert stages == ["bench"]
