# SPDX-License-Identifier: GPL-2.0-only
"""The folders of runs: folded at the end, given up when many, made again; old ones taken in."""

from __future__ import annotations

import json
import os
import shutil
import time
from pathlib import Path

import pytest
import sqlalchemy as sa

from kzc.errors import HostError
from kzc.results import folders
from kzc.results.codec import header_to_json, outcome_to_json
from kzc.results.db.engine import writing
from kzc.results.db.schema import files
from kzc.results.old_runs import HEADER, OUTCOMES
from kzc.results.store import Store
from kzc.values import Run

from . import sample

LOGS = {
    "logs/a.log": b"a" * 5000,
    "logs/guest/console.log": b"a" * 5000,
    "rounds.jsonl": b"\x00\xff",
}


def make(store: Store) -> Run:
    with store.create(("kzc",), {}, "0") as run:
        write(run.folder)
    return run.run


def write(folder: Path) -> None:
    for name, content in LOGS.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)


def contents(folder: Path) -> dict[str, bytes]:
    found = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in found}


def test_files_are_kept_once_by_content_and_come_back(tmp_path: Path) -> None:
    store = Store(tmp_path)
    run = make(store)
    assert [each.path for each in store.files(run)] == [
        "rounds.jsonl",
        "logs/a.log",
        "logs/guest/console.log",
    ]
    kept = list((tmp_path / "logs").rglob("*.zst"))
    assert len(kept) == 2
    assert sum(path.stat().st_size for path in kept) < 200
    assert contents(store.folder_of(run)) == LOGS
    shutil.rmtree(store.folder_of(run))
    assert contents(store.folder_of(run)) == LOGS
    assert [path.name for path in store.folder.iterdir()] == [run.id]


def test_a_run_is_known_where_its_logs_are_not(tmp_path: Path) -> None:
    here = Store(tmp_path / "here")
    run = make(here)
    there = Store(tmp_path / "there", f"sqlite:///{tmp_path / 'here' / 'kzc.db'}")
    assert there.load() == run
    assert not there.folder_of(run).exists()


def test_a_path_that_leaves_the_folder_is_not_made(tmp_path: Path) -> None:
    store = Store(tmp_path)
    run = make(store)
    shutil.rmtree(store.folder)
    with store.opened() as engine, writing(engine).begin() as connection:
        connection.execute(sa.update(files).values(path="../../x"))
    with pytest.raises(HostError, match="leaves the folder"):
        store.folder_of(run)
    assert not (tmp_path / "x").exists()


def test_only_the_newest_stay_plain_and_a_run_that_goes_on_always_does(tmp_path: Path) -> None:
    store = Store(tmp_path)
    first = store.create(("kzc",), {}, "0")
    write(first.folder)
    made = [make(store) for _ in range(3)]
    for age, run in enumerate(reversed(made)):
        os.utime(store.folder / run.id, (time.time() - 100 * age,) * 2)
    os.utime(first.folder, (1, 1))
    with store.opened() as engine:
        gone = folders.tidy(engine, store.blobs, store.folder, keep=2)
    assert [path.name for path in gone] == [made[0].id]
    assert store.clean(older_than=50) == (store.folder / made[1].id,)
    assert first.folder.is_dir()
    with first:
        pass
    assert {each.path for each in store.files(first.run)} == set(LOGS)
    assert contents(store.folder_of(made[0])) == LOGS


def test_a_folder_that_the_database_does_not_know_stays(tmp_path: Path) -> None:
    store = Store(tmp_path)
    make(store)
    stranger = store.folder / "20200101-000000-0000"
    write(stranger)
    os.utime(stranger, (1, 1))
    assert store.clean(older_than=50) == ()
    assert contents(stranger) == LOGS


def old(parent: Path, run: Run) -> Path:
    """A run as kzc kept it before it had a database."""
    folder = parent / run.id
    write(folder)
    heads = {"heads": [], "new": 1}
    (folder / HEADER).write_text(json.dumps({**header_to_json(run), **heads}))
    lines = [json.dumps(outcome_to_json(each)) + "\n" for each in run.outcomes]
    (folder / OUTCOMES).write_text("".join(lines) + '{"stage": "te')
    return folder


def test_an_old_run_is_taken_in_once_with_all_its_files(tmp_path: Path, db: str) -> None:
    folder = old(tmp_path / "runs", sample.run())
    store = Store(tmp_path, db)
    assert [run.id for run in store.list()] == [sample.run().id]
    assert store.load() == sample.run()
    assert contents(folder) == LOGS
    assert {each.path for each in store.files(sample.run())} == set(LOGS)


def test_an_old_run_in_half_is_left_until_it_is_over_and_a_damaged_one_always(
    tmp_path: Path,
) -> None:
    going = Run(**{**vars(sample.run()), "finished": ""})
    folder = old(tmp_path / "runs", going)
    lock = tmp_path / "live" / f"{going.id}.lock"
    lock.parent.mkdir()
    lock.touch()
    damaged = tmp_path / "runs" / "20200101-000000-0000"
    damaged.mkdir()
    (damaged / HEADER).write_text("{")
    store = Store(tmp_path)
    assert store.list() == ()
    lock.unlink()
    assert store.list() == ()
    os.utime(folder / HEADER, (1, 1))
    assert store.load() == going
    assert not (folder / HEADER).exists()
    assert (damaged / HEADER).exists()


def test_an_old_run_of_another_place_is_copied(tmp_path: Path, db: str) -> None:
    folder = old(tmp_path / "elsewhere", sample.run())
    store = Store(tmp_path / "here", db)
    assert store.take(folder, 0) == (sample.run(), True)
    assert store.take(folder, 0) == (sample.run(), False)
    assert (folder / HEADER).exists()
    assert contents(store.folder_of(store.load())) == LOGS
