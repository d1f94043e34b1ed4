# SPDX-License-Identifier: GPL-2.0-only
"""`kzc ci` on the command line: its jobs are kzc itself, on a small kernel; guests are played."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from kzc.cli.app import run
from tests.unit.cli.test_bisect_run import ready

__all__ = ["ready"]

FILE = """\
[ci]
retries = 0
[ci.trees]
small = "{kernel}"
[[ci.matrix]]
trees = ["small"]
suites = ["./own"]
"""


@pytest.fixture
def matrix(ready: Path) -> Path:
    """A kzc.toml beside the kernel, and a broken series for it."""
    file = ready.parent / "kzc.toml"
    file.write_text('accel = "tcg"\n' + FILE.format(kernel=ready))
    return file


def test_a_plan_runs_nothing_and_leaves_nothing(
    matrix: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["ci", "--plan", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert [job["name"] for job in said["jobs"]] == ["small/none/build", "small/none/loopback/own"]
    assert said["jobs"][1]["begins"] == said["jobs"][0]["expected"] == 600
    assert said["jobs"][1]["command"].startswith("kzc test ./own --tree small --profile default")
    assert run(["ci", str(matrix), "--plan"]) == 0
    assert "2 jobs (2 never seen: ?), about 11 min 0 s" in capsys.readouterr().out
    assert not (matrix.parent / "data").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["ci", "nowhere.toml"], "nowhere.toml: cannot be read"),
        (["ci", "--budget", "soon"], "--budget 'soon' is no time"),
        (["ci", "--memory", "much"], "--memory 'much' is no size"),
    ],
)
def test_what_cannot_be_understood_is_said(
    matrix: Path, words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(words) == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ('trees = ["nope"]', "ci.matrix.0.trees: nope is no tree"),
        ('trees = ["small"]\nseries = ["nope"]', "ci.matrix.0.series: nope is no series"),
    ],
)
def test_a_misspelled_tree_or_series_is_no_plan(
    matrix: Path, wrong: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    matrix.write_text(matrix.read_text().replace('trees = ["small"]', wrong))
    assert run(["ci", "--plan"]) == 2
    assert said in capsys.readouterr().err
    assert run(["ci"]) == 2


@pytest.mark.full
def test_a_matrix_becomes_a_report_in_all_formats(
    matrix: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = matrix.parent / "out"
    assert run(["ci", "--reports", str(out), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert [each["stage"] for each in said["outcomes"]] == ["build", "boot", "test"]
    assert said["outcomes"][2]["subject"] == "small/none/loopback/own"
    assert {path.name for path in out.iterdir()} >= {"report.txt", "report.md", "junit.xml"}
    folder = Path(said["folder"])
    assert (folder / said["outcomes"][2]["log"]).is_file()
    # jobs have no runs of their own
    assert [path.name for path in folder.parent.iterdir()] == [said["id"]]
    assert run(["ci", "--plan"]) == 0
    assert "?" not in capsys.readouterr().out


@pytest.mark.full
def test_ctrl_c_ends_the_jobs_and_reports_what_was_seen(matrix: Path) -> None:
    qemu = matrix.parent / "qemu"
    qemu.write_text(qemu.read_text().replace("exec ", "echo $$ >pid; sleep 60; exec "))
    with subprocess.Popen(
        [sys.executable, "-m", "kzc", "ci", str(matrix)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as process:
        assert process.stdout is not None
        mark = matrix.parent / "pid"
        while not (mark.exists() and mark.read_text().strip()):
            time.sleep(0.1)
        os.kill(process.pid, signal.SIGINT)
        said = process.stdout.read()
    assert process.returncode == 130
    assert "kzc ci was interrupted while it ran" in said
    assert "NOT RUN (CUT)" in said
    assert "built, no warnings" in said
    assert not Path(f"/proc/{mark.read_text().strip()}").exists()
    assert not list((matrix.parent / "data" / "live").iterdir())
