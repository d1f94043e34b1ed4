# SPDX-License-Identifier: GPL-2.0-only
"""What the checks of one patch are made of, and where: the patch in its series, and a worktree."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from kzc.jobs.kernels import Source
from kzc.jobs.workshop import Workshop
from kzc.kernel.build import Recipe
from kzc.trees.slots import Slot
from kzc.values import Diagnostic, Patch

Said = dict[str, dict[str, tuple[Diagnostic, ...]]]


@dataclass(frozen=True)
class At:
    """One patch of an applied series: its commit, its parent, and the files that differ."""

    number: int
    total: int
    patch: Patch
    source: Source
    parent: str
    parent_tree: str
    files: tuple[str, ...]

    @property
    def name(self) -> str:
        """`2/5`."""
        return f"{self.number}/{self.total}"


@dataclass(frozen=True)
class Bench:
    """Where the checks of one patch are made: `slot` is at the patch's commit.

    `said` is what this run knows already of objects made with more warnings, by tree and object.
    """

    shopfloor: Workshop
    slot: Slot
    at: At
    recipe: Recipe
    said: Said = field(default_factory=dict)

    def log(self, check: str) -> Path:
        """The raw log of one check, empty at first."""
        return log_of(self.shopfloor, self.at, check)

    def detail(self, check: str, **more: object) -> dict[str, object]:
        """What a Case says about a check: its log, if it has one, and more."""
        log = self.log(check)
        return {**({"log": self.shopfloor.relative(log)} if log.exists() else {}), **more}


def log_of(shopfloor: Workshop, at: At, check: str) -> Path:
    """A log of the run for one check of one patch."""
    return shopfloor.log(f"{at.number}-{check}")
