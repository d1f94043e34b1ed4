# SPDX-License-Identifier: GPL-2.0-only
"""The folders of runs: where a run writes while it goes on, and a plain copy of its files later.

Logs grow after the outcome that names them, so they are written plainly to `runs/ID/` and folded
into the store when the run ends: each file by its content, its path a row. The folder then is a
copy for people and programs, kept for the newest runs and made again when asked for. What a kill
left unfolded is folded by the next run.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

import sqlalchemy as sa

from kzc.errors import HostError
from kzc.inuse import orphaned
from kzc.results.blobs import Blob, Blobs, Kept
from kzc.results.db.engine import blamed, writing
from kzc.results.db.schema import files, runs
from kzc.results.disk import blamed as disk_blamed

LOGS, LOCK = "logs", ".open"
_PASSING = {LOCK, "initramfs"}  # a kill leaves these; nobody wants to see them later
KEPT = 20
"""So many folders of runs stay as they are."""


def fold(engine: sa.Engine, blobs: Blobs, folder: Path, without: Collection[Path] = ()) -> None:
    """Keep all files of a run's folder, which is named as the run. Raises HostError."""
    found = plain_files(folder, blobs, without)
    with blamed(engine), writing(engine).begin() as connection:
        add_files(connection, folder.name, found)


def plain_files(folder: Path, blobs: Blobs, without: Collection[Path] = ()) -> tuple[Kept, ...]:
    """Keep the contents of all files below a folder. Raises HostError."""
    found = []
    for path in _files(folder):
        if path not in without:
            with disk_blamed(path), path.open("rb") as source:
                found.append(Kept(str(path.relative_to(folder)), blobs.add(source)))
    return tuple(found)


def settle(engine: sa.Engine, blobs: Blobs, folder: Path) -> bool:
    """Fold a run's folder if that was not done; False where the run goes on."""
    with blamed(engine), engine.begin() as connection:
        asked = sa.select(runs.c.folded).where(runs.c.id == folder.name)
        if connection.execute(asked).scalar() or not folder.is_dir():
            return True
    with orphaned(folder / LOCK) as free:
        if free:
            fold(engine, blobs, folder)
        return free


def add_files(connection: sa.Connection, run: str, found: Sequence[Kept]) -> None:
    """Say what was in a run's folder, in the place of what was said before."""
    connection.execute(sa.delete(files).where(files.c.run == run))
    if found:
        rows = [
            {"run": run, "number": at, "path": each.path, **asdict(each.blob)}
            for at, each in enumerate(found)
        ]
        connection.execute(sa.insert(files), rows)
    connection.execute(sa.update(runs).where(runs.c.id == run).values(folded=True))


def kept(engine: sa.Engine, run: str) -> tuple[Kept, ...]:
    """The files of a folded run."""
    with blamed(engine), engine.begin() as connection:
        asked = sa.select(files).where(files.c.run == run).order_by(files.c.number)
        return tuple(
            Kept(row.path, Blob(row.sha256, row.size)) for row in connection.execute(asked)
        )


def plain(folder: Path) -> tuple[Kept, ...]:
    """The files of a folder that was not folded."""
    found = []
    for path in _files(folder):
        with disk_blamed(path), path.open("rb") as source:
            digest = hashlib.file_digest(source, "sha256").hexdigest()
            found.append(Kept(str(path.relative_to(folder)), Blob(digest, source.tell())))
    return tuple(found)


def restore(engine: sa.Engine, blobs: Blobs, folder: Path) -> None:
    """Make a folded run's folder again, whole or not at all. Raises HostError."""
    spare = folder.with_name(f".{folder.name}.{os.getpid()}")
    found = kept(engine, folder.name)
    try:
        with disk_blamed(folder):
            (spare / LOGS).mkdir(parents=True)
            for each in found:
                if not inside(each.path):
                    raise HostError(f"{each.path!r} leaves the folder of run {folder.name}")
                path = spare / each.path
                path.parent.mkdir(parents=True, exist_ok=True)
                blobs.copy(each.blob.sha256, path)
            with suppress(OSError):  # somebody else was faster
                spare.rename(folder)
    finally:
        shutil.rmtree(spare, ignore_errors=True)
    if not folder.is_dir():
        raise HostError(f"cannot write {folder}", "make room, or choose another data folder")


def inside(path: str) -> bool:
    """Whether a path, given by anybody, stays in the folder it is relative to."""
    return "\0" not in path and not {"", ".", ".."} & set(path.split("/"))


def tidy(
    engine: sa.Engine,
    blobs: Blobs,
    parent: Path,
    keep: int = KEPT,
    older_than: float | None = None,
) -> tuple[Path, ...]:
    """Fold what killed runs left, and remove all but the newest folders of folded runs, and those
    that are older than so many seconds.

    Returns what was removed. A folder of a run that this database does not know stays.
    """
    folders = sorted(parent.glob("[0-9]*/"), key=_touched)
    with blamed(engine), engine.begin() as connection:
        known = sa.select(runs.c.id, runs.c.folded)
        wanted = known.where(runs.c.id.in_([folder.name for folder in folders]))
        folded = {row.id: row.folded for row in connection.execute(wanted)}
    gone = []
    for age, folder in enumerate(reversed(folders)):
        old = age >= keep or (
            older_than is not None and _touched(folder) < time.time() - older_than
        )
        if folder.name not in folded or (folded[folder.name] and not old):
            continue
        with orphaned(folder / LOCK) as free:
            if free and not folded[folder.name]:
                fold(engine, blobs, folder)
        if free and old:
            gone.append(folder)
    return tuple(folder for folder in gone if removed(folder))


def _touched(folder: Path) -> float:
    try:
        return folder.stat().st_mtime
    except FileNotFoundError:
        return 0.0


def removed(folder: Path) -> bool:
    """Remove a run's folder, False where somebody else is at it. Renamed first: a removal cut
    short leaves nothing that looks like the whole."""
    doomed = folder.with_name(f".{folder.name}.gone")
    try:
        folder.rename(doomed)
    except OSError:
        return False
    shutil.rmtree(doomed, ignore_errors=True)
    return True


def _files(folder: Path) -> Iterator[Path]:
    """All that are no links, by path."""
    for where, below, names in os.walk(folder):
        below.sort()
        for name in sorted({*names} - _PASSING):
            path = Path(where, name)
            if path.is_file() and not path.is_symlink() and name != LOCK:
                yield path
