# SPDX-License-Identifier: GPL-2.0-only
"""The list of runs, and what is kept of one, shown: for a terminal, and as objects for JSON."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from kzc.results import summary
from kzc.results.blobs import Kept
from kzc.results.clean import paired, short
from kzc.results.codec import header_to_json
from kzc.results.json_report import as_object
from kzc.results.text import runs as table
from kzc.results.verdicts import exit_code, judge, verdict_word
from kzc.results.words import label, plural, span
from kzc.values import Run

__all__ = ["head", "render", "table", "whole"]


def head(run: Run) -> dict[str, Any]:
    """A run of the list; `seconds` is from start to finish."""
    return {
        **header_to_json(run),
        "command": [paired(word) for word in run.command],
        "environment": {paired(name): paired(said) for name, said in run.environment.items()},
        "verdict": verdict_word(run),
        "exit_code": exit_code(run),
        "seconds": summary.seconds_of(run),
        "suites": [paired(each.subject) for each in run.outcomes if each.stage.value == "test"],
    }


def whole(run: Run, files: Iterable[Kept]) -> dict[str, Any]:
    """All that is kept of a run; of its files path, content and size."""
    rows = [{"path": paired(f.path), "sha256": f.blob.sha256, "size": f.blob.size} for f in files]
    return {**as_object(run), "files": rows}


def render(run: Run, files: Sequence[Kept]) -> RenderableType:
    """What it was made with, its outcomes, its files; `kzc report` tells what failed, and why."""
    title = Text(f"run {run.id}: {summary.word(run)}  {summary.headline(run)}", "bold")
    made = _table(*[(name, said) for name, said in summary.provenance(run)])
    steps = _table(
        *(
            (each.stage.value, each.subject, label(judge(each)), _cases(each.cases), each.log)
            for each in run.outcomes
        )
    )
    logs = _table(*((each.path, f"{each.blob.size:,} B", each.blob.sha256[:12]) for each in files))
    command = Text(short(" ".join(run.command)), "dim")
    times = Text(f"{run.started}, {span(summary.seconds_of(run))}, kzc {short(run.kzc)}", "dim")
    rest: list[RenderableType] = []
    if files:
        rest = [Text(), Text(plural(len(files), "file"), "bold"), logs]
    return Group(title, command, times, Text(), made, Text(), steps, *rest)


def _cases(cases: Sequence[object]) -> str:
    return plural(len(cases), "case") if cases else ""


def _table(*rows: tuple[str, ...]) -> Table:
    found = Table.grid(padding=(0, 2))
    for row in rows:
        found.add_row(*(Text(short(cell), overflow="fold") for cell in row))
    return found
