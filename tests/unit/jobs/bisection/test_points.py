# SPDX-License-Identifier: GPL-2.0-only
"""The points of a bisection on the small kernel: what each is tested with; guests are played."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from kzc.cli.bisect import Quiet
from kzc.errors import UsageError
from kzc.jobs import kernels
from kzc.jobs.bisection.belief import Goal
from kzc.jobs.bisection.drive import scan
from kzc.jobs.bisection.observations import (
    Log,
)
from kzc.jobs.bisection.points import Line, Points, narrowed
from kzc.jobs.bisection.search import Ending
from kzc.jobs.bisection.sightings import Seen, Sought
from kzc.jobs.guests import Plan
from kzc.jobs.workshop import Workshop
from kzc.series.read import read_folder
from kzc.shared import shared_folder
from kzc.suites.manifest import Command, Suite, load_suite
from kzc.suites.vsock_test import parse_list
from kzc.values import Stage, Verdict
from tests.fakelinux import commit
from tests.unit.jobs.bisection.machine import GOOD, QUESTION, SUSPECTS, nothing
from tests.unit.jobs.floor import series_of, tree_of
from tests.unit.jobs.test_kernels import PLAIN
from tests.unit.jobs.test_pipeline import programs_of

DATA = Path(__file__).parents[3] / "data" / "suites"


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
    actor = Path(__file__).parents[1] / "kernel_actor.py"
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
