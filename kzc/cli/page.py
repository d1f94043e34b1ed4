# SPDX-License-Identifier: GPL-2.0-only
"""The HTML report of a run: what results/ makes of it, with what it measured as a section."""

from __future__ import annotations

from pathlib import Path

from kzc.results.clean import LONG, short
from kzc.results.formats import html
from kzc.results.logs import in_folder
from kzc.results.page import Section
from kzc.values import Run, Stage


def html_of(run: Run, folder: Path) -> str:
    """The page; `folder` has the run's logs. Raises UsageError where its rounds are damaged."""
    return html(run, in_folder(folder), sections_of(run, folder))


def sections_of(run: Run, folder: Path) -> tuple[Section, ...]:
    """Tables and plots of `kzc bench`; of any other run nothing."""
    if not measures(run):
        return ()
    from kzc.bench.html import fragment
    from kzc.bench.result import load

    bench = load(folder)
    if bench is None or not bench.rounds:
        return ()
    return (Section("Measured", fragment(bench, lambda text: short(text, LONG))),)


def measures(run: Run) -> bool:
    """Whether it is one of `kzc bench`."""
    return any(outcome.stage is Stage.BENCH for outcome in run.outcomes)
