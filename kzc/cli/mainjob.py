# SPDX-License-Identifier: GPL-2.0-only
"""`kzc apply`, `build`, `test` and `run`: a job becomes a request, a run becomes a status."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import replace

from rich.console import Console
from rich.text import Text

from kzc import __version__
from kzc.cli.ends import two_ends_of
from kzc.cli.exports import files_of, write
from kzc.cli.job import Job, all_suites, marked, understand
from kzc.cli.options import Asked
from kzc.cli.screen import screen_for
from kzc.cli.streamed import streamed
from kzc.guest.accelerator import Accelerator, probe
from kzc.jobs import kernels, pipeline
from kzc.jobs.guests import Plan
from kzc.jobs.live import registered
from kzc.jobs.pipeline import Request
from kzc.jobs.places import Places
from kzc.jobs.workshop import Workshop, find_vng
from kzc.kernel.bzimage import measured
from kzc.proc import Runner
from kzc.results import text
from kzc.results.clean import LONG, short
from kzc.results.store import OpenRun, Store
from kzc.results.summary import caveat
from kzc.results.verdicts import exit_code
from kzc.settings import Settings
from kzc.values import KernelBuild, Run


def run(asked: Asked) -> int:
    """The main job with its report."""
    if asked.bisect_run:
        from kzc.cli.bisectrun import for_git

        return for_git(lambda begin: _run(asked, begin))
    return _run(asked)


def _run(asked: Asked, begin: Callable[[OpenRun], None] = lambda run: None) -> int:
    """The same; `begin` is told of the run as soon as there is one."""
    if not asked.suites and not asked.series:
        asked = _with_all_suites(asked)
    files = files_of(asked)
    job = understand(asked)
    ends = two_ends_of(asked, job.tree, job.settings, job.runner)
    others = [end for pair in ends.ends for end in pair if end]
    noted = [name for end in others if end.ready for name in measured(end.ready.kernel)]
    job = marked(job, (job.series, *(end.series for end in others)), noted=noted)
    plan, facts = plan_for(job)
    request = Request(
        job.tree,
        job.wanted,
        plan,
        job.series,
        job.suites,
        loopback=asked.topology in {"loopback", "all"},
        two_ends=ends,
        present=job.present,
    )
    with begun(job, facts, keep=asked.keep) as (opened_run, places):
        begin(opened_run)
        with working(job, opened_run, places) as shopfloor:
            pipeline.run(shopfloor, request)
        status = reported(shopfloor)
        write(files, opened_run.run, opened_run.folder)
        places.hold(_say)
    return status


def apply(asked: Asked) -> int:
    """Only apply."""
    job = understand(asked, with_suites=False)
    with opened(job, {}) as shopfloor:
        source = kernels.source_of(shopfloor, job.tree, job.series, job.present)
    status = exit_code(shopfloor.run.run)
    if source is None or status:
        return reported(shopfloor)
    print(f"{source.commit} in {job.tree.repo}")
    return status


def build(asked: Asked) -> int:
    """Apply, if there is a series, and build."""
    job = understand(asked, with_suites=False)
    with opened(job, {}) as shopfloor:
        built = built_kernel(shopfloor, job)
    if built is None:
        return reported(shopfloor)
    for warning in built.warnings:
        print(f"{warning.file}:{warning.line}: {warning.kind}: {warning.text}")
    print(built.image)
    return exit_code(shopfloor.run.run)


def built_kernel(shopfloor: Workshop, job: Job) -> KernelBuild | None:
    """The job's kernel; None when it does not apply or does not build, which is kept."""
    source = kernels.source_of(shopfloor, job.tree, job.series, job.present)
    return kernels.make_kernel(shopfloor, source, job.wanted) if source else None


def plan_for(job: Job) -> tuple[Plan, dict[str, str]]:
    """How guests run on this machine, and what of it belongs into the run's record."""
    settings, runner = job.settings, job.runner
    accelerator = _accelerator(settings, runner)
    kind = accelerator.kind if settings.accel == "auto" else settings.accel
    vng = runner.capture([find_vng(), "--version"], check=False).stdout.strip()
    facts = {
        "qemu": accelerator.qemu_version,
        "virtme_ng": vng,
        "accelerator": f"{kind}: {accelerator.reason}" if accelerator.reason else kind,
    }
    return Plan(kind, job.slowdown, job.memory, job.append, faults=job.faults), facts


@contextmanager
def opened(job: Job, facts: Mapping[str, str], *, quiet: bool = False) -> Iterator[Workshop]:
    """A run with a screen in front of it; an exception leaves it unfinished."""
    with begun(job, facts) as (run, places), working(job, run, places, quiet) as shopfloor:
        yield shopfloor


@contextmanager
def begun(
    job: Job, facts: Mapping[str, str], *, keep: bool = False
) -> Iterator[tuple[OpenRun, Places]]:
    """A run in the store, which `kzc ps` shows, and the places of its machines."""
    command = ("kzc", *sys.argv[1:])
    data = job.settings.data
    with (
        Store.of(job.settings).create(command, {**job.facts, **facts}, __version__) as run,
        registered(data, run.run.id, command) as live,
        closing(Places(live, kept=keep)) as places,
    ):
        yield run, places


@contextmanager
def working(job: Job, run: OpenRun, places: Places, quiet: bool = False) -> Iterator[Workshop]:
    """The screen is in front as long as there is something to be seen on it."""
    console = Console(stderr=True, quiet=quiet)
    with screen_for(console) as shown, streamed(shown, job.stream, run) as screen:
        if job.tree.dirty:
            console.print(f"uncommitted changes: {job.tree.dirty}", highlight=False)
        if caution := caveat(run.run):
            console.print(Text(caution))
        again = shlex.join(run.run.command)
        yield Workshop(job.settings, job.runner, screen, run, again, places)


def _accelerator(settings: Settings, runner: Runner) -> Accelerator:
    return probe(settings.qemu, settings.cache, runner)


def reported(shopfloor: Workshop) -> int:
    """Show the finished run's report; the status is its verdict."""
    finished: Run = shopfloor.run.run
    console = Console()
    width = None if console.is_terminal else text.WIDTH
    Console(width=width).print(text.render(finished, shopfloor.run.folder), crop=False)
    print(f"\nrun {finished.id}: {shopfloor.run.folder}", flush=True)
    return exit_code(finished)


def _say(text: str) -> None:
    Console(stderr=True).print(Text(short(text, LONG)), soft_wrap=True)


def _with_all_suites(asked: Asked) -> Asked:
    return replace(asked, suites=all_suites())
