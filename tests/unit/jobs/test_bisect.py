# SPDX-License-Identifier: GPL-2.0-only
"""A bisection from its first run to its words: the log, a kill, resuming, replaying, the grid.

The machine is a function here; real kernels and guests are tests/vm/test_bisect.py's.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from kzc.cli.bisect import Quiet
from kzc.errors import UsageError
from kzc.jobs import culprit, kernels
from kzc.jobs.belief import Goal
from kzc.jobs.bisect import Found, known_from, replay, scan, search
from kzc.jobs.guests import Plan
from kzc.jobs.observations import Log, Observation, Question, Suspect, evidence_of, read_log
from kzc.jobs.points import Line, Points, narrowed
from kzc.jobs.search import Answer, Ending
from kzc.jobs.sightings import Seen, Sighting, Sought, Worse
from kzc.jobs.workshop import Workshop
from kzc.series.read import read_folder
from kzc.settings import shared_folder
from kzc.suites.manifest import Command, Suite, load_suite
from kzc.suites.vsock_test import parse_list
from kzc.values import Stage, Verdict
from tests.fakelinux import commit
from tests.unit.jobs.floor import series_of, tree_of
from tests.unit.jobs.test_kernels import PLAIN
from tests.unit.jobs.test_pipeline import programs_of

DATA = Path(__file__).parents[2] / "data" / "suites"
SUSPECTS = tuple(Suspect(n, f"vsock: part {n}", "A <a@example.org>") for n in range(1, 7))
QUESTION = Question(
    "six", "6.12 (6.12.117)", "1234", "key", SUSPECTS, Sought("vsock", "peek"), Goal()
)
GOOD = Sighting(Seen.GOOD)
BAD = Sighting(Seen.BAD, "it failed", "fail: peek")
OTHER = Sighting(Seen.OTHER, "skipped")
BROKEN = Sighting(Seen.UNBUILDABLE, "its build log is in logs")


@dataclass
class Machine:
    """Shows what the function says of a point; each has an image of its own, or `images`'."""

    shows: Callable[[int], Sighting]
    images: dict[int, str] = field(default_factory=dict)
    ran: list[int] = field(default_factory=list)
    sought: list[Sought] = field(default_factory=list)

    def run(self, point: int, sought: Sought, number: int) -> Observation:
        self.ran.append(point)
        self.sought.append(sought)
        assert number == len(self.ran)
        return Observation(point, self.images.get(point, f"image {point}"), self.shows(point), 2.0)


def nothing(_: Observation) -> None:
    return


def searched(folder: Path, machine: Machine, question: Question = QUESTION) -> Found:
    with Log(folder / "log", question) as log:
        return search(log, machine, nothing)


def words(found: Found) -> str:
    return "\n".join(culprit.report(found, "R <r@example.org>"))


def test_the_patch_is_named_with_what_it_rests_on(tmp_path: Path) -> None:
    machine = Machine(lambda point: BAD if point >= 4 else GOOD)
    found = searched(tmp_path, machine)
    assert [patch.number for patch in found.culprits] == [4]
    assert machine.ran[:2] == [6, 0]
    said = words(found)
    assert said.startswith("patch 4/6 broke it, 99")
    assert "failure vsock: fail: peek" in said
    assert "Reported-by: R <r@example.org>" in said
    assert "Fixes:" not in said
    assert found.doubts == ()
    runs = {point: machine.ran.count(point) for point in machine.ran}
    assert f"patch 3{runs[3]:>8}    ." in said


def test_a_commit_of_a_range_gets_its_fixes(tmp_path: Path) -> None:
    suspects = tuple(replace(each, commit=f"{each.number:040x}") for each in SUSPECTS)
    question = replace(QUESTION, suspects=suspects)
    found = searched(tmp_path, Machine(lambda point: BAD if point >= 2 else GOOD), question)
    assert 'Fixes: 000000000000 ("vsock: part 2")' in words(found)


def test_what_is_looked_for_is_learnt_from_the_first_failure(tmp_path: Path) -> None:
    machine = Machine(lambda point: BAD if point >= 4 else GOOD)
    searched(tmp_path, machine)
    assert machine.sought[0] == Sought("vsock", "peek")
    assert set(machine.sought[1:]) == {Sought("vsock", "peek", "fail: peek")}


