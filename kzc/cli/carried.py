# SPDX-License-Identifier: GPL-2.0-only
"""`kzc series`: what kzc carries in patches/."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from kzc.errors import UsageError
from kzc.results import clean
from kzc.series.find import load_series
from kzc.series.manifest import Manifest, list_series, load_manifest
from kzc.settings import shared_folder


def listed(folder: Path | None = None) -> int:
    """One line per series, of `folder` in place of kzc's own patches/."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in ("name", "bases", "suites", "title"):
        table.add_column(title, overflow="fold")
    folder = folder or shared_folder("patches")
    for name in list_series(folder):
        manifest = load_manifest(folder / name)
        bases, suites = ", ".join(manifest.bases), ", ".join(manifest.suites)
        table.add_row(*map(_shown, (name, bases, suites, manifest.title)))
    Console().print(table)
    return 0


def show(name: str, folder: Path | None = None) -> int:
    """Cover, history, bases with their patches."""
    folder = folder or shared_folder("patches")
    names = list_series(folder)
    if name not in names:
        raise UsageError(f"there is no series {name}", f"carried are: {', '.join(names)}")
    manifest = load_manifest(folder / name)
    console = Console(soft_wrap=True, highlight=False)
    console.print(Text(clean.short(f"{name}: {manifest.title}"), "bold"))
    console.print()
    for line in clean.printable(manifest.cover).strip().split("\n"):
        console.print(Text(f"  {clean.cut(line, clean.LONG)}"))
    console.print()
    _history(manifest, console)
    for base in manifest.bases:
        console.print(_shown(f"Patches for {base}:"))
        for patch in load_series(folder, name, base).patches:
            console.print(Text(f"  {patch.number}. {clean.short(patch.subject)}"))
    return 0


def _history(manifest: Manifest, console: Console) -> None:
    for posting in manifest.posted:
        date, mail = clean.short(posting.date or "undated"), clean.short(posting.message_id)
        console.print(Text(f"posted v{posting.version}  {date}  <{mail}>"))
    console.print(_shown(f"upstream: {manifest.upstream_since or 'not merged'}"))


def _shown(text: str) -> Text:
    return Text(clean.short(text))
