# SPDX-License-Identifier: GPL-2.0-only
"""`kzc series`: what kzc carries in patches/, and what was imported."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from kzc.cli.intake import tell_series
from kzc.errors import UsageError
from kzc.jobs.workshop import imported_folder
from kzc.results import clean
from kzc.series.find import load_series
from kzc.series.imported import list_imported, load_imported, remove_imported
from kzc.series.mails import Intake
from kzc.series.manifest import Manifest, list_series, load_manifest
from kzc.settings import load_settings, shared_folder


def listed(folder: Path | None = None) -> int:
    """One line per series, then the imported ones; of `folder` alone where it is given."""
    imported = None if folder else _imported()
    folder = folder or shared_folder("patches")
    table = _table("name", "bases", "suites", "title")
    for name in list_series(folder):
        manifest = load_manifest(folder / name)
        bases, suites = ", ".join(manifest.bases), ", ".join(manifest.suites)
        table.add_row(*map(_shown, (name, bases, suites, manifest.title)))
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


def show(name: str, folder: Path | None = None) -> int:
    """Cover, history, bases with their patches; of an imported one all that is known."""
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
        _show_imported(load_imported(_imported(), name), console)
        return 0
    manifest = load_manifest(folder / name)
    console.print(Text(clean.short(f"{name}: {manifest.title}"), "bold"))
    if manifest.measurement_only:
        console.print(Text("for measurement only: nothing that has it counts as clean", "yellow"))
    console.print()
    _cover(manifest.cover, console)
    _history(manifest, console)
    for base in manifest.bases:
        console.print(_shown(f"Patches for {base}:"))
        for patch in load_series(folder, name, base).patches:
            console.print(Text(f"  {patch.number}. {clean.short(patch.subject)}"))
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


def _history(manifest: Manifest, console: Console) -> None:
    for posting in manifest.posted:
        date, mail = clean.short(posting.date or "undated"), clean.short(posting.message_id)
        console.print(Text(f"posted v{posting.version}  {date}  <{mail}>"))
    console.print(_shown(f"upstream: {manifest.upstream_since or 'not merged'}"))


def _imported() -> Path:
    return imported_folder(load_settings({}, Path.cwd()))


def _table(*titles: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in titles:
        table.add_column(title, overflow="fold")
    return table


def _shown(text: str) -> Text:
    return Text(clean.short(text))
