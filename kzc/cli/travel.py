# SPDX-License-Identifier: GPL-2.0-only
"""`kzc export` and `kzc load`: a run goes to another machine in a file."""

from __future__ import annotations

from pathlib import Path

from kzc.cli.machine import size_in_bytes
from kzc.errors import UsageError
from kzc.results.archive import SUFFIX
from kzc.results.store import Store
from kzc.settings import load_settings


def export(name: str, file: Path | None) -> int:
    """Write a run's file; `name` may be that file itself, RUN.tar.zst."""
    store = Store.of(load_settings({}, Path.cwd()))
    if file is None and name.endswith(SUFFIX):
        file = Path(name)
        name = file.name.removesuffix(SUFFIX)
    run = store.load(name)
    target = file or Path(f"{run.id}{SUFFIX}")
    if target.is_dir():
        target /= f"{run.id}{SUFFIX}"
    if target.exists():
        raise UsageError(f"{target} exists", "name another file, or remove it")
    if not target.absolute().parent.is_dir():
        raise UsageError(
            f"{target} is in a folder that is not there", "make the folder, or name another file"
        )
    store.export(run, target)
    print(f"{target}: {target.stat().st_size:,} bytes")
    return 0


def load(file: Path, limit: str) -> int:
    """Take a run in; one that is here already is no error."""
    store = Store.of(load_settings({}, Path.cwd()))
    run, new = store.take(file, size_in_bytes(limit))
    print(f"run {run.id} {'is kept now' if new else 'was here already'}")
    return 0
