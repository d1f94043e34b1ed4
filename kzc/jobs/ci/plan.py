# SPDX-License-Identifier: GPL-2.0-only
"""From a matrix to jobs: the cells there are, a build for each kernel that they need. Pure.

Tests whose kernels are configured alike share one build. A suite that cannot run in a topology has
no cell there; one that is asked for and can run in none of those asked for is a mistake.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import product

from kzc.errors import UsageError
from kzc.jobs.ci.exceptions import check_exceptions
from kzc.jobs.ci.matrix import Block, Matrix
from kzc.jobs.ci.values import NONE, Cell, Job, Kind, Wants
from kzc.suites.manifest import Suite

EXPECTED = {Kind.BUILD: 600.0, Kind.TEST: 60.0, Kind.BENCH: 300.0}
"""Seconds of a job that was never seen."""

_QEMU = 256  # MiB that QEMU itself takes
_FIRST_LEVEL = 2048  # MiB of a first level beside its guest's
_COMPILER = 512  # MiB of a compiler
_BENCH = 4096


@dataclass(frozen=True)
class Measured:
    """What a plan measures with, and on what: the suite of its program, and the series (for a tree
    as it is) and the overlay that the plan names; empty where it names none."""

    suite: Suite
    series: str = ""
    overlay: str = ""


@dataclass(frozen=True)
class Catalogue:
    """What names mean on this machine. Each raises UsageError for what is not there.

    `suites` gives the suites that a series brings (all, for a tree as it is), `fragments` the
    config fragments of a profile with a series (first) and a suite's own (second) by name,
    `plan` what a plan measures, `memory` the least MiB of a profile's guests. `cpus` are this
    machine's, `kvm` whether guests are to run with nothing else.
    """

    suite: Callable[[str], Suite]
    suites: Callable[[str], tuple[str, ...]]
    fragments: Callable[[str, str], tuple[str, ...]]
    plan: Callable[[str], Measured]
    memory: Callable[[str], int]
    cpus: int
    kvm: bool = False


def plan(matrix: Matrix, catalogue: Catalogue, seen: Mapping[str, float]) -> tuple[Job, ...]:
    """All jobs, builds before what needs them; `seen` are seconds by job from runs before."""
    jobs: dict[str, Job] = {}
    builds: dict[str, Job] = {}
    for at, block in enumerate(matrix.matrix):
        planner = _Planner(block, matrix, catalogue)
        check_exceptions(block, at, tuple(planner.cells()))
        for job, build in planner.jobs():
            known = builds.setdefault(build.name, replace(build, required=False))
            if job.required and not known.required:
                builds[build.name] = build
            before = jobs.get(job.name)
            if before is not None and before.argv != job.argv:
                raise UsageError(
                    f"two jobs are called {job.name}",
                    f"`kzc {shlex.join(before.argv)}` and `kzc {shlex.join(job.argv)}`",
                )
            if before is None or (job.required and not before.required):
                jobs[job.name] = job
    if not jobs:
        raise UsageError("the matrix has no cell: all that it names is excluded")
    return tuple(_expecting(job, seen) for job in (*builds.values(), *jobs.values()))


def _expecting(job: Job, seen: Mapping[str, float]) -> Job:
    seconds = seen.get(job.name)
    if seconds is None:
        return replace(job, expected=EXPECTED[job.kind])
    return replace(job, expected=seconds, known=True)


@dataclass(frozen=True)
class _Planner:
    """One block of the matrix."""

    block: Block
    matrix: Matrix
    catalogue: Catalogue

    def cells(self) -> Iterator[Cell]:
        """All cells, with those that are excluded."""
        for ground in self._grounds():
            for cell, _, _ in self._cells(ground):
                yield cell

    def _grounds(self) -> Iterator[Cell]:
        block = self.block
        for tree, series, profile in product(block.trees, block.series, block.profiles):
            yield Cell(tree, series, profile)

    def jobs(self) -> Iterator[tuple[Job, Job]]:
        """Each test or bench, with the build that it needs."""
        block = self.block
        for ground in self._grounds():
            for cell, suite, word in self._cells(ground):
                if not any(some.means(cell) for some in block.exclude):
                    if suite:
                        build, job = self._build(ground, suite, word), self._test(cell, suite, word)
                    else:
                        build, job = self._measured(ground, cell.plan), self._bench(cell)
                    if self.catalogue.kvm:
                        devices = ("kvm", *job.wants.devices)
                        job = replace(job, wants=replace(job.wants, devices=devices))
                    required = not block.fails_quietly(cell)
                    yield replace(job, needs=(build.name,), required=required), build

    def _cells(self, ground: Cell) -> Iterator[tuple[Cell, Suite | None, str]]:
        """Cells with their suite, and the word for it: its name or its folder."""
        block, catalogue = self.block, self.catalogue
        named = block.suites is not None
        for name in block.suites if block.suites is not None else catalogue.suites(ground.series):
            suite = catalogue.suite(name)
            fitting = [each for each in block.topologies if each in suite.topologies]
            if named and not fitting:
                raise UsageError(
                    f"the suite {name} cannot run in {' or '.join(block.topologies)}",
                    f"it runs in {', '.join(suite.topologies)}",
                )
            for topology in fitting:
                yield replace(ground, topology=topology, suite=suite.name), suite, name
        for name in block.plans:
            yield replace(ground, plan=name), None, ""

    def _build(self, ground: Cell, suite: Suite, word: str, overlay: str = "") -> Job:
        have = self.catalogue.fragments(ground.profile, ground.series)
        own = [name.removesuffix(".config") for name in suite.fragments]
        more = [name for name in own if name not in have]
        on_top = (overlay,) if overlay else ()
        argv = (
            *("build", *_series(ground), *_source(ground)),
            *(("--suite", word) if more else ()),
            *(("--overlay", overlay) if overlay else ()),
        )
        cpus = self.catalogue.cpus
        wants = self._wished(Wants(cpus, _COMPILER * cpus), "build")
        name = _name(ground, "+".join(("build", *more, *on_top)))
        return Job(name, Kind.BUILD, argv, ground, wants=wants)

    def _measured(self, ground: Cell, plan: str) -> Job:
        """The kernel that `kzc bench` measures, which has more in it than that of tests."""
        found = self.catalogue.plan(plan)
        if ground.series == NONE and found.series:
            ground = replace(ground, series=found.series)
        return self._build(ground, found.suite, found.suite.name, found.overlay)

    def _test(self, cell: Cell, suite: Suite, word: str) -> Job:
        series, where = _series(cell), cell.topology
        suites = ("--suite", word) if series else (word,)
        remote = bool(self.block.host) and where == "pair"
        argv = (
            *(("run", *series) if series else ("test",)),
            *suites,
            *_source(cell),
            *("--topology", where),
            *(("--host", self.block.host) if remote else ()),
        )
        wants = _of_guest(suite, where, remote, self.catalogue.memory(cell.profile))
        name = _name(cell, where, cell.suite)
        return Job(name, Kind.TEST, argv, cell, wants=self._wished(wants, where))

    def _bench(self, cell: Cell) -> Job:
        argv = ("bench", *_series(cell), "--plan", cell.plan, *_source(cell))
        wants = self._wished(Wants(self.catalogue.cpus, _BENCH), "bench")
        return Job(_name(cell, "bench", cell.plan), Kind.BENCH, argv, cell, wants=wants)

    def _wished(self, wants: Wants, where: str) -> Wants:
        for name, want in self.matrix.wants.items():
            if name == where:
                cpus, memory = want.cpus or wants.cpus, want.memory or wants.memory
                return replace(wants, cpus=cpus, memory=memory)
        return wants


def _of_guest(suite: Suite, topology: str, remote: bool, least: int) -> Wants:
    memory = max(suite.memory_mib, least) + _QEMU
    if topology == "nested":
        return Wants(2, memory + _FIRST_LEVEL)
    if topology == "pair":
        return Wants(1, 256) if remote else Wants(suite.cpus, memory, ("vhost-vsock",))
    return Wants(suite.cpus, memory)


def _series(cell: Cell) -> tuple[str, ...]:
    return () if cell.series == NONE else (cell.series,)


def _source(cell: Cell) -> tuple[str, ...]:
    return ("--tree", cell.tree, "--profile", cell.profile)


def _name(cell: Cell, *rest: str) -> str:
    profile = () if cell.profile == "default" else (cell.profile,)
    return "/".join((cell.tree, cell.series, *profile, *rest))
