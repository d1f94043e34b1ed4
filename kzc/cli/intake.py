# SPDX-License-Identifier: GPL-2.0-only
"""`kzc import`: a series is taken in, and what was understood of it is told."""

from __future__ import annotations

import json
from pathlib import Path

from rich.console import Console
from rich.text import Text

from kzc.jobs.intake import Imported, Request, take
from kzc.jobs.workshop import find_program, imported_folder
from kzc.proc import LocalRunner
from kzc.results import clean
from kzc.series.choose import Choice
from kzc.series.imported import as_values
from kzc.series.mails import Intake
from kzc.series.manifest import list_series
from kzc.settings import load_settings
from kzc.shared import shared_folder


def take_in(source: str, name: str, choice: Choice, swap: bool, as_json: bool) -> int:
    """Import `source` and say what it is."""
    cwd = Path.cwd()
    request = Request(
        source,
        cwd,
        find_program("b4"),
        imported_folder(load_settings({}, cwd)),
        frozenset(list_series(shared_folder("patches"))),
        name,
        choice,
        swap,
    )
    imported = take(request, LocalRunner())
    if as_json:
        values = {**as_values(imported.intake), "new": imported.new}
        print(json.dumps(values, indent=2))
    else:
        _tell(imported, Console(soft_wrap=True, highlight=False))
    return 0


def tell_series(intake: Intake, console: Console) -> None:
    """Patches in order with their authors, notes, trailers, and what is known of the base."""
    series = intake.series
    console.print(Text(clean.short(f"{series.name}: {series.title}"), "bold"))
    version = f"v{series.version}" if series.version else "never posted"
    _print(console, ", ".join(filter(None, (version, intake.date, series.message_id))))
    total = len(series.patches)
    for patch in series.patches:
        _print(console, f"{patch.number}/{total} {patch.subject} ({patch.author})", "  ")
    for word, values in (
        ("note", series.notes),
        ("trailer", tuple(f"patch {text}" for text in intake.trailers)),
        ("base", (series.base or "no base-commit",)),
        ("needs", series.prerequisites),
        ("hint", intake.hints),
        ("link", series.links),
    ):
        for value in values:
            _print(console, value, f"{word + ':':<9}")


def _tell(imported: Imported, console: Console) -> None:
    tell_series(imported.intake, console)
    name = imported.intake.series.name
    _print(console, f"imported as {name}" if imported.new else f"{name} is already there")
    _print(console, f"next: kzc base {name}")


def _print(console: Console, text: str, lead: str = "") -> None:
    console.print(Text(lead + clean.short(text)))
