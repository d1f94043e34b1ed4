# SPDX-License-Identifier: GPL-2.0-only
"""A cell of the tables that show a run at a glance (grid.py, cells.py, matrix.py). A value.

Where a table has no mark nothing was done, which is never a pass.
"""

from __future__ import annotations

from dataclasses import dataclass

from kzc.values import Verdict


@dataclass(frozen=True)
class Mark:
    """A verdict in a word; its log, relative to the run's folder and safe as a link; numbers by
    verdict and seconds where it stands for many cases; and where on the page it is told (`at`, the
    place of an outcome in the run, -1 for nowhere)."""

    verdict: Verdict
    word: str
    log: str = ""
    numbers: tuple[tuple[Verdict, int], ...] = ()
    seconds: float = 0.0
    at: int = -1
