# SPDX-License-Identifier: GPL-2.0-only
"""What tests of jobs work with: a screen that remembers, trees and series of the small kernel."""

from __future__ import annotations

from pathlib import Path

from kzc.git import Git
from kzc.jobs.workshop import Workshop
from kzc.trees.find import find_tree
from kzc.trees.tree import Tree
from kzc.values import Case, Outcome
from tests.fakelinux import commit, edit
from tests.plain import RUNNER


class Recorder:
    """A screen that remembers."""

    def __init__(self) -> None:
        self.steps: list[str] = []
        self.fractions: list[float | None] = []

    def step(self, text: str) -> None:
        self.steps.append(text)

    def progress(self, text: str, fraction: float | None) -> None:
        self.fractions.append(fraction)

    def case(self, case: Case) -> None:
        raise AssertionError(case)

    def outcome(self, outcome: Outcome) -> None:
        self.steps.append(outcome.subject)


def tree_of(kernel: Path, shopfloor: Workshop) -> Tree:
    return find_tree(str(kernel), kernel, shopfloor.settings, shopfloor.runner)


def series_of(kernel: Path, out: Path, *edits: tuple[str, str, str]) -> Path:
    git = Git(RUNNER, kernel)
    base = git.commit_of("HEAD")
    for file, old, new in edits:
        edit(kernel / file, old, new)
        commit(kernel, f"{file}: {new}")
    git.run("format-patch", "-q", "-n", "-o", str(out), f"{base}..HEAD")
    git.run("reset", "-q", "--hard", base)
    return out
