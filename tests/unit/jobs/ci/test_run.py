# SPDX-License-Identifier: GPL-2.0-only
"""Jobs as real processes to one run: what is kept of each go, where logs are, what the run is."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest

from kzc.jobs.ci.attempt import Ground
from kzc.jobs.ci.book import Book
from kzc.jobs.ci.drive import Drive, Rules
from kzc.jobs.ci.durations import Durations
from kzc.jobs.ci.local import Capacity, LocalExecutor
from kzc.jobs.ci.values import Job
from kzc.jobs.workshop import Workshop
from kzc.results.cells import cells
from kzc.results.formats import FORMATS
from kzc.results.matrix import suites
from kzc.results.store import Store
from kzc.results.verdicts import exit_code
from kzc.settings import Settings
from kzc.values import Outcome, Run, Verdict
from tests.plain import RUNNER
from tests.unit.jobs.ci.samples import build, run
from tests.unit.jobs.floor import Recorder

ACTOR = Path(__file__).with_name("actor.py")
A, PLAIN = build("a"), Rules()


def worked(folder: Path, jobs: Sequence[Job], rules: Rules = PLAIN) -> tuple[Run, Path]:
    """The finished run of these jobs, two at once, and its folder."""
    settings = Settings(cache=folder / "cache", data=folder / "data", jobs=2)
    ground = Ground(RUNNER, settings.data, folder, (sys.executable, "-IS", str(ACTOR)))
    with Store(settings.data).create(("kzc", "ci"), {}, "0") as opened:
        shopfloor = Workshop(settings, RUNNER, Recorder(), opened)
        executor = LocalExecutor(ground, opened.logs, Capacity(2, 1 << 20))
        with closing(Book(shopfloor, len(jobs), Durations(settings.data))) as book:
            Drive(jobs, executor, book, time.monotonic, rules).run()
        return opened.finish(), opened.folder


def told(run: Run) -> list[tuple[str, str]]:
    return [(outcome.subject, outcome.verdict.value) for outcome in run.outcomes]


def of(run: Run, subject: str) -> Outcome:
    (found,) = [outcome for outcome in run.outcomes if outcome.subject == subject]
    return found


def test_one_run_holds_what_all_jobs_found_and_their_logs(tmp_path: Path) -> None:
    found, folder = worked(tmp_path, (A, run(A, "good"), run(A, "better")))
    assert sorted(told(found)) == [
        ("t/a/build: a", "pass"),
        ("t/a/loopback/better", "pass"),
        ("t/a/loopback/better: a guest", "pass"),
        ("t/a/loopback/good", "pass"),
        ("t/a/loopback/good: a guest", "pass"),
    ]
    assert exit_code(found) == 0
    assert found.environment["compiler"] == "gcc 12"
    good = of(found, "t/a/loopback/good")
    assert (folder / good.log).read_text() == "the log of good\n"
    assert good.detail["repeat"] == "kzc run a --suite good"
    assert "actor: good" in (folder / "logs" / "t-a-loopback-good" / "kzc.log").read_text()
    left = {path.name for path in (folder / "logs" / "t-a-loopback-good").iterdir()}
    assert left == {"kzc.log", "deep"}
    expected = Durations(tmp_path / "data").expected()
    assert set(expected) == {"t/a/build", "t/a/loopback/good", "t/a/loopback/better"}
    texts = {name: export(found, folder) for name, export in FORMATS.items()}
    assert "Tree  Series  Topology  build" in texts["text"]
    assert "| Tree | Series | Topology | build |" in texts["markdown"]
    assert '"suite": "good"' in texts["json"]
    assert 'name="t/a/loopback/good"' in texts["junit"]


def test_a_suite_s_further_boot_is_told_from_the_suite(tmp_path: Path) -> None:
    found, _ = worked(tmp_path, (A, run(A, "twice")))
    assert of(found, "t/a/loopback/twice: twice copy").detail["job"]["boot"] == "copy"
    assert "boot" not in of(found, "t/a/loopback/twice").detail["job"]
    table = suites(found)
    assert table is not None
    assert [line.name for line in table.lines] == ["twice", "twice copy"]


def test_a_test_that_passes_the_second_time_is_flaky_and_no_pass(tmp_path: Path) -> None:
    found, _ = worked(tmp_path, (A, run(A, "flaky")))
    assert of(found, "t/a/loopback/flaky").verdict is Verdict.FAIL
    second = of(found, "t/a/loopback/flaky (go 2)")
    assert second.verdict is Verdict.PASS
    assert second.reason == "flaky, as bad in the first go, which counts: two"
    assert second.detail["flaky"] == ["two"]
    assert exit_code(found) == 1
    grid = cells(found)
    assert grid is not None
    assert [mark.word for mark in grid.rows[0].marks if mark] == ["pass", "flaky"]


def test_what_a_machine_broke_is_made_good_and_still_told(tmp_path: Path) -> None:
    found, _ = worked(tmp_path, (A, run(A, "breaks")))
    first = of(found, "t/a/loopback/breaks")
    assert first.verdict is Verdict.SKIP
    assert first.reason == "done again, as the machine failed: infra"
    assert first.detail["was"] == "infra"
    assert exit_code(found) == 0
    found, _ = worked(tmp_path / "other", (A, run(A, "mute")))
    assert [verdict for _, verdict in told(found)] == ["pass", "skip", "infra"]
    assert exit_code(found) == 3


def test_what_may_fail_is_told_and_does_not_decide(tmp_path: Path) -> None:
    jobs = (A, run(A, "bad", required=False), run(A, "good"))
    found, folder = worked(tmp_path, jobs)
    bad = of(found, "t/a/loopback/bad")
    assert (bad.verdict, bad.reason) == (Verdict.XFAIL, "may fail: fail")
    assert [case.verdict for case in bad.cases] == [Verdict.PASS, Verdict.XFAIL]
    assert exit_code(found) == 0
    assert "<failure" not in FORMATS["junit"](found, folder)
    found, folder = worked(tmp_path / "other", (A, run(A, "bad")))
    assert exit_code(found) == 1
    assert '<failure message="fail: "' in FORMATS["junit"](found, folder)


def test_a_wrong_command_line_is_said_in_its_own_words_and_not_repeated(tmp_path: Path) -> None:
    refused = build("refused")
    found, _ = worked(tmp_path, (refused, run(refused, "x")))
    assert told(found) == [("t/refused/build", "not_run"), ("t/refused/loopback/x", "not_run")]
    said = of(found, "t/refused/build")
    assert said.reason == "there is no tree refused\nand no other"
    assert said.detail["hint"] == "add one"
    assert of(found, "t/refused/loopback/x").reason == "t/refused/build did not end well"


def test_a_job_that_is_cut_keeps_what_it_had_found(tmp_path: Path) -> None:
    found, folder = worked(tmp_path, (A, run(A, "hangs"), run(A, "good")), Rules(budget=3.0))
    assert of(found, "t/a/loopback/hangs: a guest").verdict is Verdict.PASS
    cut = of(found, "t/a/loopback/hangs")
    assert cut.verdict is Verdict.NOT_RUN
    assert cut.reason.startswith("the time budget of 3.0 s was over while it ran")
    assert (folder / "logs" / "t-a-loopback-hangs" / "deep" / "console.log").is_file()
    assert exit_code(found) == 1


def test_nothing_of_the_users_is_left_behind_or_changed(tmp_path: Path) -> None:
    (tmp_path / "data" / "trees").mkdir(parents=True)
    (tmp_path / "data" / "trees" / "6.12.json").write_text("{}")
    worked(tmp_path, (A,))
    assert (tmp_path / "data" / "trees" / "6.12.json").read_text() == "{}"
    assert not list((tmp_path / "data" / "live").iterdir())
    assert len(Store(tmp_path / "data").list()) == 1


@pytest.mark.parametrize("text", ["", "[]", "{", '{"x": "y", "z": [], "t/a/build": [1, 3, 2]}'])
def test_damaged_durations_are_none(tmp_path: Path, text: str) -> None:
    file = tmp_path / "ci" / "durations.json"
    file.parent.mkdir()
    file.write_text(text)
    durations = Durations(tmp_path)
    assert set(durations.expected()) <= {"t/a/build"}
    durations.add("new", 4.0)
    durations.save()
    assert Durations(tmp_path).expected()["new"] == 4.0


def test_durations_of_two_at_once_are_both_kept(tmp_path: Path) -> None:
    def add(name: str) -> None:
        durations = Durations(tmp_path)
        durations.add(name, 1.0)
        durations.save()

    threads = [threading.Thread(target=add, args=(f"job-{n}",)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(Durations(tmp_path).expected()) == 8
