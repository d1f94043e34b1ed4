# SPDX-License-Identifier: GPL-2.0-only
"""`kzc apply`, `build`, `test` and `run`: options become a request, a run becomes a status."""

from __future__ import annotations

import platform
import shlex
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from rich.console import Console
from rich.text import Text

from kzc import __version__
from kzc.cli.ends import two_ends_of
from kzc.cli.options import Asked
from kzc.cli.screen import screen_for
from kzc.errors import UsageError
from kzc.git import Git
from kzc.guest.accelerator import Accelerator, probe
from kzc.jobs import kernels, pipeline
from kzc.jobs.guests import Plan
from kzc.jobs.kernels import Wanted
from kzc.jobs.live import registered
from kzc.jobs.pipeline import Request
from kzc.jobs.places import Places
from kzc.jobs.workshop import Workshop, find_vng, imported_folder
from kzc.kernel.fragment import Fragment
from kzc.kernel.profile import find_profile
from kzc.proc import LocalRunner, Runner
from kzc.results import text
from kzc.results.clean import LONG, short
from kzc.results.store import OpenRun, Store
from kzc.results.summary import caveat
from kzc.results.verdicts import MEASUREMENT_ONLY, exit_code
from kzc.series.apply import key_of
from kzc.series.find import find_series
from kzc.series.manifest import FILE_NAME, Manifest, find_manifest
from kzc.series.overlay import load_overlay, measurement_only, stacked
from kzc.series.present import Present, find_present
from kzc.settings import Settings, load_settings, shared_folder
from kzc.suites.faults import Faults, load_fault_rules
from kzc.suites.manifest import Suite, load_suite
from kzc.trees.find import find_tree
from kzc.trees.tree import Tree
from kzc.values import KernelBuild, Run, Series

_FAULT_PROFILE = "fault"


@dataclass(frozen=True)
class Job:
    """What the command line means: everything found, nothing done yet."""

    settings: Settings
    runner: Runner
    tree: Tree
    series: Series | None
    suites: tuple[Suite, ...]
    wanted: Wanted
    slowdown: float
    memory: int
    append: tuple[str, ...] = ()
    facts: Mapping[str, str] = field(default_factory=dict)
    present: Present | None = None
    """In place of a series that the tree has already."""
    faults: Faults | None = None

    def patches(self, what: str) -> Series:
        """The series. Raises UsageError where the tree has it: there is nothing to `what`."""
        if self.series is not None:
            return self.series
        assert self.present is not None
        raise UsageError(
            f"{self.present.reason(self.tree.version)} and nothing to {what}",
            f"`kzc run {self.present.name}` runs its suites in such a tree",
        )


def understand(asked: Asked, with_suites: bool = True, patches: Path | None = None) -> Job:
    """Find tree, series, suites and fragments. Raises UsageError for whatever is not there.

    `patches` holds the carried series, kzc's own if None.
    """
    cwd, runner = Path.cwd(), LocalRunner()
    patches = patches or shared_folder("patches")
    faults = _faults(asked)
    profile_asked = asked.profile or (_FAULT_PROFILE if faults else None)
    overrides = {"accel": asked.accel, "profile": profile_asked, "jobs": asked.jobs}
    settings = load_settings(overrides, cwd)
    profile = find_profile(settings.profile, shared_folder("kconfigs"))
    manifest = find_manifest(patches, asked.series)
    names = asked.suites or (_own_suites(asked.series, manifest) if with_suites else ())
    suites = tuple(load_suite(suite_folder(name, cwd)) for name in names)
    tree = find_tree(asked.tree, cwd, settings, runner, dirty=asked.dirty)
    present = series = None
    if manifest is not None:
        git = Git(runner, git_dir=tree.repo)
        present = find_present(git, tree.commit, asked.series, manifest)
    if asked.series and present is None:
        series = _series(asked.series, tree, patches, settings, runner)
    if asked.overlay:
        series = stacked(series, load_overlay(patches, asked.overlay, tree.version))
    fragments = [
        *kernels.fragments(profile.fragments),
        *(_fragments_of_series(patches / asked.series, manifest) if manifest else ()),
        *kernels.fragments([name for suite in suites for name in suite.fragments]),
        *kernels.fragments([str(cwd / path) for path in asked.config or ()]),
    ]
    wanted = Wanted(tuple(dict.fromkeys(fragments)), asked.virtme)
    facts = {
        "tree": f"{tree.name or tree.source} ({tree.version})",
        "tree_id": tree.tree_id,
        "commit": tree.commit,
        "uncommitted": tree.dirty,
        "series": series.name if series else asked.series,
        "series_key": key_of("", series) if series else "",
        "profile": settings.profile + (" on virtme-ng's config" if asked.virtme else ""),
        "machine": f"{platform.machine()} Linux {platform.release()}",
    }
    job = Job(
        settings,
        runner,
        tree,
        series,
        suites,
        wanted,
        profile.slowdown,
        profile.memory,
        tuple(asked.append or ()),
        facts,
        present,
        faults,
    )
    return marked(job, (series,), patches)


