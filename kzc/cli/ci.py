# SPDX-License-Identifier: GPL-2.0-only
"""`kzc ci`: a file becomes jobs, these run here or on a cluster, and one report is shown."""

from __future__ import annotations

import platform
import shlex
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from rich.console import Console
from rich.text import Text

from kzc import __version__
from kzc.bench.plan import find_plan
from kzc.cli import ciplan
from kzc.cli.exports import FORMS
from kzc.cli.job import all_suites, plan_folders, suite_folder
from kzc.cli.mainjob import reported
from kzc.cli.screen import screen_for
from kzc.errors import UsageError
from kzc.jobs.bench_measure import bench_suite
from kzc.jobs.ci.attempt import Ground
from kzc.jobs.ci.book import Book
from kzc.jobs.ci.drive import Drive, Rules
from kzc.jobs.ci.durations import Durations
from kzc.jobs.ci.executor import Executor
from kzc.jobs.ci.local import Capacity, LocalExecutor
from kzc.jobs.ci.matrix import Matrix, find_file, load_matrix, mebibytes, seconds
from kzc.jobs.ci.names import Names
from kzc.jobs.ci.plan import Catalogue, Measured, plan
from kzc.jobs.ci.values import NONE, Job
from kzc.jobs.live import registered
from kzc.jobs.machine import Machine
from kzc.jobs.workshop import Workshop
from kzc.kernel.profile import find_profile
from kzc.proc import LocalRunner
from kzc.results import disk
from kzc.results.clean import short
from kzc.results.json_report import json_report
from kzc.results.store import OpenRun, Store
from kzc.results.verdicts import exit_code
from kzc.series.manifest import find_manifest
from kzc.settings import Settings, load_settings
from kzc.shared import shared_folder
from kzc.suites.manifest import load_suite
from kzc.trees import registry
from kzc.trees.find import add_tree

FILES = {
    "text": "report.txt",
    "markdown": "report.md",
    "json": "report.json",
    "junit": "junit.xml",
    "html": "report.html",
    "summary": "summary.md",
}
"""What --reports writes: formats and their files."""


@dataclass(frozen=True)
class Asked:
    """What the command line says."""

    file: Path | None = None
    plan: bool = False
    fetch: bool = False
    scheduler: str = ""
    budget: str = ""
    reports: Path | None = None
    cpus: int | None = None
    memory: str = ""
    as_json: bool = False


def ci(asked: Asked) -> int:
    """All jobs with their report; with --plan only the jobs."""
    cwd = Path.cwd()
    file = (cwd / asked.file if asked.file else find_file(cwd)).resolve()
    matrix = _budgeted(load_matrix(file), asked.budget)
    settings = load_settings({}, file.parent)
    if not asked.scheduler:  # a cluster's machines know trees and series of their own
        Names(file, settings, LocalRunner(), shared_folder("patches")).check(matrix)
    durations = Durations(settings.data)
    jobs = plan(matrix, _catalogue(settings, file.parent), durations.expected())
    memory = size_of(asked.memory) if asked.memory else Machine().memory()[1] >> 20
    capacity = Capacity(asked.cpus or settings.jobs, memory)
    if asked.plan:
        return ciplan.show(jobs, matrix, capacity, as_json=asked.as_json)
    if asked.reports is not None:  # now, and not after hours of jobs
        with disk.blamed(asked.reports, named=True):
            asked.reports.mkdir(parents=True, exist_ok=True)
    _find_trees(matrix, jobs, settings, file.parent, fetch=asked.fetch)
    with _begun(settings, file, jobs) as (run, command):
        shopfloor = Workshop(
            settings, LocalRunner(), screen_for(Console(quiet=True)), run, shlex.join(command)
        )
        ground = Ground(shopfloor.runner, settings.data, file.parent)
        where = _Where(ground, asked.scheduler, capacity)
        try:
            _worked(shopfloor, jobs, matrix, where, durations)
        except BaseException:
            if run.run.outcomes:
                _told(shopfloor, asked)
            raise
        run.finish()
        return _told(shopfloor, asked)


def _budgeted(matrix: Matrix, budget: str) -> Matrix:
    if not budget:
        return matrix
    limit = seconds(budget)
    if not isinstance(limit, float):
        raise UsageError(f"--budget {budget!r} is no time", 'as "90 min" or "1 h 30 min"')
    return matrix.model_copy(update={"budget": limit})


