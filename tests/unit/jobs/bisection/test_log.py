# SPDX-License-Identifier: GPL-2.0-only
"""The log of a bisection: its answer again, going on with it, a kill, what is no log."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from kzc.errors import UsageError
from kzc.jobs.bisection import culprit
from kzc.jobs.bisection.drive import known_from, replay, search
from kzc.jobs.bisection.observations import (
    Log,
    Observation,
    read_log,
)
from kzc.jobs.bisection.search import Ending
from kzc.jobs.bisection.sightings import Sought
from tests.unit.jobs.bisection.machine import (
    BAD,
    GOOD,
    QUESTION,
    Machine,
    nothing,
    searched,
    words,
)


def test_a_log_gives_its_answer_again(tmp_path: Path) -> None:
    noise = random.Random(2)
    machine = Machine(lambda point: BAD if point >= 3 and noise.random() < 0.3 else GOOD)
    found = searched(tmp_path, machine)
    again = replay(tmp_path / "log")
    assert again == found
    assert culprit.as_values(again) == culprit.as_values(found)


def test_a_part_of_a_log_is_undecided(tmp_path: Path) -> None:
    searched(tmp_path, Machine(lambda point: BAD if point >= 4 else GOOD))
    lines = (tmp_path / "log").read_bytes().splitlines(keepends=True)
    (tmp_path / "part").write_bytes(b"".join(lines[:3]) + lines[3][:20])
    found = replay(tmp_path / "part")
    assert len(found.observations) == 2
    assert found.answer.ending is Ending.UNDECIDED
    assert "would have to be run next" in words(found)


def test_resuming_goes_on_with_what_was_run(tmp_path: Path) -> None:
    whole = Machine(lambda point: BAD if point >= 4 else GOOD)
    searched(tmp_path, whole)
    lines = (tmp_path / "log").read_bytes().splitlines(keepends=True)
    (tmp_path / "cut").write_bytes(b"".join(lines[:6]) + b'{"point": 3, "ima')
    known = known_from(tmp_path / "cut", QUESTION)
    rest: list[int] = []

    class Rest(Machine):
        def run(self, point: int, sought: Sought, number: int) -> Observation:
            rest.append(point)
            return Observation(point, f"image {point}", self.shows(point), 2.0)

    with Log(tmp_path / "next", QUESTION, known) as log:
        found = search(log, Rest(whole.shows), nothing)
    assert [*whole.ran[:5], *rest] == whole.ran
    assert found == replay(tmp_path / "log")


def test_another_question_does_not_go_on(tmp_path: Path) -> None:
    searched(tmp_path, Machine(lambda point: BAD if point >= 4 else GOOD))
    for other in (replace(QUESTION, key="other"), replace(QUESTION, sought=Sought("vsock"))):
        with pytest.raises(UsageError, match="is of six on 1234"):
            known_from(tmp_path / "log", other)


_KILLED = """
import os, signal, sys
from pathlib import Path
from kzc.jobs.bisection.drive import search
from kzc.jobs.bisection.observations import Log
from tests.unit.jobs.bisection.machine import BAD, GOOD, QUESTION, Machine

def shown(seen):
    print("ran", flush=True)
    if len(log.observations) == 5:
        os.kill(os.getpid(), signal.SIGKILL)

with Log(Path(sys.argv[1]), QUESTION) as log:
    search(log, Machine(lambda point: BAD if point >= 4 else GOOD), shown)
"""


def test_a_kill_loses_no_run_that_was_shown(tmp_path: Path) -> None:
    command = [sys.executable, "-c", _KILLED, str(tmp_path / "killed")]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    assert done.returncode == -signal.SIGKILL
    question, observations = read_log(tmp_path / "killed")
    assert question == QUESTION
    assert len(observations) == done.stdout.count("ran") == 5
    searched(tmp_path, Machine(lambda point: BAD if point >= 4 else GOOD))
    assert observations == read_log(tmp_path / "log")[1][:5]


@pytest.mark.parametrize(
    "text",
    [b"", b"[]\n", b"5\n", b'{"format": 2}\n', b"\xff\xfe", b'{"format": 1, "series": "s"}\n'],
)
def test_what_is_no_log_is_refused(tmp_path: Path, text: bytes) -> None:
    (tmp_path / "log").write_bytes(text)
    with pytest.raises(UsageError, match="no log of a bisection"):
        read_log(tmp_path / "log")
    with pytest.raises(UsageError):
        read_log(tmp_path / "nowhere")


def test_a_damaged_line_before_the_last_is_no_log(tmp_path: Path) -> None:
    searched(tmp_path, Machine(lambda point: BAD if point >= 4 else GOOD))
    text = (tmp_path / "log").read_text().replace('"point": 0', '"point": 77', 1)
    (tmp_path / "log").write_text(text)
    with pytest.raises(UsageError, match="line 3 is damaged"):
        read_log(tmp_path / "log")
