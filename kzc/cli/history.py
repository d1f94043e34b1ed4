# SPDX-License-Identifier: GPL-2.0-only
"""What is known of a carried series, as a short history: for people, and the same as JSON."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.text import Text

from kzc.cli.reflow import filled, reflow
from kzc.results import clean
from kzc.results.pasted import continued
from kzc.series.find import load_series
from kzc.series.manifest import Base, Manifest, Posted, load_manifest
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
    for line in filled(clean.short(f"{name}: {known.manifest.title}"), console.width):
        console.print(Text(line, "bold"))
    if known.manifest.measurement_only:
        console.print(Text("for measurement only: nothing that has it counts as clean", "yellow"))
    for title, lines in _sections(known, console.width):
        if lines:
            console.print()
            console.print(Text(clean.short(title), "bold"))
            for line in lines:
                console.print(Text(line))


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


def _sections(known: _Known, width: int) -> Iterator[tuple[str, Sequence[str]]]:
    """Titles, and below each its lines as they are shown."""
    manifest = known.manifest

    def shown(texts: Iterable[str], hang: int = 2) -> list[str]:
        return [line for text in texts for line in _shown(text, width, hang)]

    yield "What it is for", _cover(manifest.cover, width)
    yield "Posted", shown(map(_posting, manifest.posted))
    fate = ". ".join(filter(None, (upstream(manifest), manifest.fate)))
    yield "Upstream", shown([fate], 0)
    for label, base in manifest.bases.items():
        tested = f", tested on {base.tested_on}" if base.tested_on else ""
        titles = known.patches[label]
        patches = [f"{at}/{len(titles)} {title}" for at, title in enumerate(titles, start=1)]
        lines = [*shown(patches), *shown([base.note] if base.note else [], 0)]
        yield f"For {label}{tested}", [*lines, *_pasted(_command(known.name, base), width)]
    wide = max(map(len, known.suites), default=0)
    suites = [f"{name:<{wide}}  {title}" for name, title in known.suites.items()]
    yield "Proven by", shown(suites, wide + 2)
    seen = [f"{mark.file} has {mark.has}" for mark in manifest.present]
    yield "Nothing is applied, and the suites run, where", shown(seen)
    yield "See also", shown(manifest.links)


def _shown(text: str, width: int, hang: int) -> list[str]:
    return filled(clean.cut(clean.printable(text), clean.LONG), width, hang, 2)


def _cover(text: str, width: int) -> list[str]:
    lines = [clean.cut(line, clean.LONG) for line in clean.printable(text).strip("\n").split("\n")]
    return [f"  {line}" for line in reflow("\n".join(lines), width - 2).split("\n")] if text else []


def _pasted(command: str, width: int) -> list[str]:
    return [f"  {line}" for line in continued(clean.printable(command), width - 2).split("\n")]


def _posting(posting: Posted) -> str:
    date = str(posting.date or "undated")
    note = f"  {posting.note}" if posting.note else ""
    return f"{date:<10}  v{posting.version}  {posting.link}{note}"


def _command(name: str, base: Base) -> str:
    """What runs it; without a tree that anybody can get, in a checkout."""
    where = ("--tree", base.tree) if base.tree else ()
    return shlex.join(("kzc", "run", name, *where))
