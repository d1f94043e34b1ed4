# SPDX-License-Identifier: GPL-2.0-only
"""`kzc runs`, `kzc show`, `kzc history`: the runs that are kept; `kzc forget`: those no more."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from kzc.errors import HostError, UsageError
from kzc.results import past_report, runs_report
from kzc.results.clean import printable, short
from kzc.results.store import Store
from kzc.results.text import WIDTH
from kzc.results.wanted import Wanted
from kzc.results.words import plural
from kzc.settings import load_settings
from kzc.values import Run, Verdict

VERDICTS = (*(each.value for each in Verdict), "not_clean", "unfinished")
"""What a run can amount to, see `kzc.results.db.chosen.by_verdict`."""


def listed(wanted: Wanted, as_json: bool) -> int:
    """The table of runs, or why it is empty. Raises UsageError where there is no such verdict."""
    if wanted.verdict and wanted.verdict.replace(" ", "_").lower() not in VERDICTS:
        words = (word.replace("_", " ") for word in VERDICTS)
        raise UsageError(f"there is no verdict {wanted.verdict}", f"there are: {', '.join(words)}")
    store = _store()
    found = store.list(wanted)
    if as_json:
        print(json.dumps([runs_report.head(run) for run in found], indent=2))
    elif found:
        Console().print(runs_report.table(found))
    elif store.list(Wanted(last=1)):
        print(f"no run {_asked(wanted)}: `kzc runs` shows all that are kept")
    else:
        print("no run is kept here: `kzc run SERIES` or `kzc test` makes one")
    return 0


def _asked(wanted: Wanted) -> str:
    asked = {
        "on the tree": wanted.tree,
        "of the series": wanted.series,
        "with the suite": wanted.suite,
        "with the verdict": wanted.verdict,
    }
    return ", ".join(f"{what} {short(word)}" for what, word in asked.items() if word)


def show(name: str, file: str, as_json: bool) -> int:
    """All of a run, or one of its files."""
    store = _store()
    run = store.load(name)
    if file:
        return _print(store, run, file)
    files = store.files(run)
    if as_json:
        print(json.dumps(runs_report.whole(run, files), indent=2))
    else:
        _console().print(runs_report.render(run, files))
    return 0


def history(case: str, wanted: Wanted, as_json: bool) -> int:
    """The past of a case; 1 where it is bad now."""
    found = _store().past(case, wanted)
    if as_json:
        print(json.dumps([past_report.as_object(past) for past in found], indent=2))
    else:
        _console().print(past_report.table(found))
    return int(any(past.lasting for past in found))


def forget(names: Sequence[str], days: int, dry_run: bool) -> int:
    """Forget the runs of these names, or those older than so many days."""
    if bool(names) == bool(days):
        raise UsageError("name runs, or --days N, not both", "`kzc runs` shows them all")
    store = _store()
    ids = tuple(dict.fromkeys(store.load(name).id for name in names)) or store.older(days)
    if dry_run:
        print("\n".join(ids) or "there is none")
        return 0
    gone = store.forget(ids)
    mib = gone.bytes / 2**20
    print(
        f"{plural(len(gone.runs), 'run')} forgotten, {plural(gone.contents, 'log')}, {mib:.1f} MiB"
    )
    return 0


def _print(store: Store, run: Run, file: str) -> int:
    """As it is into a file or pipe; a terminal is shown no escapes."""
    names = [each.path for each in store.files(run)]
    meant = [name for name in names if name == file] or [
        name for name in names if name.endswith(f"/{file}")
    ]
    if len(meant) != 1:
        raise UsageError(
            f"run {run.id} has {'several files' if meant else 'no file'} {file}",
            f"there are: {', '.join(meant or names[:20]) or 'none'}",
        )
    path = store.folder_of(run) / meant[0]
    if not path.exists():
        raise HostError(
            f"{meant[0]} of run {run.id} is not on this machine",
            "`kzc export` where it was made, and `kzc load` here",
        )
    if sys.stdout.isatty():
        with path.open(errors="surrogateescape", newline="\n") as lines:
            for line in lines:
                print(printable(line.rstrip("\n")))
        return 0
    with path.open("rb") as source:
        while data := source.read(1 << 20):
            sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()
    return 0


def _store() -> Store:
    return Store.of(load_settings({}, Path.cwd()))


def _console() -> Console:
    return Console(width=None if Console().is_terminal else WIDTH, highlight=False)
