# SPDX-License-Identifier: GPL-2.0-only
"""`kzc compare`: two versions of a series, and the newest runs of them; or two runs, trees or
topologies."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

from rich.console import Console
from rich.text import Text

from kzc.cli import sides, versions
from kzc.cli.options import Asked
from kzc.cli.sides import Runs
from kzc.errors import UsageError
from kzc.jobs.workshop import imported_folder
from kzc.proc import LocalRunner
from kzc.results import sidebyside_report as report
from kzc.results.clean import short
from kzc.results.sidebyside import Row, newest_pair, regressed, slowed
from kzc.results.store import Store
from kzc.results.text import WIDTH
from kzc.results.wanted import Wanted
from kzc.series.apply import key_of
from kzc.series.compare import Comparison, compare_series
from kzc.series.find import find_series, is_range
from kzc.series.imported import list_imported
from kzc.series.manifest import list_series
from kzc.settings import Settings, load_settings
from kzc.shared import shared_folder
from kzc.trees.find import find_tree
from kzc.trees.registry import listed, names_hint
from kzc.values import Series

FORMATS = ("text", "markdown", "json")
_KINDS = ("run", "topology", "tree", "series", "")
_RUN = re.compile(r"\d{8}(-\d{1,6}(-[0-9a-f]{0,4})?)?|[0-9a-f]{4}")


@dataclass(frozen=True)
class Shown:
    """How it is told: a name of FORMATS, and whether nothing is left out; and by how many percent
    a figure may be slower before the status says so, None: by any number."""

    form: str = "text"
    full: bool = False
    tolerance: float | None = None

    def status(self, rows: Sequence[Row]) -> int:
        """1 where a case regressed, or a figure by more than is tolerated."""
        slow = self.tolerance is not None and slowed(rows, self.tolerance)
        return int(regressed(rows) or slow)


def compare(asked: Asked, old: str, new: str, shown: Shown, wanted: Wanted) -> int:
    """Compare two versions, or two runs; the status is `shown`'s for the rows between the runs.

    `wanted` restricts the runs that are looked for, and says over how many rates are taken.
    """
    if shown.form not in FORMATS:
        raise UsageError(f"there is no format {shown.form}", f"there are: {', '.join(FORMATS)}")
    cwd = Path.cwd()
    settings = load_settings({}, cwd)
    store = Store.of(settings)
    runs = _runs_meant(store, (old, new), cwd, settings, wanted)
    if runs is not None:
        _show_runs(runs, shown)
        return shown.status(runs.rows)
    series = _find(asked, (old, new), cwd, settings)
    found = compare_series(*series)
    at_hand = _runs_of(store, *series, wanted.last)
    _show(found, series, at_hand, shown)
    return shown.status(at_hand.rows) if at_hand is not None else 0


def _runs_meant(
    store: Store, specs: tuple[str, str], cwd: Path, settings: Settings, wanted: Wanted
) -> Runs | None:
    """The runs, where the words mean runs, topologies or trees; None where they mean series.

    Raises UsageError where they mean different things, or one of them nothing.
    """
    kinds = [_kind(spec, cwd, settings) for spec in specs]
    kind = min(kinds, key=_KINDS.index)
    if kind not in ("series", "") and kinds[0] != kinds[1]:
        _refuse(specs, kinds, kind, settings)
    if kind == "run":
        return sides.of_runs(store, store.load(specs[0]), store.load(specs[1]), wanted.last)
    if kind == "topology":
        return sides.of_topologies(store, *specs, wanted)
    if kind == "tree":
        return sides.of_trees(store, *specs, replace(wanted, tree=""))
    return None


def _refuse(
    specs: tuple[str, str], kinds: Sequence[str], kind: str, settings: Settings
) -> NoReturn:
    """Only one of the words is of that kind."""
    known = kinds.index(kind)
    other = kinds[1 - known]
    if other:
        raise UsageError(
            f"{specs[0]} and {specs[1]}: one is a {kind}, the other a {other}",
            "name two series, two runs of `kzc runs`, two trees, or two topologies",
        )
    hints = {
        "run": "`kzc runs` shows them all",
        "topology": f"there are: {', '.join(sides.TOPOLOGIES)}",
        "tree": names_hint(settings),
    }
    raise UsageError(
        f"{specs[known]} is a {kind}, but there is no {kind} {specs[1 - known]}", hints[kind]
    )


def _kind(spec: str, cwd: Path, settings: Settings) -> str:
    """One of _KINDS: what a word can only be, or is; empty where it is nothing that is known."""
    if _is_path(spec, cwd):
        return "series"
    series = {*list_series(shared_folder("patches")), *list_imported(imported_folder(settings))}
    if _RUN.fullmatch(spec) and spec not in series:
        return "run"
    if spec in sides.TOPOLOGIES:
        return "topology"
    if spec in series or is_range(spec):
        return "series"
    return "tree" if spec in {tree.name for tree in listed(settings)} else ""


def _is_path(spec: str, cwd: Path) -> bool:
    return (cwd / Path(spec).expanduser()).exists()


def _find(
    asked: Asked, specs: tuple[str, str], cwd: Path, settings: Settings
) -> tuple[Series, Series]:
    """Both series; a tree is looked for only where one of them needs it."""
    runner, patches = LocalRunner(), shared_folder("patches")
    find = partial(
        find_series, cwd=cwd, patches_dir=patches, runner=runner, imported=imported_folder(settings)
    )
    for spec in specs:
        if not _kind(spec, cwd, settings):
            find(spec, version="", repo=cwd)  # it raises, and not for the want of a tree
    carried = list_series(patches)
    version, repo = "", cwd
    ranges = any(".." in spec and not _is_path(spec, cwd) for spec in specs)
    if asked.tree or ranges or any(spec in carried for spec in specs):
        tree = find_tree(asked.tree, cwd, settings, runner)
        version = tree.version
        repo = tree.repo if tree.kind != "path" else cwd / tree.source.partition("#")[0]
    old, new = (find(spec, version=version, repo=repo) for spec in specs)
    return old, new


def _runs_of(store: Store, old: Series, new: Series, last: int) -> Runs | None:
    """The newest runs of the two; None where there is none of one of them, or they are equal."""
    keys = [key_of("", series) for series in (old, new)]
    if keys[0] == keys[1]:
        return None
    before, after = newest_pair(store.list(), keys[0], keys[1])
    if before is None or after is None:
        return None
    return sides.of_runs(store, store.load(before.id), store.load(after.id), last)


def _show(
    found: Comparison, series: tuple[Series, Series], runs: Runs | None, shown: Shown
) -> None:
    if shown.form == "json":
        whole = {
            "schema": 1,
            "old": _named(series[0]),
            "new": _named(series[1]),
            **versions.as_object(found),
            "runs": report.as_object(runs.old, runs.new, runs.rows) if runs else None,
            "regressed": bool(runs and regressed(runs.rows)),
        }
        print(json.dumps(whole, indent=2))
    elif shown.form == "markdown":
        print(versions.markdown(found, *series), end="")
        if runs:
            print(f"\n{report.markdown(runs.old, runs.new, runs.rows)}", end="")
    else:
        console = _console()
        versions.show(found, console, full=shown.full)
        console.print()
        if runs:
            console.print(report.table(runs.old, runs.new, runs.rows))
        else:
            console.print(Text(_no_runs(series), "dim"))


def _no_runs(series: tuple[Series, Series]) -> str:
    old, new = series
    if key_of("", old) == key_of("", new):
        return "both are the same mails"
    names = f"{short(old.name)} and {short(new.name)}"
    return f"{names} have no tests to set side by side: `kzc run` each of them for that"


def _show_runs(runs: Runs, shown: Shown) -> None:
    if shown.form == "json":
        rows = report.as_object(runs.old, runs.new, runs.rows)
        print(json.dumps({"schema": 1, "runs": rows, "regressed": regressed(runs.rows)}, indent=2))
    elif shown.form == "markdown":
        print(report.markdown(runs.old, runs.new, runs.rows), end="")
    else:
        _console().print(report.table(runs.old, runs.new, runs.rows))


def _named(series: Series) -> dict[str, Any]:
    return {
        "name": series.name,
        "title": series.title,
        "version": series.version,
        "origin": series.origin,
        "series_key": key_of("", series),
    }


def _console() -> Console:
    return Console(width=None if Console().is_terminal else WIDTH, highlight=False)
