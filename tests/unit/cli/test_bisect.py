# SPDX-License-Identifier: GPL-2.0-only
"""`kzc bisect` on the command line: what it refuses, what a log says, which commits a range has."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from kzc.cli.app import run
from kzc.cli.bisect import Wish, based, goal_of
from kzc.cli.job import understand
from kzc.cli.options import Asked
from kzc.errors import UsageError
from kzc.git import Git
from kzc.jobs.bisection.belief import Goal
from kzc.jobs.bisection.observations import FILE, Log, Observation, Question, Suspect
from kzc.jobs.bisection.sightings import Seen, Sighting, Sought
from kzc.results.store import Store
from tests.fakelinux import commit, edit
from tests.plain import RUNNER

SUSPECTS = (
    Suspect(1, "vsock: harmless", "A <a@example.org>"),
    Suspect(2, "vsock: \x1b[2Jwrong\u202e", "B <b@example.org>", "ab" * 20),
)
QUESTION = Question("two", "6.12", "1234", "key", SUSPECTS, Sought("vsock", "peek"), Goal())


def log_at(path: Path, *, bad_from: int = 2) -> Path:
    """A log whose runs say that everything from `bad_from` on fails."""
    with Log(path, QUESTION) as log:
        for point in (2, 0, *[1, 2] * 8):
            bad = point >= bad_from
            seen = Sighting(Seen.BAD, "no", "fail: peek") if bad else Sighting(Seen.GOOD)
            log.append(Observation(point, f"image {point}", seen, 1.0))
    return path


def test_a_log_is_answered_without_running_anything(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["bisect", "--replay", str(log_at(tmp_path / "log"))]) == 0
    said = capsys.readouterr().out
    assert said.startswith("patch 2/2 broke it")
    assert f"Fixes: {'ab' * 6}" in said
    assert "\x1b" not in said
    assert "\u202e" not in said


def test_an_answer_without_a_patch_is_status_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["bisect", "--json", "--replay", str(log_at(tmp_path / "log", bad_from=0))]) == 1
    said = json.loads(capsys.readouterr().out)
    assert (said["ending"], said["patches"]) == ("base_bad", [])


def test_a_run_is_replayed_by_its_id(
    kernel: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with Store(tmp_path / "data").create(("kzc",), {}, "0") as made:
        log_at(made.folder / FILE)
    assert run(["bisect", "--replay", made.run.id]) == 0
    with Store(tmp_path / "data").create(("kzc",), {}, "0") as other:
        pass
    assert run(["bisect", "--replay", other.run.id]) == 2
    assert "it was no bisection" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        ([], "no series"),
        (["HEAD~1..HEAD"], "nothing to look for"),
        (["HEAD~1..HEAD", "--test", "nosuch"], "there is no suite nosuch"),
        (["HEAD~1..HEAD", "--test", "boot", "--confidence", "1.5"], "confidence of 1.5"),
        (["HEAD~1..HEAD", "--test", "boot", "--rate", "-1"], "failure rate of -1"),
        (["HEAD~1..HEAD", "--test", "vsock", "--worse", "tx"], "--worse tx"),
        (["--replay", "nowhere"], "no run"),
    ],
)
def test_what_makes_no_sense_is_one_sentence_and_status_2(
    kernel: Path, capsys: pytest.CaptureFixture[str], words: list[str], complaint: str
) -> None:
    edit(kernel / "net/socket.c", "int socket_1;\n", "long socket_1;\n")
    commit(kernel)
    assert run(["bisect", *words]) == 2
    assert complaint in capsys.readouterr().err


def test_a_range_is_searched_from_its_own_base(kernel: Path) -> None:
    ids = []
    for number in (1, 2, 3):
        edit(kernel / "net/socket.c", f"int socket_{number};\n", f"long socket_{number};\n")
        ids.append(commit(kernel, f"net: widen {number}"))
    spec = f"{ids[0]}..{ids[2]}"
    job, commits = based(understand(replace(Asked(), series=spec), False), spec)
    assert job.tree.commit == ids[0]
    assert commits == tuple(ids[1:])
    assert job.series is not None
    assert len(job.series.patches) == 2
    assert Git(RUNNER, kernel).commit_of("HEAD") == ids[2]


def test_a_benchmark_may_look_bad_by_itself() -> None:
    assert goal_of(Wish()) == Goal()
    assert goal_of(Wish(worse="tx=5%")).false_rate > 0
    assert goal_of(Wish(rate_min=0.2)).rate_min == 0.2
    with pytest.raises(UsageError):
        goal_of(Wish(worse="tx=5%", rate_min=0.01))