def test_a_patch_that_does_not_build_leaves_two(tmp_path: Path) -> None:
    machine = Machine(lambda point: {2: BROKEN}.get(point, BAD if point >= 3 else GOOD))
    found = searched(tmp_path, machine)
    assert (found.answer.first, found.answer.last) == (2, 3)
    assert machine.ran.count(2) == 1
    assert words(found).startswith("one of patches 2-3 of 6 broke it")
    assert found.doubts == ("patch 2 was left out: does not build (its build log is in logs)",)


def test_another_failure_is_tried_again_and_then_left_out(tmp_path: Path) -> None:
    machine = Machine(lambda point: {3: OTHER}.get(point, BAD if point >= 5 else GOOD))
    found = searched(tmp_path, machine)
    assert [patch.number for patch in found.culprits] == [5]
    assert machine.ran.count(3) in {0, 3}


def test_a_last_patch_that_never_says_anything_ends_it(tmp_path: Path) -> None:
    machine = Machine(lambda _: OTHER)
    found = searched(tmp_path, machine)
    assert machine.ran == [6, 6, 6]
    assert found.answer.ending is Ending.UNDECIDED
    assert words(found).startswith("undecided: the last patch cannot be tested")


def test_a_point_with_other_failures_now_and_then_stays(tmp_path: Path) -> None:
    noise = random.Random(1)

    def shows(point: int) -> Sighting:
        if noise.random() < 0.3:
            return OTHER
        return BAD if point >= 4 else GOOD

    found = searched(tmp_path, Machine(shows))
    assert [patch.number for patch in found.culprits] == [4]
    assert any("said nothing (skipped)" in doubt for doubt in found.doubts)


def test_the_same_image_is_said(tmp_path: Path) -> None:
    machine = Machine(lambda point: BAD if point >= 5 else GOOD, {3: "x", 4: "x"})
    found = searched(tmp_path, machine)
    assert [patch.number for patch in found.culprits] == [5]
    if {3, 4} <= set(machine.ran):
        assert "the same image" in found.doubts[0]


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
from kzc.jobs.bisect import search
from kzc.jobs.observations import Log
from tests.unit.jobs.test_bisect import BAD, GOOD, QUESTION, Machine

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


def test_the_grid_runs_every_point(tmp_path: Path) -> None:
    machine = Machine(lambda point: {2: BROKEN}.get(point, BAD if point >= 5 else GOOD))
    with Log(tmp_path / "log", QUESTION) as log:
        found = scan(log, machine, 3, nothing)
    assert machine.ran == [6] * 3 + [5] * 3 + [4] * 3 + [3] * 3 + [2] + [1] * 3 + [0] * 3
    table = list(culprit.table(found))
    assert table[0].split() == ["point", "good", "bad", "other"]
    assert table[1].split() == ["base", "3", ".", "."]
    assert table[3].split()[:5] == ["patch", "2", ".", ".", "1"]
    assert table[6].split()[:5] == ["patch", "5", ".", "3", "."]


def measured(values: Sequence[tuple[int, float]]) -> tuple[Observation, ...]:
    return tuple(
        Observation(point, "", Sighting(Seen.MEASURED, value=value)) for point, value in values
    )


def test_a_sample_is_held_against_the_median_of_the_base() -> None:
    smaller = replace(QUESTION, sought=Sought("vsock", worse=Worse("tx", 10)))
    larger = replace(QUESTION, sought=Sought("vsock", worse=Worse("seconds", 10, up=True)))
    runs = measured([(0, 10), (0, 9.8), (0, 20), (6, 8.9), (6, 9.1), (6, 11.1)])
    down, up = evidence_of(smaller, runs).tallies, evidence_of(larger, runs).tallies
    assert (down[0].bad, down[6].bad, down[6].good) == (0, 1, 2)
    assert (up[0].bad, up[6].bad, up[6].good) == (1, 1, 2)


def test_a_benchmark_that_got_slower_is_found(tmp_path: Path) -> None:
    noise = random.Random(3)
    question = replace(
        QUESTION,
        sought=Sought("vsock", worse=Worse("tx", 10)),
        goal=Goal(rate_min=0.5, false_rate=0.05),
    )

    def shows(point: int) -> Sighting:
        return Sighting(Seen.MEASURED, value=noise.gauss(8 if point >= 5 else 10, 0.3))

    machine = Machine(shows)
    found = searched(tmp_path, machine, question)
    assert machine.ran[:5] == [0] * 5
    assert [patch.number for patch in found.culprits] == [5]


