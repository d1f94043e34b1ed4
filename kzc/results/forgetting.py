# SPDX-License-Identifier: GPL-2.0-only
"""Runs that nobody wants any more, out of the database and off the disk.

Rows first, then folders, then contents that no run names: a kill in between leaves contents that
the next forgetting finds. A content that another kzc is about to name is not taken (blobs.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import sqlalchemy as sa

from kzc.errors import UsageError
from kzc.inuse import orphaned
from kzc.results import folders
from kzc.results.blobs import Blobs
from kzc.results.db.engine import blamed, writing
from kzc.results.db.schema import files, runs


@dataclass(frozen=True)
class Forgotten:
    """What went: runs by their ids, contents, and the bytes of these as they were on the disk."""

    runs: tuple[str, ...]
    contents: int
    bytes: int


def older(engine: sa.Engine, now: datetime, days: int) -> tuple[str, ...]:
    """The ids of runs that were begun more than so many days ago, the oldest first."""
    before = (now - timedelta(days=days)).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    asked = sa.select(runs.c.id).where(runs.c.started < before).order_by(runs.c.started)
    with blamed(engine), engine.begin() as connection:
        return tuple(connection.execute(asked).scalars())


def forget(engine: sa.Engine, blobs: Blobs, parent: Path, ids: Sequence[str]) -> Forgotten:
    """Forget runs. Raises UsageError where one goes on here; none is forgotten then."""
    for run in ids:
        if _goes_on(parent / run):
            raise UsageError(f"run {run} goes on", "`kzc ps` shows it, `kzc stop` ends it")
    with blamed(engine), writing(engine).begin() as connection:
        for run in ids:
            connection.execute(sa.delete(runs).where(runs.c.id == run))
    for run in ids:
        if (parent / run).is_dir():
            folders.removed(parent / run)
    with blamed(engine), engine.begin() as connection:
        wanted = frozenset(connection.execute(sa.select(files.c.sha256).distinct()).scalars())
    contents, size = blobs.forget_all_but(wanted)
    return Forgotten(tuple(ids), contents, size)


def _goes_on(folder: Path) -> bool:
    if not folder.is_dir():
        return False
    with orphaned(folder / folders.LOCK) as free:
        return not free
