# SPDX-License-Identifier: GPL-2.0-only
"""The store keeps what it was given, through kills, full disks and neighbours."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
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


def test_a_run_reads_back_as_it_was_written(tmp_path: Path) -> None:
    written = sample.run()
    store = Store(tmp_path)
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


def test_an_exception_leaves_an_unfinished_run(tmp_path: Path) -> None:
    store = Store(tmp_path)
    with suppress(KeyboardInterrupt), store.create(COMMAND, {}, "0.1.0") as run:
        run.append(outcome(1))
        raise KeyboardInterrupt
    read = store.load()
    assert read.outcomes == (outcome(1),)
    assert not read.finished
    assert exit_code(read) == 3
    assert store.list() == (read,)


def test_sigkill_loses_nothing_that_was_appended(tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from kzc.results.store import Store;"
        "from kzc.values import Outcome, Stage, Verdict\n"
        "with Store(Path(sys.argv[1])).create(['kzc'], {}, '0') as run:\n"
        "    for number in range(10**6):\n"
        "        run.append(Outcome(Stage.APPLY, str(number), Verdict.PASS, reason='x' * 5000))\n"
        "        print(number, flush=True)\n"
    )
    argv = [sys.executable, "-c", script, str(tmp_path)]
    with subprocess.Popen(argv, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        seen = [child.stdout.readline() for _ in range(8)]
        child.send_signal(signal.SIGKILL)
        seen += child.stdout.readlines()
    store = Store(tmp_path)
    run = store.load()
    assert [each.subject for each in run.outcomes][: len(seen)] == [
        number.decode().strip() for number in seen
    ]
    assert not run.finished
    again = make(store, (outcome(1),))
    assert store.load(again.id).finished


def test_a_full_disk_is_a_host_error_and_spoils_no_line(tmp_path: Path) -> None:
    script = (
        "import resource, sys; from pathlib import Path; from kzc.errors import HostError\n"
        "from kzc.results.store import Store; from kzc.values import Outcome, Stage, Verdict\n"
        "one = Outcome(Stage.APPLY, 'a', Verdict.PASS, reason='x' * 7000)\n"
        "with Store(Path(sys.argv[1])).create(['kzc'], {}, '0') as run:\n"
        "    run.append(one)\n"
        "    hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]\n"
        "    resource.setrlimit(resource.RLIMIT_FSIZE, (30000, hard))\n"
        "    try:\n"
        "        run.append(one)\n"
        "    except HostError as error:\n"
        "        print(error, error.hint)\n"
        "    resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))\n"
        "    run.append(one)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True, check=True
    )
    assert "cannot use the store" in done.stdout
    assert "kzc.db: " in done.stdout
    assert "make room" in done.stdout
    assert len(Store(tmp_path).load().outcomes) == 2


def test_a_folder_that_cannot_be_made_is_a_host_error(tmp_path: Path) -> None:
    (tmp_path / "runs").write_text("a file is in the way")
    with pytest.raises(HostError, match="cannot write"):
        Store(tmp_path).create(COMMAND, {}, "0.1.0")


def test_runs_begun_in_the_same_second_get_folders_of_their_own(tmp_path: Path) -> None:
    def begin(number: int) -> str:
        tokens = cycle(f"{each:04x}" for each in range(12))
        store = Store(tmp_path, clock=lambda: BEGIN, token=lambda: next(tokens))
        return make(store, (outcome(number),)).id

    with ThreadPoolExecutor(12) as pool:
        ids = list(pool.map(begin, range(12)))
    assert len(set(ids)) == 12
    store = Store(tmp_path)
    assert [store.load(each).outcomes for each in ids] == [(outcome(each),) for each in range(12)]


def test_the_newest_run_comes_first_even_within_a_second(tmp_path: Path) -> None:
    clock = ticking(0.1)
    tokens = iter(("ffff", "0000", "8888"))
    store = Store(tmp_path, clock=lambda: next(clock), token=lambda: next(tokens))
    made = [make(store, (outcome(each),)) for each in range(3)]
    assert [run.id for run in store.list()] == [run.id for run in reversed(made)]
    assert store.load() == made[-1]


def test_the_list_is_light_and_tells_the_verdict(tmp_path: Path) -> None:
    store = Store(tmp_path)
    bad = Outcome(
        Stage.TEST, "vsock", Verdict.PASS, cases=(Case("a", Verdict.FAIL),), detail={"big": "x"}
    )
    make(store, (bad,))
    (listed,) = store.list()
    assert verdict_of(listed) is Verdict.FAIL
    assert listed.outcomes[0].cases == ()
    assert store.load().outcomes == (bad,)


def test_a_run_is_found_by_either_end_of_its_id(tmp_path: Path) -> None:
    clock, tokens = ticking(3600), iter(("3fa2", "77aa"))
    store = Store(tmp_path, clock=lambda: next(clock), token=lambda: next(tokens))
    first, second = (make(store, (outcome(each),)) for each in range(2))
    assert first.id == "20261121-093015-3fa2"
    assert store.load("3fa2") == first
    assert store.load(second.id[:13]) == second
    with pytest.raises(UsageError, match="more than one run") as caught:
        store.load("20261121")
    assert first.id in caught.value.message


@pytest.mark.parametrize("name", ["20261121-093015-3fa3", "", "../../etc", "nonsense"])
def test_an_unknown_run_names_near_ones(tmp_path: Path, name: str) -> None:
    store = Store(tmp_path, clock=lambda: BEGIN, token=lambda: "3fa2")
    make(store, (outcome(1),))
    with pytest.raises(UsageError, match="no run is called") as caught:
        store.load(name)
    assert "20261121-093015-3fa2" in caught.value.hint


def test_no_run_at_all_says_how_to_make_one(tmp_path: Path) -> None:
    store = Store(tmp_path)
    assert store.list() == ()
    with pytest.raises(UsageError, match="no run in") as caught:
        store.load()
    assert "kzc run" in caught.value.hint


def test_a_run_killed_while_it_was_created_disturbs_nobody(tmp_path: Path) -> None:
    store = Store(tmp_path)
    made = make(store, (outcome(1),))
    (store.folder / "20991231-235959-0000").mkdir()
    assert store.load() == made
    assert [run.id for run in store.list()] == [made.id]
