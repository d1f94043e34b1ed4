# SPDX-License-Identifier: GPL-2.0-only
"""Which of the kernels' faults that a suite knows a tree may still have."""

from __future__ import annotations

from pathlib import Path

from kzc.git import Git
from kzc.proc import Runner
from kzc.series.manifest import find_manifest
from kzc.series.present import find_present
from kzc.shared import shared_folder
from kzc.suites.kernel_log import Known
from kzc.suites.manifest import Suite


def as_known_of(suite: Suite, repo: Path, tree: str, runner: Runner) -> Suite:
    """The suite without the faults that the tree (an id in `repo`) is mended of: there they are
    findings as any other. Raises CommandFailed where the tree cannot be read."""
    git = Git(runner, git_dir=repo)
    known = tuple(each for each in suite.known if not _mended(each, git, tree))
    return suite.model_copy(update={"known": known})


def _mended(known: Known, git: Git, tree: str) -> bool:
    manifest = find_manifest(shared_folder("patches"), known.mended_by)
    return manifest is not None and find_present(git, tree, known.mended_by, manifest) is not None
