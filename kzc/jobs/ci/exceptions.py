# SPDX-License-Identifier: GPL-2.0-only
"""An `exclude` or `may_fail` has to mean a cell of its table: one that means none is a mistake."""

from __future__ import annotations

from collections.abc import Sequence

from kzc.errors import UsageError
from kzc.jobs.ci.matrix import Block, Some
from kzc.jobs.ci.values import Cell


def check_exceptions(block: Block, at: int, cells: Sequence[Cell]) -> None:
    """Raises UsageError that names the field; `cells` are all of the block, the `at`-th of them."""
    quiet = () if isinstance(block.may_fail, bool) else block.may_fail
    for field, exceptions in (("exclude", block.exclude), ("may_fail", quiet)):
        for number, some in enumerate(exceptions):
            if not any(some.means(cell) for cell in cells):
                raise _nothing(f"ci.matrix.{at}.{field}.{number}", some, cells)


def _nothing(field: str, some: Some, cells: Sequence[Cell]) -> UsageError:
    said = some.model_dump(exclude_none=True)
    for name, value in said.items():
        there = dict.fromkeys(str(getattr(cell, name)) for cell in cells)
        if value not in there:
            known = ", ".join(filter(None, there)) or "none"
            message = f"{field}: no cell of its table has the {name} {value}"
            return UsageError(message, f"there are: {known}")
    words = ", ".join(f"{name} {value}" for name, value in said.items())
    return UsageError(
        f"{field}: no cell of its table has all of it: {words}",
        "`kzc ci --plan` without it shows the cells",
    )
