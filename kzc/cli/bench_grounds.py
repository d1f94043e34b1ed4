# SPDX-License-Identifier: GPL-2.0-only
"""Which kernels a bench is of: the run's own, and before it what `--base` names."""

from __future__ import annotations

import re
from pathlib import Path

from kzc.cli.job import Job
from kzc.cli.options import Asked
from kzc.errors import UsageError
from kzc.jobs.bench import Ground
from kzc.jobs.choice import Choice, Finder
from kzc.jobs.workshop import imported_folder
from kzc.series.imported import list_imported, load_imported
from kzc.series.overlay import load_overlay, stacked
from kzc.shared import shared_folder

_VERSION = re.compile(r"(.+)@v(\d+)")
BASE, OWN = "base", "after"


def grounds(job: Job, asked: Asked, base: str) -> tuple[Ground, ...]:
    """One or two kernels, all words looked up. Raises UsageError for what fits nothing."""
    own = Choice("", job.tree, job.series)
    label = OWN if base else job.tree.version
    known = job.series.name if job.series else asked.series if job.present else ""
    tree = f"{job.tree.version}, commit {job.tree.commit[:12]}"
    words = f"{known} on {tree}" if known else tree
    after = Ground(label, words, own, job.present)
    if not base:
        return (after,)
    found = _overlaid(_of_version(base, job) or _finder(job).find(base), asked)
    return (Ground(BASE, base, found), after)


def _finder(job: Job) -> Finder:
    patches = shared_folder("patches")
    return Finder(job.tree, Path.cwd(), job.settings, job.runner, patches)


def _overlaid(choice: Choice, asked: Asked) -> Choice:
    """With the run's overlay, or what is compared would be the overlay. Raises UsageError."""
    if not asked.overlay:
        return choice
    if choice.ready is not None:
        raise UsageError(
            f"{choice.word} is built already, and --overlay {asked.overlay} cannot be put on it",
            "name a tree or a series as the base, or --overlay none",
        )
    overlay = load_overlay(shared_folder("patches"), asked.overlay, choice.tree.version)
    return Choice(choice.word, choice.tree, stacked(choice.series, overlay))


def _of_version(word: str, job: Job) -> Choice | None:
    """SERIES@v7: the imported posting with that version, by the series' name or NAME-v7."""
    found = _VERSION.fullmatch(word)
    if not found:
        return None
    name, version = found[1], int(found[2])
    folder = imported_folder(job.settings)
    for each in (name, f"{name}-v{version}"):
        if each in list_imported(folder):
            series = load_imported(folder, each).series
            if series.version == version:
                return Choice(word, job.tree, series)
    raise UsageError(
        f"version {version} of {name} was not imported",
        f"kzc import SOURCE --version {version} --name {name}-v{version}",
    )
