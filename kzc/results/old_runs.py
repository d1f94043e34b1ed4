# SPDX-License-Identifier: GPL-2.0-only
"""Runs of a kzc that had no database: folders with run.json and outcomes.jsonl.

They are taken in as they are met: rows, then files by content; the two files that are rows now go
last, so that a kill only has it done again. What is damaged, or still being written by that kzc,
stays as it is.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from kzc.errors import HostError, UsageError
from kzc.results.blobs import Blobs
from kzc.results.codec import header_from_json, outcome_from_json
from kzc.values import Outcome, Run

if TYPE_CHECKING:
    import sqlalchemy as sa

_MOMENT = 60  # seconds
HEADER, OUTCOMES = "run.json", "outcomes.jsonl"
_DAMAGED = (ValueError, KeyError, TypeError, AttributeError, OSError)


def take_in(engine: sa.Engine, blobs: Blobs, parent: Path) -> None:
    """Take in what is whole and at rest below the folder of runs."""
    for header in parent.glob(f"*/{HEADER}"):
        folder = header.parent
        with suppress(UsageError):  # damaged; `kzc load` would say how
            run = read(folder)
            if run.finished or _at_rest(parent.parent / "live" / f"{run.id}.lock", header):
                _take(engine, blobs, folder, run)


def _at_rest(lock: Path, header: Path) -> bool:
    """Whether nobody writes the run any more; its lock comes a moment after its folder."""
    return not lock.exists() and header.stat().st_mtime < time.time() - _MOMENT


def read(folder: Path) -> Run:
    """The run in such a folder, by whose name it goes. Raises UsageError where it is damaged."""
    try:
        data = json.loads((folder / HEADER).read_bytes())
        return header_from_json({**data, "id": folder.name}, tuple(_outcomes(folder / OUTCOMES)))
    except _DAMAGED as error:
        raise UsageError(
            f"{folder} holds no run, or a damaged one: {error}", "its raw logs may be whole"
        ) from error


def copy_in(engine: sa.Engine, blobs: Blobs, folder: Path) -> tuple[Run, bool]:
    """Take in such a folder from anywhere, which is left as it is; and whether it was new.

    Raises UsageError where it is damaged, or another run of that name is here.
    """
    from kzc.results.folders import plain_files
    from kzc.results.taking import keep

    run = read(folder)
    found = plain_files(folder, blobs, without=[folder / HEADER, folder / OUTCOMES])
    return run, keep(engine, run, found)


def _take(engine: sa.Engine, blobs: Blobs, folder: Path, run: Run) -> None:
    import sqlalchemy as sa

    from kzc.results.db.engine import blamed, writing
    from kzc.results.db.rows import add_run
    from kzc.results.folders import fold

    with (
        suppress(sa.exc.IntegrityError),  # a kill came between
        blamed(engine),
        writing(engine).begin() as connection,
    ):
        add_run(connection, run)
    old = [folder / HEADER, folder / OUTCOMES]
    try:
        fold(engine, blobs, folder, without=old)
        for path in reversed(old):
            path.unlink(missing_ok=True)
    except (HostError, OSError):
        return  # done again the next time


def _outcomes(path: Path) -> Iterator[Outcome]:
    """What a kill left of the last line is passed over."""
    lines = path.read_bytes().split(b"\n") if path.exists() else []
    for number, data in enumerate(lines, 1):
        try:
            if data:
                yield outcome_from_json(json.loads(data))
        except _DAMAGED as error:
            if number < len(lines):
                raise ValueError(f"line {number} of {path.name}: {error}") from error
