# SPDX-License-Identifier: GPL-2.0-only
"""`kzc apply --onto` and `kzc continue`: a series for another tree, and what came of each patch."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from kzc.cli.options import Asked
from kzc.errors import UsageError
from kzc.git import Git
from kzc.jobs import port as ports
from kzc.jobs.port import Request
from kzc.jobs.port_yard import Yard
from kzc.proc import LocalRunner, Runner
from kzc.results.clean import LONG, short
from kzc.series.find import find_series, load_series
from kzc.series.manifest import find_manifest
from kzc.series.port import Port
from kzc.settings import Settings, load_settings
from kzc.shared import shared_folder
from kzc.trees import registry
from kzc.trees.find import enclosing_kernel, find_tree
from kzc.trees.tree import Tree
from kzc.values import Outcome, Series


@dataclass(frozen=True)
class Wanted:
    """The tree to port to, the port's name if one was given, and whether it may replace one."""

    onto: str
    name: str = ""
    replace: bool = False


def onto(asked: Asked, wanted: Wanted, as_json: bool, patches: Path | None = None) -> int:
    """Port a series to another tree; 1 where a person is needed or a number is taken."""
    runner, cwd = LocalRunner(), Path.cwd()
    patches = patches or shared_folder("patches")
    settings = load_settings({}, cwd)
    tree = find_tree(wanted.onto, cwd, settings, runner)
    series, origin = _found(asked, tree, patches, settings, runner)
    _say(
        f"... porting {series.name} from {origin.version if origin else 'mails'} to {tree.version}"
    )
    name = wanted.name or ports.default_name(series, tree)
    request = Request(name, series, origin, tree, wanted.replace)
    port, yard = ports.begin(request, settings, runner)
    return _told(port, yard, as_json)


def go_on(name: str, abort: bool, as_json: bool) -> int:
    """Go on with the port `name`, the only one that is not done if empty."""
    runner, settings = LocalRunner(), load_settings({}, Path.cwd())
    if not name:
        name = _only(ports.unfinished(settings, runner))
    if abort:
        print(f"removed {ports.abort(name, settings, runner)}")
        return 0
    port, yard = ports.resume(name, settings, runner)
    return _told(port, yard, as_json)


def _only(names: tuple[str, ...]) -> str:
    if len(names) == 1:
        return names[0]
    if not names:
        raise UsageError("no port waits to go on", "`kzc apply SERIES --onto TREE` begins one")
    raise UsageError(
        f"{len(names)} ports wait: {', '.join(names)}", "name the one: kzc continue NAME"
    )


def _found(
    asked: Asked, onto: Tree, patches: Path, settings: Settings, runner: Runner
) -> tuple[Series, Tree | None]:
    """The series and the tree it is for: that of --tree, else the one where its base is."""
    cwd = Path.cwd()
    tree = find_tree(asked.tree, cwd, settings, runner) if asked.tree else None
    manifest = find_manifest(patches, asked.series)
    if manifest is not None and tree is None:
        others = [each for each in registry.listed(settings) if each.commit != onto.commit]
        for label in manifest.bases:
            known = (each for each in others if each.version.startswith((f"{label}.", f"{label}-")))
            tree = tree or next(known, None)
        version = tree.version if tree else next(iter(manifest.bases))
        return load_series(patches, asked.series, version), tree
    here = enclosing_kernel(cwd)
    series = find_series(
        asked.series,
        cwd=cwd,
        patches_dir=patches,
        version=tree.version if tree else onto.version,
        repo=here or (tree or onto).repo,
        runner=runner,
    )
    return series, tree or _tree_of_base(series, onto, here, settings, runner)


def _tree_of_base(
    series: Series, onto: Tree, here: Path | None, settings: Settings, runner: Runner
) -> Tree | None:
    """The first tree at hand that has the commit the series names as its base."""
    if not series.base:
        return None
    if here is not None and (commit := Git(runner, here).commit_of(series.base)):
        return find_tree(f"{here}#{commit}", here, settings, runner)
    for tree in (onto, *registry.listed(settings)):
        if tree.repo.is_dir() and (commit := Git(runner, git_dir=tree.repo).commit_of(series.base)):
            return replace(tree, commit=commit)
    return None


def _told(port: Port, yard: Yard, as_json: bool) -> int:
    numbers = ports.numbers(port, yard) if port.done else None
    taken = numbers is not None and not numbers.verdict.good
    if as_json:
        print(json.dumps(_values(port, yard, numbers), indent=2))
        return 1 if port.stopped or taken else 0
    console = Console(soft_wrap=True, highlight=False)
    console.print(_table(port))
    if port.stopped:
        _what_to_do(port, yard, console)
        return 1
    if port.head == port.base:
        console.print(f"\nall of it is in {port.onto} already: there is nothing to write")
        return 0
    console.print(f"\nrange: {port.base[:12]}..{port.head} in {yard.repo}")
    if numbers is not None:
        words = f"uapi numbers: {numbers.verdict.value}: {numbers.reason}"
        console.print(Text(short(words, LONG), "bold red" if taken else ""))
    console.print(f"patches: {yard.patches}")
    return 1 if taken else 0


def _values(port: Port, yard: Yard, numbers: Outcome | None) -> Mapping[str, Any]:
    return {
        **asdict(port),
        "stopped": port.stopped,
        "worktree": str(yard.worktree) if port.stopped else "",
        "repo": str(yard.repo),
        "patches": str(yard.patches) if port.done and port.head != port.base else "",
        "numbers": None if numbers is None else {"verdict": numbers.verdict, **numbers.detail},
    }


def _table(port: Port) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in ("patch", "how", "commit", "what changed"):
        table.add_column(title, overflow="fold")
    total = len(port.steps)
    for number, step in enumerate(port.steps, start=1):
        subject = short(f"{number}/{total} {step.subject}")
        table.add_row(Text(subject), step.how.value, step.commit[:12], Text(short(step.note)))
    return table


def _what_to_do(port: Port, yard: Yard, console: Console) -> None:
    step = port.steps[port.at]
    where = shlex.quote(str(yard.worktree))
    subject = short(step.subject)
    console.print(
        Text(f"\npatch {port.at + 1}/{len(port.steps)} ({subject}): {short(step.note)} in")
    )
    for name in port.conflicts:
        rejected = yard.worktree / f"{name}.rej"
        beside = f" (what did not fit is in {name}.rej)" if rejected.exists() else ""
        console.print(Text(f"  {short(name + beside, LONG)}"))
    console.print(Text(f"the worktree is ready: {where}"))
    console.print(Text("left to do: edit these files there (our tree's side is HEAD), then"))
    console.print(Text(f"  git -C {where} add FILES && kzc continue {port.name}"))
    console.print(Text(f"or throw it away: kzc continue {port.name} --abort"))


def _say(text: str) -> None:
    Console(stderr=True).print(Text(short(text)), soft_wrap=True)
