# SPDX-License-Identifier: GPL-2.0-only
"""The store keeps what it was given, through kills, full disks and neighbours."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import cycle
from pathlib import Path

import pytest

from kzc.errors import HostError, UsageError
from kzc.results.store import Store
from kzc.results.verdicts import exit_code, verdict_of
from kzc.values import Case, Outcome, Run, Stage, Verdict

from . import sample

BEGIN = datetime(2026, 11, 21, 9, 30, 15, tzinfo=UTC)
COMMAND = ("kzc", "run", "scm-zc-notification")


def outcome(number: int) -> Outcome:
    return Outcome(Stage.APPLY, f"{number}/9 a patch", Verdict.PASS, 0.5, reason="applies")


def make(store: Store, outcomes: tuple[Outcome, ...]) -> Run:
    with store.create(COMMAND, {"tree": "linux"}, "0.1.0") as run:
        for each in outcomes:
            run.append(each)
    return run.run


def ticking(step: float = 1.0) -> Iterator[datetime]:
    now = BEGIN
    while True:
        yield now
        now += timedelta(seconds=step)


def test_a_run_reads_back_as_it_was_written(tmp_path: Path, db: str) -> None:
    written = sample.run()
    store = Store(tmp_path, db)
    with store.create(written.command, written.environment, written.kzc) as run:
        for each in written.outcomes:
            run.append(each)
        run.note({"config_hash": "77"})
    read = store.load(run.run.id)
    assert read == run.run
    assert read.outcomes == written.outcomes
    assert read.environment == {**written.environment, "config_hash": "77"}
    assert isinstance(read.outcomes[7].cases[0].verdict, Verdict)
    assert read.finished
    assert run.logs.is_dir()
    assert store.folder_of(read) == run.folder


def test_an_exception_leaves_an_unfinished_run(tmp_path: Path, db: str) -> None:
    store = Store(tmp_path, db)
    with suppress(KeyboardInterrupt), store.create(COMMAND, {}, "0.1.0") as run:
        run.append(outcome(1))
        raise KeyboardInterrupt
    read = store.load()
    assert read.outcomes == (outcome(1),)
    assert not read.finished
    assert exit_code(read) == 3
    assert store.list() == (read,)


def test_a_full_disk_is_a_host_error_and_spoils_nothing(tmp_path: Path, db: str) -> None:
    if db:
        return  # a server's disk is not ours
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    big = replace(outcome(2), reason="x" * 200_000)
    store = Store(tmp_path)
    with store.create(COMMAND, {}, "0") as run:
        run.append(outcome(1))
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
        try:
            with pytest.raises(HostError, match=r"cannot use the store .*kzc\.db: ") as caught:
                run.append(big)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        assert "make room" in caught.value.hint
        run.append(outcome(3))
    assert store.load().outcomes == (outcome(1), outcome(3))


def test_a_folder_that_cannot_be_made_is_a_host_error(tmp_path: Path, db: str) -> None:
    (tmp_path / "runs").write_text("a file is in the way")
    with pytest.raises(HostError, match="cannot write"):
        Store(tmp_path, db).create(COMMAND, {}, "0.1.0")


def test_runs_begun_in_the_same_second_get_folders_of_their_own(tmp_path: Path, db: str) -> None:
    def begin(number: int) -> str:
        tokens = cycle(f"{each:04x}" for each in range(6))
        store = Store(tmp_path, db, clock=lambda: BEGIN, token=lambda: next(tokens))
        return make(store, (outcome(number),)).id

    with ThreadPoolExecutor(6) as pool:
        ids = list(pool.map(begin, range(6)))
    assert len(set(ids)) == 6
    store = Store(tmp_path, db)
    assert [store.load(each).outcomes for each in ids] == [(outcome(each),) for each in range(6)]


def test_the_newest_run_comes_first_even_within_a_second(tmp_path: Path, db: str) -> None:
    clock = ticking(0.1)
    tokens = iter(("ffff", "0000", "8888"))
    store = Store(tmp_path, db, clock=lambda: next(clock), token=lambda: next(tokens))
    made = [make(store, (outcome(each),)) for each in range(3)]
    assert [run.id for run in store.list()] == [run.id for run in reversed(made)]
    assert store.load() == made[-1]


def test_the_list_is_light_and_tells_the_verdict(tmp_path: Path, db: str) -> None:
    store = Store(tmp_path, db)
    bad = Outcome(
        Stage.TEST, "vsock", Verdict.PASS, cases=(Case("a", Verdict.FAIL),), detail={"big": "x"}
    )
    make(store, (bad,))
    (listed,) = store.list()
    assert verdict_of(listed) is Verdict.FAIL
    assert listed.outcomes[0].cases == ()
    assert store.load().outcomes == (bad,)


def test_a_run_is_found_by_either_end_of_its_id(tmp_path: Path, db: str) -> None:
    clock, tokens = ticking(3600), iter(("3fa2", "77aa"))
    store = Store(tmp_path, db, clock=lambda: next(clock), token=lambda: next(tokens))
    first, second = (make(store, (outcome(each),)) for each in range(2))
    assert first.id == "20261121-093015-3fa2"
    assert store.load("3fa2") == first
    assert store.load(second.id[:13]) == second
    with pytest.raises(UsageError, match="more than one run") as caught:
        store.load("20261121")
    assert first.id in caught.value.message


@pytest.mark.parametrize("name", ["20261121-093015-3fa3", "", "../../etc", "nonsense"])
def test_an_unknown_run_names_near_ones(tmp_path: Path, db: str, name: str) -> None:
    store = Store(tmp_path, db, clock=lambda: BEGIN, token=lambda: "3fa2")
    make(store, (outcome(1),))
    with pytest.raises(UsageError, match="no run is called") as caught:
        store.load(name)
    assert "20261121-093015-3fa2" in caught.value.hint


def test_no_run_at_all_says_how_to_make_one(tmp_path: Path, db: str) -> None:
    store = Store(tmp_path, db)
    assert store.list() == ()
    with pytest.raises(UsageError, match="no run in") as caught:
        store.load()
    assert "kzc run" in caught.value.hint


def test_a_run_killed_while_it_was_created_disturbs_nobody(tmp_path: Path, db: str) -> None:
    store = Store(tmp_path, db)
    made = make(store, (outcome(1),))
    (store.folder / "20991231-235959-0000").mkdir()
    assert store.load() == made
    assert [run.id for run in store.list()] == [made.id]