def marked(job: Job, series: Iterable[Series | None], patches: Path | None = None) -> Job:
    """The job whose record says which of these series are for measurement only."""
    patches = patches or shared_folder("patches")
    names = dict.fromkeys(name for each in series for name in measurement_only(each, patches))
    facts = {**job.facts, MEASUREMENT_ONLY: ", ".join(names)}
    return replace(job, facts={key: value for key, value in facts.items() if value})


def _faults(asked: Asked) -> Faults | None:
    every = tuple(asked.fault_every or ())
    if not asked.faults and not every:
        return None
    if asked.topology != "loopback":
        raise UsageError(
            f"--faults is for one guest, not for --topology {asked.topology}",
            "leave --topology out",
        )
    return Faults(load_fault_rules(shared_folder("selftests") / "faults.toml"), every)


def _fragments_of_series(folder: Path, manifest: Manifest) -> tuple[Fragment, ...]:
    try:
        return kernels.fragments(manifest.fragments)
    except UsageError as error:
        where = f"{folder / FILE_NAME}: fragments"
        raise UsageError(f"{where}: {error.message}", error.hint) from None


def _series(spec: str, tree: Tree, patches: Path, settings: Settings, runner: Runner) -> Series:
    cwd = Path.cwd()
    repo = tree.repo if tree.kind != "path" else cwd / Path(tree.source.partition("#")[0])
    return find_series(
        spec,
        cwd=cwd,
        patches_dir=patches,
        version=tree.version,
        repo=repo,
        runner=runner,
        imported=imported_folder(settings),
    )


def run(asked: Asked) -> int:
    """The main job with its report."""
    if not asked.suites and not asked.series:
        asked = _with_all_suites(asked)
    job = understand(asked)
    ends = two_ends_of(asked, job.tree, job.settings, job.runner)
    others = [end.series for pair in ends.ends for end in pair if end]
    job = marked(job, (job.series, *others))
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
        with working(job, opened_run, places) as shopfloor:
            pipeline.run(shopfloor, request)
        status = reported(shopfloor)
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
        Store(data).create(command, {**job.facts, **facts}, __version__) as run,
        registered(data, run.run.id, command) as live,
        closing(Places(live, kept=keep)) as places,
    ):
        yield run, places


@contextmanager
def working(job: Job, run: OpenRun, places: Places, quiet: bool = False) -> Iterator[Workshop]:
    """The screen is in front as long as there is something to be seen on it."""
    console = Console(stderr=True, quiet=quiet)
    with screen_for(console) as screen:
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
    Console(width=width).print(text.render(finished, shopfloor.run.folder))
    print(f"\nrun {finished.id}: {shopfloor.run.folder}", flush=True)
    return exit_code(finished)


def _say(text: str) -> None:
    Console(stderr=True).print(Text(short(text, LONG)), soft_wrap=True)


def _own_suites(series: str, manifest: Manifest | None) -> tuple[str, ...]:
    if manifest is not None:
        return manifest.suites
    return all_suites() if series else ()


def suite_folder(name: str, cwd: Path) -> Path:
    """A suite of kzc's by name, or anybody's by the path of its folder."""
    if "/" in name:
        return cwd / name
    folder = shared_folder("selftests") / name
    if not (folder / "suite.toml").exists():
        raise UsageError(f"there is no suite {name}", f"there are: {', '.join(all_suites())}")
    return folder


def all_suites() -> tuple[str, ...]:
    """Names of all suites there are."""
    return tuple(
        sorted(path.parent.name for path in shared_folder("selftests").glob("*/suite.toml"))
    )


def _with_all_suites(asked: Asked) -> Asked:
    return replace(asked, suites=all_suites())
