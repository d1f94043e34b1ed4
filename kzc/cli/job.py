# SPDX-License-Identifier: GPL-2.0-only
"""What a command line means: tree, series, suites and configuration that it names, all found."""

from __future__ import annotations

import platform
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from kzc.cli.options import Asked
from kzc.errors import UsageError
from kzc.git import Git
from kzc.jobs import kernels
from kzc.jobs.kernels import Wanted
from kzc.jobs.workshop import imported_folder
from kzc.kernel.fragment import Fragment
from kzc.kernel.profile import find_profile
from kzc.proc import LocalRunner, Runner
from kzc.results.verdicts import MEASUREMENT_ONLY
from kzc.series.apply import key_of
from kzc.series.find import find_series
from kzc.series.manifest import FILE_NAME, Manifest, find_manifest
from kzc.series.overlay import load_overlay, measurement_only, stacked
from kzc.series.present import Present, find_present
from kzc.settings import FILE_NAME as SETTINGS_FILE
from kzc.settings import Settings, load_settings
from kzc.shared import shared_folder
from kzc.suites.faults import Faults, load_fault_rules
from kzc.suites.manifest import Suite, load_suite
from kzc.trees.find import find_tree
from kzc.trees.tree import Tree
from kzc.values import Series

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
    stream: Path | None = None
    """Where outcomes go as well, for another program."""

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
    suites = tuple(boot for name in names for boot in load_suite(suite_folder(name, cwd)).boots)
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
        settings=settings,
        runner=runner,
        tree=tree,
        series=series,
        suites=suites,
        wanted=wanted,
        slowdown=profile.slowdown,
        memory=profile.memory,
        append=tuple(asked.append or ()),
        facts=facts,
        present=present,
        faults=faults,
        stream=_stream(cwd / asked.stream) if asked.stream else None,
    )
    return marked(job, (series,), patches)


def marked(
    job: Job,
    series: Iterable[Series | None],
    patches: Path | None = None,
    noted: Iterable[str] = (),
) -> Job:
    """The job whose record says which of these series are for measurement only, and what was noted
    of kernels that are there already."""
    patches = patches or shared_folder("patches")
    found = (name for each in series for name in measurement_only(each, patches))
    names = dict.fromkeys((*found, *noted))
    facts = {**job.facts, MEASUREMENT_ONLY: ", ".join(names)}
    return replace(job, facts={key: value for key, value in facts.items() if value})


def _stream(path: Path) -> Path:
    """The file, whose folder is looked at now, and not when there is something to write."""
    if path.is_dir() or not path.parent.is_dir():
        what = "is a folder" if path.is_dir() else "is in a folder that is not there"
        raise UsageError(f"--stream {path} {what}", "name a file")
    return path


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


def _own_suites(series: str, manifest: Manifest | None) -> tuple[str, ...]:
    if manifest is not None:
        return manifest.suites
    return all_suites() if series else ()


def plan_folders(cwd: Path) -> tuple[Path, ...]:
    """Where plans are: kzc's own, and those of a folder that has settings of its own."""
    own = (cwd / "plans",) if (cwd / SETTINGS_FILE).is_file() else ()
    return (shared_folder("plans"), *own)


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
