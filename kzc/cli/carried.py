# SPDX-License-Identifier: GPL-2.0-only
"""`kzc series`: what kzc carries in patches/, and what was imported."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from kzc.cli import history
from kzc.cli.intake import tell_series
from kzc.errors import UsageError
from kzc.jobs.workshop import imported_folder
from kzc.results import clean
from kzc.results.text import WIDTH
from kzc.series.imported import as_values, list_imported, load_imported, remove_imported
from kzc.series.mails import Intake
from kzc.series.manifest import list_series, load_manifest
from kzc.settings import load_settings
from kzc.shared import shared_folder

_WHOLE = frozenset({"name", "posted", "version", "date", "patches"})


def listed(folder: Path | None = None, *, as_json: bool = False) -> int:
    """One line per series, then the imported ones; of `folder` alone where it is given."""
    imported = None if folder else _imported()
    folder = folder or shared_folder("patches")
    if as_json:
        own = [history.as_values(name, folder) for name in list_series(folder)]
        taken = [_values(imported, name) for name in list_imported(imported)] if imported else []
        print(json.dumps({"carried": own, "imported": taken}, indent=2))
        return 0
    table = _table("name", "posted", "upstream", "bases", "title")
    for name in list_series(folder):
        manifest = load_manifest(folder / name)
        newest = max((posting.version for posting in manifest.posted), default=0)
        posted = f"v{newest}" if newest else "never"
        bases = ", ".join(manifest.bases)
        row = (name, posted, history.upstream(manifest), bases, manifest.title)
        table.add_row(*map(_shown, row))
    console = Console()
    console.print(table)
    names = list_imported(imported) if imported else ()
    if imported and names:
        console.print()
        table = _table("imported", "version", "date", "patches", "title")
        for name in names:
            table.add_row(*map(_shown, _row(imported, name)))
        console.print(table)
    return 0


def show(name: str, folder: Path | None = None, *, as_json: bool = False) -> int:
    """The history of a carried one; of an imported one all that is known."""
    folder = folder or shared_folder("patches")
    names = list_series(folder)
    console = Console(soft_wrap=True, highlight=False)
    if name not in names:
        imported = list_imported(_imported())
        if name not in imported:
            raise UsageError(
                f"there is no series {name}",
                f"carried are: {', '.join(names) or 'none'}; "
                f"imported are: {', '.join(imported) or 'none'}",
            )
        intake = load_imported(_imported(), name)
        if as_json:
            print(json.dumps(as_values(intake), indent=2))
        else:
            _show_imported(intake, console)
        return 0
    if as_json:
        print(json.dumps(history.as_values(name, folder), indent=2))
    else:
        width = min(WIDTH, console.width) if console.is_terminal else WIDTH
        history.tell(name, folder, Console(soft_wrap=True, highlight=False, width=width))
    return 0


def remove(name: str) -> int:
    """Forget an imported series; where it came from is not touched."""
    if name in list_series(shared_folder("patches")):
        raise UsageError(f"{name} is a series that kzc carries", "only imported ones are removed")
    remove_imported(_imported(), name)
    return 0


def _row(imported: Path, name: str) -> tuple[str, ...]:
    try:
        intake = load_imported(imported, name)
    except UsageError as error:
        return name, "", "", "", error.message
    series = intake.series
    version = f"v{series.version}" if series.version else ""
    return name, version, intake.date, str(len(series.patches)), series.title


def _values(imported: Path, name: str) -> dict[str, Any]:
    try:
        return as_values(load_imported(imported, name))
    except UsageError as error:
        return {"name": name, "error": error.message}


def _show_imported(intake: Intake, console: Console) -> None:
    tell_series(intake, console)
    console.print(Text(f"from:    {clean.short(intake.series.origin)}"))
    if intake.series.cover:
        console.print()
        _cover(intake.series.cover, console)


def _cover(text: str, console: Console) -> None:
    for line in clean.printable(text).strip().split("\n"):
        console.print(Text(f"  {clean.cut(line, clean.LONG)}"))
    console.print()


def _imported() -> Path:
    return imported_folder(load_settings({}, Path.cwd()))


def _table(*titles: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in titles:
        table.add_column(title, overflow="fold", no_wrap=title in _WHOLE)
    return table


def _shown(text: str) -> Text:
    return Text(clean.short(text))