def test_a_base_that_moves_as_much_as_is_asked_is_said() -> None:
    question = replace(QUESTION, sought=Sought("vsock", worse=Worse("rx", 50)))
    answer = Answer(Ending.UNDECIDED, 0.5)
    runs = measured([(0, 0.19), (0, 0.20), (0, 1.03), (0, 0.47), (0, 0.79), (6, 0.1)])
    doubts = Found(question, tuple(runs), answer).doubts
    assert len(doubts) == 1
    assert doubts[0].startswith("2 of the base's own 5 samples are worse by that much, too (0.19 ")
    calm = measured([(0, 1.0), (0, 1.1), (6, 0.4)])
    assert Found(question, tuple(calm), answer).doubts == ()


def test_a_grid_of_samples_begins_with_the_base(tmp_path: Path) -> None:
    question = replace(QUESTION, sought=Sought("vsock", worse=Worse("tx", 10)))
    machine = Machine(lambda point: Sighting(Seen.MEASURED, value=8.0 if point >= 5 else 10.0))
    with Log(tmp_path / "log", question) as log:
        found = scan(log, machine, 4, nothing)
    assert {point: tally.bad for point, tally in found.evidence.tallies.items()} == {
        **dict.fromkeys(range(5), 0),
        5: 4,
        6: 4,
    }


def test_a_report_of_the_run_shows_points_and_answer(tmp_path: Path) -> None:
    found = searched(tmp_path, Machine(lambda point: BAD if point >= 4 else GOOD))
    shown = list(culprit.outcomes(found))
    assert all(outcome.stage is Stage.CHECK for outcome in shown)
    assert shown[-1].reason == culprit.headline(found)
    assert {o.subject: o.verdict for o in shown}["bisect patch 6"] is Verdict.FAIL
    assert {o.subject: o.verdict for o in shown}["bisect the base"] is Verdict.PASS
    assert json.loads(json.dumps(shown[-1].detail))["patches"] == [4]


