# SPDX-License-Identifier: GPL-2.0-only
"""Taking in a run that was made elsewhere: rows in one transaction, after all its contents."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import sqlalchemy as sa

from kzc.errors import UsageError
from kzc.results.archive import unpacked
from kzc.results.blobs import Blobs, Kept
from kzc.results.db.engine import blamed, writing
from kzc.results.db.rows import add_run, read_run
from kzc.results.folders import add_files
from kzc.values import Run


def take(engine: sa.Engine, blobs: Blobs, source: Path, limit: int) -> tuple[Run, bool]:
    """Take in an archive's run; and whether it was new. Raises UsageError, see archive.py."""
    with unpacked(source, blobs.folder, limit) as found:
        for each in found.files:
            if not blobs.has(each.blob.sha256):
                with found.blobs.opened(each.blob.sha256) as content:
                    blobs.add(content)
        return found.run, keep(engine, found.run, found.files)


def keep(engine: sa.Engine, run: Run, files: Sequence[Kept]) -> bool:
    """Make a run's rows; False where it is here already. Raises UsageError for another run of
    that name."""
    try:
        with blamed(engine), writing(engine).begin() as connection:
            add_run(connection, run)
            add_files(connection, run.id, files)
    except sa.exc.IntegrityError:
        with blamed(engine), engine.begin() as connection:
            if read_run(connection, run.id) == run:
                return False
        raise UsageError(f"another run called {run.id} is here", "nothing was taken in") from None
    return True
