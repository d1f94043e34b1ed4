# SPDX-License-Identifier: GPL-2.0-only
"""`kzc bench`: a plan on a kernel, on two kernels, or an earlier bench again.

The status is the run's: 1 where a cell failed, or got worse by more than the tolerance.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, field, replace
from pathlib import Path

from kzc.bench.compare import TOLERANCE, Comparison, Side, same_kind
from kzc.bench.order import Missing, cells_of, name_of
from kzc.bench.plan import Plan, find_plan, list_plans
from kzc.bench.result import Bench, load
from kzc.bench.values import Cell, Clock
from kzc.cli import bench_grounds
from kzc.cli.bench_dry import kernels_of
from kzc.cli.bench_out import Shown, ready, show
from kzc.cli.job import Job, plan_folders, understand
from kzc.cli.mainjob import opened, plan_for
from kzc.cli.options import Asked
from kzc.cli.reflow import filled, room
from kzc.cli.words import INTERRUPTED
from kzc.errors import UsageError
from kzc.hosts.address import parse_address
from kzc.jobs import bench as job
from kzc.jobs.bench_facts import facts_of
from kzc.jobs.bench_measure import bench_suite
from kzc.jobs.bench_topology import measure_in
from kzc.jobs.machine import Machine
from kzc.results.clean import LONG, short
from kzc.results.store import Store
from kzc.results.verdicts import MEASUREMENT_ONLY, exit_code
from kzc.results.words import plural
from kzc.series.overlay import overlays
from kzc.settings import load_settings
from kzc.shared import shared_folder

_NO_OVERLAY = "none"
_TOPOLOGIES = ("loopback", "pair", "nested")


@dataclass(frozen=True)
class Wish:
    """What the command line says beyond tree and guest."""

    plan: str = ""
    topology: str = ""
    rounds: int | None = None
    boots: int | None = None
    clock: str = ""
    against: str = ""
    base: str = ""
    tolerance: float = TOLERANCE
    replay: str = ""
    shown: Shown = field(default_factory=Shown)


def listed() -> int:
    """Name, size and title of each plan."""
    folders = plan_folders(Path.cwd())
    names = dict.fromkeys(name for folder in folders for name in list_plans(folder))
    wide = max(map(len, names), default=0) + 2
    for name in names:
        _, plan = find_plan(name, folders, Path.cwd())
        cells, _ = cells_of(plan, plan.topology)
        count = f"{len(cells)} cells, {plan.rounds} rounds, {plan.topology}"
        seed = f" (seed {plan.seed})" if plan.seed else ""
        told = f"{name:<{wide}}{short(plan.title)}{seed}"
        print(*filled(told, room() or sys.maxsize, wide), f"{'':{wide}}{count}", sep="\n")
    return 0


def dry_run(asked: Asked, wish: Wish) -> int:
    """What would be measured, in words; names are looked up, nothing is fetched, built or booted.

    Raises UsageError for whatever is not there.
    """
    clock = _clock(wish.clock)
    name, plan, topology = _planned(wish)
    cells, missing = cells_of(plan, topology)
    _anything(cells, missing)
    asked = _with_defaults(asked, plan)
    if wish.against:
        before = _side(Store.of(load_settings({}, Path.cwd())), wish.against).bench
        same_kind(before, plan, topology, clock or before.clock)
    found = kernels_of(asked, wish.base)
    print(f"{name}: {short(plan.title)}")
    if found.unclean:
        print(f"NOT CLEAN: the kernel has {short(found.unclean)}, which is for measurement only")
    print(f"series {asked.series or 'none'}, topology {topology}, ", end="")
    print(f"clock {wish.clock or 'wall with KVM, instructions without'}")
    print(f"kernel {short('; before it '.join(reversed(found.words)), LONG)}")
    for word in found.unknown:
        print(f"not looked up: {short(word)}")
    print(_count(len(cells), plan, len(found.words)))
    for cell in cells:
        print(f"  {name_of(cell)}")
    for each in missing:
        print(f"  left out: {name_of(each.cell)}: {each.reason}")
    return 0


def _count(cells: int, plan: Plan, kernels: int) -> str:
    each, of_each = (f" x {kernels} kernels", " of each") if kernels > 1 else ("", "")
    rounds = cells * plan.rounds * kernels
    boots = plural(min(plan.boots, plan.rounds), "boot")
    return f"{cells} cells x {plan.rounds} rounds{each} = {rounds} over {boots}{of_each}"


def bench(asked: Asked, wish: Wish) -> int:
    """Measure, or with `replay` show what was measured."""
    ready(wish.shown)
    store = Store.of(load_settings({}, Path.cwd()))
    against = _side(store, wish.against) if wish.against else None
    if wish.replay:
        return _replayed(store, wish, against)
    request, measure, understood = _understood(asked, wish, against)
    facts = {"plan": request.name, "clock": request.clock.value}
    run = None
    try:
        with opened(understood, {**understood.facts, **facts}) as shopfloor:
            run = shopfloor.run
            done = job.run(shopfloor, request, measure)
    except KeyboardInterrupt:
        kept = load(run.folder) if run else None
        if run is None or kept is None or not kept.rounds:
            raise
        show(kept, wish.shown, None)
        said = f"interrupted: {len(kept.rounds):,} of {kept.wanted:,} rounds were measured"
        print(f"kzc: {said}; they are kept in run {run.run.id}", file=sys.stderr)
        return INTERRUPTED
    if done is not None:
        show(done, wish.shown, job.comparison_of(done, against, wish.tolerance))
    _say_where(wish, run.run.id, run.folder)
    return exit_code(run.run)


def _understood(
    asked: Asked, wish: Wish, against: Side | None
) -> tuple[job.Request, job.Measure, Job]:
    """What the command line means, all of it found; whatever cannot be had is raised here."""
    wanted_clock = _clock(wish.clock)
    name, plan, topology = _planned(wish)
    _anything(*cells_of(plan, topology))
    asked = _with_defaults(asked, plan)
    address = parse_address(asked.host) if asked.host else None
    understood = understand(asked, with_suites=False)
    guests, facts = plan_for(understood)
    clock = wanted_clock or (Clock.WALL if guests.accel == "kvm" else Clock.INSTRUCTIONS)
    if clock is Clock.INSTRUCTIONS:
        guests = replace(guests, accel="tcg")
    measure = measure_in(topology, clock, address, asked.accept, suite=plan.suite)
    if against:
        same_kind(against.bench, plan, topology, clock)
    understood = replace(understood, facts={**understood.facts, **facts})
    request = job.Request(
        name,
        plan,
        topology,
        clock,
        bench_grounds.grounds(understood, asked, wish.base),
        understood.wanted.also(bench_suite(plan.suite).fragments),
        guests,
        against,
        wish.tolerance,
        understood.facts.get(MEASUREMENT_ONLY, ""),
        facts_of(Machine(), understood.facts, clock),
    )
    return request, measure, understood


def _say_where(wish: Wish, name: str, folder: Path) -> None:
    where = sys.stdout if wish.shown.form == "text" else sys.stderr
    print(f"\nrun {name}: {folder}", file=where, flush=True)


def _planned(wish: Wish) -> tuple[str, Plan, str]:
    """The plan with what the command line changes of it. Raises UsageError."""
    if not wish.plan:
        raise UsageError("no plan", "kzc bench --plan NAME; --list shows them")
    name, plan = find_plan(wish.plan, plan_folders(Path.cwd()), Path.cwd())
    if wish.rounds:
        plan = plan.model_copy(update={"rounds": wish.rounds})
    if wish.boots:
        plan = plan.model_copy(update={"boots": wish.boots})
    topology = wish.topology or plan.topology
    if topology not in _TOPOLOGIES:
        raise UsageError(f"there is no topology {topology}", f"there are: {', '.join(_TOPOLOGIES)}")
    return name, plan, topology


def _anything(cells: tuple[Cell, ...], missing: tuple[Missing, ...]) -> None:
    if not cells:
        why = "; ".join(dict.fromkeys(each.reason for each in missing))
        raise UsageError(f"no cell of the plan can be measured: {why}")


def _with_defaults(asked: Asked, plan: Plan) -> Asked:
    """The plan's series and overlay where the command line names none."""
    overlay = asked.overlay or plan.overlay
    if overlay and overlay != _NO_OVERLAY and overlay not in overlays(shared_folder("patches")):
        raise UsageError(f"{overlay} is no overlay", "--overlay none leaves it out")
    chosen = None if overlay in {"", _NO_OVERLAY} else overlay
    return replace(asked, series=asked.series or plan.series, overlay=chosen)


def _clock(word: str) -> Clock | None:
    try:
        return Clock(word) if word else None
    except ValueError:
        known = ", ".join(Clock)
        raise UsageError(f"there is no clock {word}", f"there are: {known}") from None


def _side(store: Store, name: str) -> Side:
    """The newest kernel of an earlier run's bench. Raises UsageError."""
    found = _kept(store, name)
    return Side(found, found.kernels[-1].label)


def _kept(store: Store, name: str) -> Bench:
    run = store.load(name)
    found = load(store.folder_of(run))
    if found is None or not found.rounds:
        raise UsageError(
            f"run {run.id} has no bench ({short(' '.join(run.command), LONG)})",
            "`kzc runs` shows which runs are of `kzc bench`",
        )
    return found


def _replayed(store: Store, wish: Wish, against: Side | None) -> int:
    found = _kept(store, wish.replay)
    comparison: Comparison | None = job.comparison_of(found, against, wish.tolerance)
    show(found, wish.shown, comparison)
    if comparison:
        return int(bool(comparison.worse))
    return exit_code(store.load(wish.replay))