def test_one_case_is_left_of_a_command_that_can_pick() -> None:
    command = Command(name="x", run="both x $KZC_SKIP", parser="exit", pick="KZC_SKIP=--one")
    assert narrowed(command, "") is command
    text = narrowed(command, "it's $(odd)").run
    done = subprocess.run(
        ["sh", "-c", f'both() {{ echo "$@" "$KZC_CASE"; }}\n{text}'],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    assert done.stdout == "x --one it's $(odd)\n"


def test_vsock_test_can_pick_one_of_its_cases(tmp_path: Path) -> None:
    suite = load_suite(shared_folder("selftests") / "vsock")
    command = next(each for each in suite.commands if each.name == "vsock_test")
    program = tmp_path / "vsock_test"
    listed = (DATA / "vsock-list.txt").read_text()
    program.write_text(f"#!/bin/sh\n[ $1 = --list ] && cat <<'END'\n{listed}END\nexit 1\n")
    program.chmod(0o755)
    title = parse_list(listed.splitlines())[3]
    done = subprocess.run(
        ["busybox", "sh", "-c", f'{command.pick}\necho "$KZC_SKIP"'],
        env={"KZC_BIN": str(tmp_path), "KZC_CASE": title, "PATH": os.environ["PATH"]},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    count = len(parse_list(listed.splitlines()))
    assert done.stdout.split() == [f"--skip={n}" for n in range(count) if n != 3]


def played(shopfloor: Workshop, folder: Path) -> Workshop:
    """Guests are played by kernel_actor.py."""
    qemu = folder / "qemu"
    actor = Path(__file__).with_name("kernel_actor.py")
    qemu.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{actor}" "$@"\n')
    qemu.chmod(0o755)
    settings = shopfloor.settings.model_copy(update={"qemu": str(qemu)})
    return replace(shopfloor, settings=settings, screen=Quiet(shopfloor.screen))


def test_kernels_are_built_booted_and_told_apart(
    kernel: Path, shopfloor: Workshop, tmp_path: Path
) -> None:
    file = "net/socket.c"
    folder = series_of(
        kernel,
        tmp_path / "series",
        (file, "int socket_1;\n", "nonsense socket_1;\n"),
        (file, "nonsense socket_1;\n", "long socket_1;\n"),
        (file, "int socket_2;\n", "int wrong_2;\n"),
        (file, "int socket_3;\n", "int socket_3; /* the third */\n"),
    )
    series = read_folder(folder)
    source = kernels.apply(shopfloor, tree_of(kernel, shopfloor), series)
    assert source is not None
    assert source.applied is not None
    commits = [source.tree.commit, *(commit or "" for commit in source.applied.commits)]
    command = {"name": "x", "run": "true", "parser": "exit", "planned": ["peek"]}
    suite = Suite.model_validate(
        {"name": "vsock", "title": "t", "guest": "mini", "commands": [command]}
    )
    programs_of(suite, replace(source.tree, tree_id=source.tree_id), shopfloor)
    line = Line(source, tuple(commits), PLAIN, Plan("tcg"), suite)
    points = Points(played(shopfloor, tmp_path), line)
    question = replace(QUESTION, suspects=SUSPECTS[:4], goal=Goal(rate=1.0))
    with Log(tmp_path / "log", question) as log:
        found = scan(log, points, 1, nothing)
    seen = {o.point: o.sighting.seen for o in found.observations}
    assert seen == {
        0: Seen.GOOD,
        1: Seen.UNBUILDABLE,
        2: Seen.GOOD,
        3: Seen.BAD,
        4: Seen.BAD,
    }
    assert [patch.number for patch in found.culprits] == [3]
    assert found.sought.signature == "fail: peek"
    assert "patch 3 and patch 4 have the same image" in "\n".join(found.doubts)
    assert all((shopfloor.run.folder / o.log).exists() for o in found.observations)
    broken = next(o for o in shopfloor.run.run.outcomes if o.verdict is Verdict.FAIL)
    assert (broken.stage, broken.subject) == (Stage.TEST, "point-4-run-1")
    unbuilt = next(o for o in shopfloor.run.run.outcomes if o.stage is Stage.BUILD)
    assert "nonsense" in (shopfloor.run.folder / unbuilt.log).read_text()


@pytest.mark.parametrize("last_programs", [False, True])
def test_each_kernel_is_tested_by_the_programs_of_its_own_commit(
    kernel: Path, shopfloor: Workshop, tmp_path: Path, last_programs: bool
) -> None:
    folder = kernel / "tools/testing/small"
    folder.mkdir(parents=True)
    (folder / "prog.c").write_text("int right;\nint main(void) { return 0; }\n")
    (folder / "Makefile").write_text("prog: prog.c\n\tgcc -o $@ prog.c\n")
    commit(kernel)
    program = "tools/testing/small/prog.c"
    mails = series_of(
        kernel,
        tmp_path / "series",
        ("net/socket.c", "int socket_1;\n", "long socket_1;\n"),
        (program, "int right;\n", "int none\n"),
        (program, "int none\n", "int program_is_wrong;\n"),
        ("net/socket.c", "int socket_2;\n", "long socket_2;\n"),
    )
    source = kernels.apply(shopfloor, tree_of(kernel, shopfloor), read_folder(mails))
    assert source is not None
    assert source.applied is not None
    commits = (source.tree.commit, *(commit or "" for commit in source.applied.commits))
    build = {"folder": "tools/testing/small", "make": ["prog"], "outputs": ["prog"]}
    command = {"name": "x", "run": "true", "parser": "exit", "planned": ["peek"]}
    suite = Suite.model_validate(
        {"name": "vsock", "title": "t", "guest": "mini", "build": [build], "commands": [command]}
    )
    line = Line(source, commits, PLAIN, Plan("tcg"), suite, last_programs)
    points = Points(played(shopfloor, tmp_path), line)
    question = replace(QUESTION, suspects=SUSPECTS[:4], goal=Goal(rate=1.0))
    with Log(tmp_path / "log", question) as log:
        found = scan(log, points, 1, nothing)
    seen = [each.sighting.seen for each in sorted(found.observations, key=lambda o: o.point)]
    images = [each.image for each in sorted(found.observations, key=lambda o: o.point)]
    if last_programs:
        assert seen == [Seen.BAD] * 5
        assert found.answer.ending is Ending.BASE_BAD
        assert images[1] == images[2] == images[3]
    else:
        assert seen == [Seen.GOOD, Seen.GOOD, Seen.UNBUILDABLE, Seen.BAD, Seen.BAD]
        assert [patch.number for patch in found.culprits] == [2, 3]
        assert images[1] != images[3]


def test_a_case_that_no_command_has_is_said(
    kernel: Path, shopfloor: Workshop, tmp_path: Path
) -> None:
    tree = tree_of(kernel, shopfloor)
    source = kernels.Source(tree, tree.commit, tree.tree_id)
    points = Points(played(shopfloor, tmp_path), Line(source, (tree.commit,), PLAIN, Plan("tcg")))
    assert points.run(0, Sought("boot"), 1).sighting == GOOD
    with pytest.raises(UsageError, match="has no case 'peek'"):
        points.run(0, Sought("boot", "peek"), 2)
