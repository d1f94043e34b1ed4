# SPDX-License-Identifier: GPL-2.0-only
"""A plan on one kernel, or on two that are compared: built, booted in turns, measured, kept.

Every round is on disk when it is shown. What ends a bench early (Ctrl-C, a host that broke) takes
nothing that was measured.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from kzc.bench.compare import TOLERANCE, Comparison, Side, compared, same_kind
from kzc.bench.order import Boot as Due
from kzc.bench.order import amount_of, cells_of, name_of, schedule
from kzc.bench.plan import Plan
from kzc.bench.result import Bench, Journal, journal
from kzc.bench.result import Kernel as Told
from kzc.bench.values import Clock, Round
from kzc.jobs import guests, kernels
from kzc.jobs.bench_guest import Boot, Kernel, Terms
from kzc.jobs.bench_measure import bench_suite, make_kernel
from kzc.jobs.bench_outcome import outcome
from kzc.jobs.choice import Choice
from kzc.jobs.kernels import Wanted
from kzc.jobs.pipeline import stage
from kzc.jobs.workshop import Workshop, stopwatch
from kzc.series.present import Present
from kzc.values import Outcome, Stage, Verdict

# 2e9 instructions: a round takes a fifth of that at most, and what hangs takes minutes of ours
_COUNTED_SECONDS = 2


@dataclass(frozen=True)
class Ground:
    """A kernel to be measured by its label: what it is made of, and words for a person.

    `present` is in place of a series that the tree has already.
    """

    label: str
    what: str
    choice: Choice
    present: Present | None = None


@dataclass(frozen=True)
class Request:
    """What is asked. Of two grounds the second is compared with the first; `against` is a side of
    an earlier bench instead. `tolerance` in percent; `unclean` names what is for measurement."""

    name: str
    plan: Plan
    topology: str
    clock: Clock
    grounds: tuple[Ground, ...]
    wanted: Wanted
    guests: guests.Plan
    against: Side | None = None
    tolerance: float = TOLERANCE
    unclean: str = ""
    setup: Mapping[str, str] = field(default_factory=dict)


Measure = Callable[[Workshop, guests.Plan, Boot, Terms], Iterator[Round]]
"""Boots a kernel and yields a round for each turn, in their order."""


def run(shopfloor: Workshop, request: Request, measure: Measure) -> Bench | None:
    """Measure and keep; the bench, or None where a kernel could not be made, which is kept.

    Raises UsageError, before anything is built, where `against` cannot be compared with.
    """
    if request.against:
        same_kind(request.against.bench, request.plan, request.topology, request.clock)
    made = {}
    for ground in request.grounds:
        one = _make(shopfloor, request, ground)
        if one is None:
            reason = f"there is no kernel {ground.label} to measure"
            shopfloor.keep(Outcome(Stage.BENCH, request.name, Verdict.NOT_RUN, reason=reason))
            shopfloor.run.finish()
            return None
        made[ground.label] = one
    return measured(shopfloor, request, made, measure)


def measured(
    shopfloor: Workshop, request: Request, made: Mapping[str, Kernel], measure: Measure
) -> Bench:
    """Measure the kernels by their labels and keep what came, whatever ends it."""
    watch = stopwatch()
    with journal(shopfloor.run.folder, _head(shopfloor, request, made)) as kept:
        try:
            with stage(shopfloor, Stage.BENCH, request.name):
                _measure(shopfloor, request, made, measure, kept)
        except BaseException:
            shopfloor.keep(outcome(kept.bench, watch(), shopfloor.again))
            raise
        comparison = comparison_of(kept.bench, request.against, request.tolerance)
        shopfloor.keep(outcome(kept.bench, watch(), shopfloor.again, comparison))
    shopfloor.run.finish()
    return kept.bench


def comparison_of(
    bench: Bench, against: Side | None = None, tolerance: float = TOLERANCE
) -> Comparison | None:
    """With an earlier bench, or of a bench's two kernels; None where there is nothing to compare.

    Raises UsageError where they cannot be compared.
    """
    last = Side(bench, bench.kernels[-1].label)
    if against is not None:
        return compared(against, last, tolerance)
    if len(bench.kernels) > 1:
        return compared(Side(bench, bench.kernels[0].label), last, tolerance)
    return None


def _measure(
    shopfloor: Workshop,
    request: Request,
    made: Mapping[str, Kernel],
    measure: Measure,
    kept: Journal,
) -> None:
    done, wanted = 0, kept.bench.wanted
    terms = _terms(request)
    for due in _boots(request):
        boot = Boot(made[due.kernel], due.number, due.turns)
        for found in measure(shopfloor, request.guests, boot, terms):
            kept.add(found)
            done += 1
            reason = f": {found.reason}" if found.sender is None else ""
            told = f"{done}/{wanted} {name_of(found.cell)}{reason}"
            shopfloor.screen.progress(told, done / wanted)


def _terms(request: Request) -> Terms:
    named = request.plan.settings.model_dump(include={"optmem_max", "skb_defer_max"})
    sysctls = {f"net.core.{name}": value for name, value in named.items() if value is not None}
    pinned = (0, 1) if request.clock is Clock.WALL else None
    amount = amount_of(request.plan)
    if request.clock is Clock.INSTRUCTIONS:
        amount = replace(amount, seconds=_COUNTED_SECONDS)
    return Terms(request.clock, amount, sysctls, pinned)


def _boots(request: Request) -> tuple[Due, ...]:
    plan = request.plan
    cells, _ = cells_of(plan, request.topology)
    labels = [ground.label for ground in request.grounds]
    return schedule(cells, plan.rounds, plan.boots, labels, plan.shuffle)


def _make(shopfloor: Workshop, request: Request, ground: Ground) -> Kernel | None:
    choice, suite = ground.choice, bench_suite(request.plan.suite)
    with stage(shopfloor, Stage.APPLY, ground.what, then=Stage.BUILD):
        source = kernels.source_of(shopfloor, choice.tree, choice.series, ground.present)
        if source is None:
            return None
        if choice.ready is None:
            return make_kernel(shopfloor, source, request.wanted, ground.label, suite)
        programs = kernels.make_tests(shopfloor, source, (suite,))
    ready = choice.ready
    known = (ground.label, ready.kernel)
    folder = next(iter(programs.values()), None)
    return Kernel(*known, folder, choice.tree.repo, ready.modules) if folder else None


def _head(shopfloor: Workshop, request: Request, made: Mapping[str, Kernel]) -> Bench:
    _, missing = cells_of(request.plan, request.topology)
    told = tuple(
        Told(
            ground.label,
            ground.what,
            made[ground.label].kernel.release,
            made[ground.label].kernel.key,
        )
        for ground in request.grounds
    )
    facts = shopfloor.run.run.environment
    setup = {**request.setup, "compiler": facts.get("compiler", "")}
    return Bench(
        request.name,
        request.plan,
        request.topology,
        request.clock,
        request.guests.accel == "kvm",
        shopfloor.again,
        told,
        {key: value for key, value in setup.items() if value},
        request.unclean,
        sum(len(due.turns) for due in _boots(request)),
        missing,
    )
