# SPDX-License-Identifier: GPL-2.0-only
"""Whether the trees and series of a matrix can be any, asked before hours of jobs.

Nothing is fetched: refused is only what no machine could make anything of.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from kzc.errors import UsageError
from kzc.jobs.ci.matrix import Matrix
from kzc.jobs.ci.values import NONE
from kzc.jobs.workshop import imported_folder
from kzc.proc import Runner
from kzc.series.find import check_series
from kzc.settings import Settings
from kzc.trees import registry
from kzc.trees.find import check_source, check_tree


@dataclass(frozen=True)
class Names:
    """Where they are looked up: from the folder of `file`, and in the user's lists; `patches`
    holds the carried series."""

    file: Path
    settings: Settings
    runner: Runner
    patches: Path

    def check(self, matrix: Matrix) -> None:
        """Raises UsageError that names the file and the field."""
        for at, block in enumerate(matrix.matrix):
            for tree in dict.fromkeys(block.trees):
                if tree in matrix.trees:
                    with self._named(f"ci.trees.{tree}"):
                        self._source(tree, matrix.trees[tree])
                    continue
                with self._named(f"ci.matrix.{at}.trees"):
                    check_tree(tree, self.file.parent, self.settings, self.runner)
            for series in dict.fromkeys(block.series):
                with self._named(f"ci.matrix.{at}.series"):
                    self._series(series)

    def _source(self, name: str, source: str) -> None:
        registry.check_name(name)
        check_source(source, self.file.parent, self.settings, self.runner)

    def _series(self, spec: str) -> None:
        if spec != NONE:
            imported = imported_folder(self.settings)
            check_series(spec, self.file.parent, self.patches, imported)

    @contextmanager
    def _named(self, field: str) -> Iterator[None]:
        try:
            yield
        except UsageError as error:
            raise UsageError(f"{self.file}: {field}: {error.message}", error.hint) from None