def size_of(text: str) -> int:
    """MiB of `8G` or `512M`. Raises UsageError."""
    found = mebibytes(text)
    if not isinstance(found, int):
        raise UsageError(f"--memory {text!r} is no size", "as 8G or 512M")
    return found


def _catalogue(settings: Settings, folder: Path) -> Catalogue:
    patches, kconfigs = shared_folder("patches"), shared_folder("kconfigs")

    def suites(series: str) -> tuple[str, ...]:
        manifest = find_manifest(patches, series) if series != NONE else None
        return manifest.suites if manifest else all_suites()

    def fragments(profile: str, series: str) -> tuple[str, ...]:
        manifest = find_manifest(patches, series) if series != NONE else None
        names = (
            *find_profile(profile, kconfigs).fragments,
            *(manifest.fragments if manifest else ()),
        )
        return tuple(name.removesuffix(".config") for name in names)

    def measured(name: str) -> Measured:
        _, found = find_plan(name, plan_folders(folder), folder)
        return Measured(bench_suite(found.suite), found.series, found.overlay)

    return Catalogue(
        suite=lambda name: load_suite(suite_folder(name, folder)),
        suites=suites,
        fragments=fragments,
        plan=measured,
        memory=lambda profile: find_profile(profile, kconfigs).memory,
        cpus=settings.jobs,
        kvm=settings.accel == "kvm",
    )


@dataclass(frozen=True)
class _Where:
    """On what jobs run."""

    ground: Ground
    scheduler: str
    capacity: Capacity

    @contextmanager
    def executor(self, logs: Path) -> Iterator[Executor]:
        if not self.scheduler:
            yield LocalExecutor(self.ground, logs, self.capacity)
            return
        from kzc.jobs.ci.cluster import connected

        with connected(self.scheduler, self.ground, logs, logs.parent.name) as cluster:
            yield cluster


def _find_trees(
    matrix: Matrix, jobs: tuple[Job, ...], settings: Settings, folder: Path, *, fetch: bool
) -> None:
    """The trees that the file gives sources for, so that all jobs mean the same commits."""
    runner, wanted = LocalRunner(), {job.cell.tree for job in jobs}
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    for name, source in matrix.trees.items():
        if name not in wanted:
            continue
        known = registry.load(registry.check_name(name), settings)
        if known is None or known.source != source or fetch:
            console.print(Text(f"... tree {name} from {short(source)}"))
            add_tree(name, source, folder, settings, runner)


@contextmanager
def _begun(
    settings: Settings, file: Path, jobs: tuple[Job, ...]
) -> Iterator[tuple[OpenRun, tuple[str, ...]]]:
    command = ("kzc", *sys.argv[1:])
    facts = {
        "tree": ", ".join(dict.fromkeys(job.cell.tree for job in jobs)),
        "series": ", ".join(dict.fromkeys(job.cell.series for job in jobs)),
        "profile": ", ".join(dict.fromkeys(job.cell.profile for job in jobs)),
        "machine": f"{platform.machine()} Linux {platform.release()}",
        "matrix": str(file),
    }
    with (
        Store.of(settings).create(command, facts, __version__) as run,
        registered(settings.data, run.run.id, command),
    ):
        yield run, command


def _worked(
    shopfloor: Workshop, jobs: tuple[Job, ...], matrix: Matrix, where: _Where, durations: Durations
) -> None:
    """Run all jobs behind a screen."""
    with screen_for(Console(stderr=True)) as screen:
        shopfloor = replace(shopfloor, screen=screen)
        rules = Rules(matrix.budget, matrix.retries)
        with (
            closing(Book(shopfloor, len(jobs), durations)) as book,
            where.executor(shopfloor.run.logs) as executor,
        ):
            Drive(jobs, executor, book, time.monotonic, rules).run()


def _told(shopfloor: Workshop, asked: Asked) -> int:
    run, folder = shopfloor.run.run, shopfloor.run.folder
    if asked.reports is not None:
        with disk.blamed(asked.reports, named=True):
            for form, name in FILES.items():
                text = FORMS[form](run, folder)
                disk.replace(asked.reports / name, text.encode(errors="replace"))
    if asked.as_json:
        print(json_report(run, folder), end="")
        return exit_code(run)
    return reported(shopfloor)
