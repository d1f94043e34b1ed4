# SPDX-License-Identifier: GPL-2.0-only
"""Runs that are forgotten: gone with the logs that no other run has, and with nothing else."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from kzc.errors import UsageError
from kzc.results.store import Store
from kzc.values import Run

from . import sample

OLD = time.time() - 7200


def make(store: Store, **logs: bytes) -> Run:
    with store.create(("kzc",), {"tree": "6.12"}, "0") as run:
        for name, content in logs.items():
            (run.logs / name).write_bytes(content)
        run.append(sample.run().outcomes[-1])
    return run.run


def contents(store: Store) -> list[Path]:
    return sorted((store.data / "logs").glob("??/*.zst"))


def let_time_pass(store: Store) -> None:
    for path in contents(store):
        os.utime(path, (OLD, OLD))


def test_a_forgotten_run_takes_its_own_logs_along(tmp_path: Path, db: str) -> None:
    store = Store(tmp_path, db)
    first = make(store, own=b"a" * 100, shared=b"b" * 100)
    second = make(store, shared=b"b" * 100)
    let_time_pass(store)
    gone = store.forget([first.id])
    assert (gone.runs, gone.contents) == ((first.id,), 1)
    assert gone.bytes > 0
    assert [run.id for run in store.list()] == [second.id]
    assert [path.name for path in store.folder.glob("[0-9]*")] == [second.id]
    assert len(contents(store)) == 1
    store.clean(0)
    assert (store.folder_of(second) / "logs/shared").read_bytes() == b"b" * 100


def test_a_log_that_somebody_may_be_about_to_name_stays(tmp_path: Path) -> None:
    store = Store(tmp_path)
    first = make(store, log=b"a" * 100)
    let_time_pass(store)
    with store.create(("kzc",), {}, "0") as run:
        (run.logs / "log").write_bytes(b"a" * 100)
        store.blobs.add((run.logs / "log").open("rb"))
        assert store.forget([first.id]).contents == 0
    assert store.blobs.has(store.files(run.run)[0].blob.sha256)


def test_a_run_that_goes_on_is_not_forgotten_nor_any_beside_it(tmp_path: Path) -> None:
    store = Store(tmp_path)
    first = make(store)
    with (
        store.create(("kzc",), {}, "0") as run,
        pytest.raises(UsageError, match=f"{run.run.id} goes on"),
    ):
        store.forget([first.id, run.run.id])
    assert len(store.list()) == 2


def test_a_run_that_was_killed_is(tmp_path: Path) -> None:
    store = Store(tmp_path)
    with pytest.raises(ZeroDivisionError), store.create(("kzc",), {}, "0") as run:
        raise ZeroDivisionError
    store.forget([run.run.id])
    assert (store.list(), list(store.folder.glob("[0-9]*"))) == ((), [])


def test_old_is_what_was_begun_before(tmp_path: Path, db: str) -> None:
    stores = [
        Store(tmp_path, db, clock=lambda day=day: datetime(2026, 1, day, tzinfo=UTC))  # type: ignore[misc]
        for day in (1, 10, 20)
    ]
    runs = [make(store) for store in stores]
    assert stores[2].older(9) == (runs[0].id, runs[1].id)
    assert stores[2].older(10) == (runs[0].id,)
    assert stores[2].older(30) == ()
