# SPDX-License-Identifier: GPL-2.0-only
"""The HTML report of a run: what results/ makes of it, and what the run measured and proves."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from kzc.results.clean import LONG, short
from kzc.results.formats import html
from kzc.results.logs import in_folder
from kzc.results.page import Section
from kzc.values import Run, Stage

if TYPE_CHECKING:  # slow to load, and needed by few reports
    from kzc.bench.result import Bench


def html_of(run: Run, folder: Path) -> str:
    """The page; `folder` has the run's logs. Raises UsageError where its rounds are damaged."""
    return html(run, in_folder(folder), sections_of(run, folder))


def sections_of(run: Run, folder: Path) -> tuple[Section, ...]:
    """Tables and plots of `kzc bench`, and what suites and plans say of the seeds' claims."""
    bench = _bench(folder) if measures(run) else None
    measured = (_measured(bench),) if bench else ()
    return (*measured, *_claims(run, bench))


def _bench(folder: Path) -> Bench | None:
    from kzc.bench.result import load

    found = load(folder)
    return found if found and found.rounds else None


def _measured(bench: Bench) -> Section:
    from kzc.bench.html import fragment

    return Section("Measured", fragment(bench, _clean))


def _claims(run: Run, bench: Bench | None) -> tuple[Section, ...]:
    from kzc.cli.seeds import of_run
    from kzc.seeds.html import fragment

    told, others = of_run(run, bench)
    return (Section("Claims", fragment(told, _clean, others)),) if told else ()


def _clean(text: str) -> str:
    return short(text, LONG)


def measures(run: Run) -> bool:
    """Whether it is one of `kzc bench`."""
    return any(outcome.stage is Stage.BENCH for outcome in run.outcomes)
