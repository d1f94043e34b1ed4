# SPDX-License-Identifier: GPL-2.0-only
"""`kzc series`: what kzc carries in patches/."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table
from rich.text import Text

from kzc.errors import UsageError
from kzc.series.find import load_series
from kzc.series.manifest import Manifest, list_series, load_manifest
from kzc.settings import shared_folder


def listed() -> int:
    """One line per series."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in ("name", "bases", "suites", "title"):
        table.add_column(title, overflow="fold")
    folder = shared_folder("patches")
    for name in list_series(folder):
        manifest = load_manifest(folder / name)
        table.add_row(name, ", ".join(manifest.bases), ", ".join(manifest.suites), manifest.title)
    Console().print(table)
    return 0


def show(name: str) -> int:
    """Cover, history, bases with their patches."""
    folder = shared_folder("patches")
    names = list_series(folder)
    if name not in names:
        raise UsageError(f"there is no series {name}", f"carried are: {', '.join(names)}")
    manifest = load_manifest(folder / name)
    console = Console(soft_wrap=True, highlight=False)
    console.print(Text(f"{name}: {manifest.title}", "bold"))
    console.print()
    for line in manifest.cover.strip().splitlines():
        console.print(Text(f"  {line}"))
    console.print()
    _history(manifest, console)
    for base in manifest.bases:
        console.print(f"Patches for {base}:")
        for patch in load_series(folder, name, base).patches:
            console.print(Text(f"  {patch.number}. {patch.subject}"))
    return 0


def _history(manifest: Manifest, console: Console) -> None:
    for posting in manifest.posted:
        console.print(
            Text(f"posted v{posting.version}  {posting.date or 'undated'}  <{posting.message_id}>")
        )
    console.print(f"upstream: {manifest.upstream_since or 'not merged'}")
