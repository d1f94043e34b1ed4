# SPDX-License-Identifier: GPL-2.0-only
"""What is known of a carried series, as a short history: for people, and the same as JSON."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.text import Text

from kzc.results import clean
from kzc.series.find import load_series
from kzc.series.manifest import Base, Manifest, load_manifest
from kzc.shared import shared_folder
from kzc.suites.manifest import load_suite


@dataclass(frozen=True)
class _Known:
    """A series with the titles of its patches by base, in order, and of its suites by name."""

    name: str
    manifest: Manifest
    patches: dict[str, tuple[str, ...]]
    suites: dict[str, str]


def tell(name: str, folder: Path, console: Console) -> None:
    """What it is for, where it was posted, what became of it, what there is for each base."""
    known = _known(name, folder)
    console.print(Text(clean.short(f"{name}: {known.manifest.title}"), "bold"))
    if known.manifest.measurement_only:
        console.print(Text("for measurement only: nothing that has it counts as clean", "yellow"))
    for title, lines in _sections(known):
        if lines:
            console.print()
            console.print(Text(clean.short(title), "bold"))
            for line in lines:
                console.print(Text("  " + clean.cut(clean.printable(line), clean.LONG)))


def as_values(name: str, folder: Path) -> dict[str, Any]:
    """The same as JSON holds it."""
    known = _known(name, folder)
    manifest = known.manifest
    values = manifest.model_dump(mode="json", exclude={"bases", "posted", "suites"})
    postings = [{**each.model_dump(mode="json"), "link": each.link} for each in manifest.posted]
    bases = {
        label: {
            **base.model_dump(mode="json"),
            "patches": list(known.patches[label]),
            "command": _command(name, base),
        }
        for label, base in manifest.bases.items()
    }
    return {"name": name, **values, "posted": postings, "bases": bases, "suites": known.suites}


def upstream(manifest: Manifest) -> str:
    """`since v6.7`, or that it was not merged."""
    return f"since {manifest.upstream_since}" if manifest.upstream_since else "not merged"


def _known(name: str, folder: Path) -> _Known:
    manifest = load_manifest(folder / name)
    patches = {
        label: tuple(patch.subject for patch in load_series(folder, name, label).patches)
        for label in manifest.bases
    }
    tests = shared_folder("selftests")
    suites = {suite: load_suite(tests / suite).title for suite in manifest.suites}
    return _Known(name, manifest, patches, suites)


def _sections(known: _Known) -> Iterator[tuple[str, Sequence[str]]]:
    manifest = known.manifest
    yield "What it is for", manifest.cover.strip("\n").split("\n") if manifest.cover else ()
    yield "Posted", [_posting(manifest, at) for at in range(len(manifest.posted))]
    yield "Upstream", [". ".join(filter(None, (upstream(manifest), manifest.fate)))]
    for label, base in manifest.bases.items():
        tested = f", tested on {base.tested_on}" if base.tested_on else ""
        yield f"For {label}{tested}", _base(known, label, base)
    yield "Proven by", [f"{name:<14} {title}" for name, title in known.suites.items()]
    seen = [f"{mark.file} has {mark.has}" for mark in manifest.present]
    yield "Nothing is applied, and the suites run, where", seen
    yield "See also", manifest.links


def _posting(manifest: Manifest, at: int) -> str:
    posting = manifest.posted[at]
    date = str(posting.date or "undated")
    note = f"  {posting.note}" if posting.note else ""
    return f"{date:<10}  v{posting.version}  {posting.link}{note}"


def _base(known: _Known, label: str, base: Base) -> list[str]:
    titles = known.patches[label]
    lines = [f"{at}/{len(titles)} {title}" for at, title in enumerate(titles, start=1)]
    return [*lines, *([base.note] if base.note else []), _command(known.name, base)]


def _command(name: str, base: Base) -> str:
    """What runs it; without a tree that anybody can get, in a checkout."""
    where = ("--tree", base.tree) if base.tree else ()
    return shlex.join(("kzc", "run", name, *where))
