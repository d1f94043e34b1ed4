# SPDX-License-Identifier: GPL-2.0-only
"""`kzc base`: which commit a series was made for, each candidate with why or why not."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from kzc.cli.screen import screen_for
from kzc.errors import UsageError
from kzc.jobs.base import Request, find_base
from kzc.jobs.workshop import imported_folder
from kzc.proc import LocalRunner, Runner
from kzc.results.clean import LONG, paired, short
from kzc.series.answer import go_on
from kzc.series.base import Answer, Candidate
from kzc.series.find import find_series, load_series
from kzc.series.manifest import Manifest, list_series, load_manifest, pick_base
from kzc.settings import Settings, load_settings
from kzc.shared import shared_folder
from kzc.trees import registry
from kzc.trees.find import enclosing_kernel, find_tree, split_path
from kzc.trees.tree import kernel_version
from kzc.values import Series

# of those that were not tried, so many are shown to a person
_UNTRIED = 5


@dataclass(frozen=True)
class Asked:
    """What the command line says."""

    series: str
    trees: tuple[str, ...] = ()
    every: bool = False
    quick: bool = False
    as_json: bool = False


def base(asked: Asked, patches: Path | None = None) -> int:
    """Search and tell; 0 where a base was found. `patches` holds carried series, kzc's if None."""
    cwd, runner = Path.cwd(), LocalRunner()
    settings = load_settings({}, cwd)
    patches = patches or shared_folder("patches")
    notes: tuple[str, ...] = ()
    if asked.series in list_series(patches):
        manifest = load_manifest(patches / asked.series)
        label = _label(asked, manifest, cwd, settings, runner)
        series, notes = load_series(patches, asked.series, label), _chosen(asked, manifest, label)
    else:
        series = _series(asked, cwd, settings, runner, patches)
    request = Request(series, cwd, asked.trees, asked.every, asked.quick)
    with screen_for(Console(stderr=True)) as screen:
        found = find_base(request, settings, runner, screen.step)
    found = replace(found, notes=(*notes, *found.notes))
    if asked.as_json:
        print(paired(json.dumps(_values(asked.series, series, found), indent=2)))
    else:
        _show(asked.series, series, found)
    return 0 if found.base is not None else 1


def _series(asked: Asked, cwd: Path, settings: Settings, runner: Runner, patches: Path) -> Series:
    """A series that is not carried; a range is looked up where one stands, or in the first tree
    that is named."""
    repo = enclosing_kernel(cwd) or cwd
    if asked.trees and ".." in asked.series and not (cwd / asked.series).exists():
        tree = find_tree(asked.trees[0], cwd, settings, runner)
        repo = split_path(tree.source, cwd)[0] if tree.kind == "path" else tree.repo
    return find_series(
        asked.series,
        cwd=cwd,
        patches_dir=patches,
        version="",
        repo=repo,
        runner=runner,
        imported=imported_folder(settings),
    )


def _label(asked: Asked, manifest: Manifest, cwd: Path, settings: Settings, runner: Runner) -> str:
    """Of which base a carried series' patches are taken: the first tree's that is named, else the
    newest of all that are looked in."""
    named = [find_tree(name, cwd, settings, runner) for name in asked.trees[:1]]
    versions = [tree.version for tree in named or registry.listed(settings)]
    if not named and (here := enclosing_kernel(cwd)):
        lines = (here / "Makefile").read_text(errors="replace").splitlines()
        versions.append(kernel_version(lines))
    found = []
    for version in versions:
        with suppress(UsageError):
            found.append(pick_base(manifest, version))
    return max(found or manifest.bases, key=_by_number)


def _by_number(label: str) -> list[int]:
    return [int(part) for part in re.findall(r"\d+", label)]


def _chosen(asked: Asked, manifest: Manifest, label: str) -> tuple[str, ...]:
    """What a person has to know of a carried series that has several bases."""
    if len(manifest.bases) < 2:
        return ()
    which = f"it has patches for {', '.join(manifest.bases)}: these are those for {label}"
    return (which if asked.trees else f"{which} (--tree NAME takes that tree's)",)


def _show(spec: str, series: Series, found: Answer) -> None:
    console = Console(highlight=False)
    console.print(_shown(f"{series.name}: {series.title}"), style="bold")
    for note in found.notes:
        console.print(_shown(f"note: {note}"))
    shown, left = _worth_showing(found.candidates)
    if shown:
        console.print()
        console.print(_table(shown))
    if left:
        console.print(_shown(f"and {left} more that were not tried (--json has all)"))
    console.print()
    plain = Console(highlight=False, soft_wrap=True)
    if found.base is not None:
        plain.print(Text.assemble(("base: ", "bold green"), _shown(found.reason)))
        plain.print(_shown(f"go on: {go_on(spec, found.base)}"))
        return
    plain.print(Text.assemble((f"{found.verdict.value}: ", "bold red"), _shown(found.reason)))
    if found.hint:
        plain.print(_shown(f"try: {found.hint.replace('SERIES', spec)}"))


def _worth_showing(found: Sequence[Candidate]) -> tuple[list[Candidate], int]:
    untried = [each for each in found if not _tried(each)]
    hidden = {each.commit for each in untried[_UNTRIED:]}
    return [each for each in found if each.commit not in hidden], len(hidden)


def _tried(each: Candidate) -> bool:
    return each.trial is not None and not each.note.startswith("not tried")


def _table(found: Sequence[Candidate]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in ("tree", "ref", "commit", "version", "blobs"):
        table.add_column(title, overflow="fold", no_wrap=title == "commit")
    table.add_column("result", overflow="fold", ratio=1)
    for each in found:
        cells = (each.tree, each.ref, each.commit[:12], each.version, _blobs(each), _result(each))
        table.add_row(*map(_shown, cells))
    return table


def _blobs(each: Candidate) -> str:
    return f"{each.score.hits} of {each.score.of}" if each.score.of else "-"


def _result(each: Candidate) -> str:
    """What trying gave and why it is not the base; the same files need no second telling."""
    if each.trial is None or each.note.startswith("not tried"):
        return each.note
    named = "base-commit of the series, " if each.named else ""
    return f"{named}{each.trial.words}{f'; {each.note}' if each.note else ''}"


def _values(spec: str, series: Series, found: Answer) -> dict[str, Any]:
    command = go_on(spec, found.base) if found.base else ""
    return {
        "series": series.name,
        "title": series.title,
        "base_commit": series.base,
        "prerequisites": list(series.prerequisites),
        "present": [asdict(each) for each in found.present],
        "known": found.known.value,
        "verdict": found.verdict.value,
        "reason": found.reason,
        "hint": found.hint.replace("SERIES", spec),
        "command": command,
        "notes": list(found.notes),
        "base": _candidate(found.base) if found.base else None,
        "candidates": [_candidate(each) for each in found.candidates],
    }


def _candidate(each: Candidate) -> dict[str, Any]:
    trial = each.trial
    return {
        "tree": each.tree,
        "ref": each.ref,
        "commit": each.commit,
        "version": each.version,
        "spec": each.spec,
        "also": list(each.also),
        "named": each.named,
        "prefix": each.kin,
        "blobs": each.score.hits,
        "of": each.score.of,
        "clashes": list(each.score.clashes),
        "missing": list(each.score.missing),
        "result": trial.words if trial else "",
        "patches": [
            {"fit": step.fit.value, "places": list(step.places), "why": step.why}
            for step in (trial.steps if trial else ())
        ],
        "note": each.note,
    }


def _shown(text: str) -> Text:
    return Text(short(text, LONG))
