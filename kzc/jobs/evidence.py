# SPDX-License-Identifier: GPL-2.0-only
"""The call trace of an outcome as source lines: `detail["decoded"]` beside `detail["excerpt"]`.

Reports show the decoded text in the place of the raw one; the raw one stays in the store. Why
there is none, where there is a trace, is said under `detail["not decoded"]`.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from kzc.git import Git
from kzc.kernel import decode
from kzc.proc import Runner
from kzc.values import KernelBuild, Outcome


def with_decoded(outcome: Outcome, lines: Sequence[str], why_not: str = "") -> Outcome:
    """The outcome with the decoded lines of its excerpt, or with the reason why it has none."""
    found = {"not decoded": why_not} if why_not else {"decoded": list(lines)}
    return replace(outcome, detail={**outcome.detail, **found})


@dataclass(frozen=True)
class Symbols:
    """What the frames of a kernel's traces are looked up in: the kernel, and the repository that
    the tree it was built from is in."""

    kernel: KernelBuild
    repo: Path

    def decoded(self, outcome: Outcome, runner: Runner) -> Outcome:
        """The outcome with its excerpt decoded, as far as that can be done."""
        git = Git(runner, git_dir=self.repo)
        return decoded(outcome, self.kernel, git, self.kernel.tree_id)


def decoded(outcome: Outcome, kernel: KernelBuild, git: Git, commit: str) -> Outcome:
    """The outcome with its excerpt decoded, as it is where it has no call trace.

    `git` is the repository that `commit` (or a tree), which `kernel` was built from, is in.
    """
    excerpt = outcome.detail.get("excerpt")
    if not isinstance(excerpt, list) or not decode.frames_of(excerpt):
        return outcome
    with tempfile.TemporaryDirectory(prefix="kzc-") as folder:
        script = decode.script_at(git, commit, Path(folder))
        vmlinux = Path(kernel.folder) / "vmlinux"
        return with_decoded(outcome, *decode.decode(excerpt, vmlinux, script, git.runner))
