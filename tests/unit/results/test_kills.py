# SPDX-License-Identifier: GPL-2.0-only
"""A store that writers share and are killed in: whatever was said to be kept is there, whole.

Writers are forks of the test, which saves loading Python anew for each of many.
"""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from kzc.results.store import Store
from kzc.results.verdicts import judge
from kzc.values import Case, Outcome, Run, Stage, Verdict

KILLS = 8
CASES = tuple(Case(str(at), Verdict.PASS, detail={"n": at}) for at in range(20))
Say = Callable[[object], None]


@dataclass(frozen=True)
class Child:
    pid: int
    told: BinaryIO

    def kill(self) -> None:
        os.kill(self.pid, signal.SIGKILL)


@contextmanager
def forked(work: Callable[[Say], None]) -> Iterator[Child]:
    """A process that works; what it says is a line of `told` once `say` returns."""
    read, write = os.pipe()

    def say(what: object) -> None:
        os.write(write, f"{what}\n".encode())

    pid = os.fork()
    if not pid:
        try:
            work(say)
        finally:
            os._exit(0)
    os.close(write)
    with os.fdopen(read, "rb") as told:
        try:
            yield Child(pid, told)
        finally:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)


def writer(store: Store, outcomes: int) -> Callable[[Say], None]:
    """Writes runs for ever; says each one's id, the numbers of outcomes once kept, and `end`."""

    def write(say: Say) -> None:
        while True:
            with store.create(["kzc"], {"tree": "t"}, "0") as run:
                say(run.run.id)
                for number in range(outcomes):
                    log = f"logs/{number}.log"
                    (run.folder / log).write_text(f"{run.run.id} {number}" * 99)
                    run.append(Outcome(Stage.TEST, str(number), Verdict.PASS, 1, log, CASES))
                    say(number)
            say("end")

    return write


def said(lines: list[bytes]) -> dict[str, list[str]]:
    """By run what a writer said it had kept; a line that a kill cut does not count."""
    found: dict[str, list[str]] = {}
    for line in lines:
        word = line.decode().strip()
        if line.endswith(b"\n") and "-" in word:
            found[word] = []
        elif line.endswith(b"\n"):
            found[list(found)[-1]].append(word)
    return found


def check(store: Store, run: Run, words: list[str]) -> None:
    numbers = [word for word in words if word != "end"]
    assert len(run.outcomes) - len(numbers) in {0, 1}
    assert [each.subject for each in run.outcomes] == list(map(str, range(len(run.outcomes))))
    assert all(each.cases == CASES for each in run.outcomes)
    assert "end" not in words or run.finished
    folder = store.folder_of(run)
    for each in run.outcomes:
        assert (folder / each.log).read_text() == f"{run.id} {each.subject}" * 99


def test_kills_lose_nothing_that_was_kept(tmp_path: Path, db: str) -> None:
    chance, store, kept = random.Random(7), Store(tmp_path, db), dict[str, list[str]]()
    for _ in range(KILLS):
        with forked(writer(store, 3)) as child:
            first = child.told.readline() if chance.random() < 0.8 else b""
            time.sleep(chance.uniform(0, 0.06))
            child.kill()
            kept |= said([first, *child.told.readlines()])
    with store.create(("kzc",), {}, "0") as after:  # folds what the killed ones left
        pass
    runs = {run.id: run for run in store.list()}
    assert len(kept) > KILLS // 2
    assert set(kept) <= set(runs)
    assert runs[after.run.id].finished
    for key, words in kept.items():
        run = store.load(key)
        check(store, run, words)
        assert {each.path for each in store.files(run)} >= {each.log for each in run.outcomes}


def test_two_writers_and_a_reader_at_once(tmp_path: Path, db: str) -> None:
    store = Store(tmp_path, db)
    with forked(writer(store, 4)) as one, forked(writer(store, 2)) as other:
        lines: dict[Child, list[bytes]] = {one: [], other: []}
        for child, heard in lines.items():
            while heard.count(b"end\n") < 2:
                heard.append(child.told.readline())
                assert all(each.cases == () for run in store.list() for each in run.outcomes)
            child.kill()
            heard += child.told.readlines()
    runs = {**said(lines[one]), **said(lines[other])}
    assert len(runs) >= 4
    for key, words in runs.items():
        check(store, store.load(key), words)


def test_a_kill_while_a_large_outcome_is_kept_leaves_all_or_nothing(
    tmp_path: Path, db: str
) -> None:
    many = tuple(Case(str(at), Verdict.FAIL) for at in range(3000))

    def write(say: Say) -> None:
        with Store(tmp_path, db).create(["kzc"], {}, "0") as run:
            say(run.run.id)
            run.append(Outcome(Stage.TEST, "big", Verdict.FAIL, cases=many))

    for delay in (0.005, 0.015, 0.03):
        with forked(write) as child:
            key = child.told.readline().decode().strip()
            time.sleep(delay)
            child.kill()
        run = Store(tmp_path, db).load(key)
        assert [len(each.cases) for each in run.outcomes] in ([], [len(many)])
        assert all(judge(each) is Verdict.FAIL for each in run.outcomes)
    outcome = Outcome(Stage.TEST, "one", Verdict.PASS, cases=CASES)
    with Store(tmp_path, db).create(("kzc",), {}, "0") as made:
        made.append(outcome)
    assert Store(tmp_path, db).load().outcomes == (outcome,)
