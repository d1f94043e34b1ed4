# SPDX-License-Identifier: GPL-2.0-only
"""Every patch of a series, checked for real on a kernel that compiles in a blink."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from difflib import unified_diff
from pathlib import Path

import pytest

from kzc.jobs import kernels
from kzc.jobs.check import series as checks
from kzc.jobs.check.bench import At
from kzc.jobs.check.guest import Guests, identity_of
from kzc.jobs.check.memory import remember
from kzc.jobs.check.patch import of_programs, suites_for
from kzc.jobs.check.series import Request
from kzc.jobs.guests import Plan
from kzc.jobs.kernels import Source, Wanted
from kzc.jobs.places import Places
from kzc.jobs.workshop import Workshop
from kzc.kernel.build import Recipe, compiler_version
from kzc.kernel.checks import compiled as compiled_of
from kzc.kernel.fragment import Fragment
from kzc.results.store import Store
from kzc.series.read import read_folder
from kzc.suites.manifest import Suite
from kzc.trees.cleaning import clean
from kzc.values import Case, Outcome, Stage, Verdict
from tests.fakelinux import commit, edit
from tests.unit.jobs.floor import Recorder, tree_of

PLAIN = Wanted((Fragment("net.config", "CONFIG_NET=y\n"),))
SUITE = Suite.model_validate(
    {
        "name": "small",
        "title": "t",
        "guest": "mini",
        "build": [{"folder": "tools/testing/small", "make": ["prog"], "outputs": ["prog"]}],
        "commands": [{"name": "x", "run": "true", "parser": "exit"}],
    }
)
SIGNED = "Because.\n\nSigned-off-by: kzc <kzc@localhost>\n"
WARNS = "static int unused_{0};\n"
OLD = "static int old;\n"


@pytest.fixture
def kernel(kernel: Path) -> Path:
    """With a warning of its own, a checkpatch that counts tabs, and a test program."""
    edit(kernel / "net/socket.c", "int socket_1;\n", OLD + "int socket_1;\n")
    script = kernel / "scripts/checkpatch.pl"
    script.write_text(
        "$n = 0; while (<STDIN>) { $n++ if /^\\+\\t/ }\n"
        'print "ERROR:TAB: a tab\\n#1: FILE: net/socket.c:7:\\n" if $n;\n'
        'print "total: $n errors, 0 warnings, 0 checks, 9 lines checked\\n";\n'
    )
    folder = kernel / "tools/testing/small"
    folder.mkdir(parents=True)
    (folder / "prog.c").write_text("int main(void) { return 0; }\n")
    (folder / "Makefile").write_text("prog: prog.c\n\tgcc -o $@ prog.c\n")
    commit(kernel)
    return kernel


def series_of(kernel: Path, out: Path, *edits: tuple[str, str, str]) -> Path:
    """One signed mail for each edit; the checkout is as before."""
    out.mkdir()
    texts: dict[str, str] = {}
    for number, (file, old, new) in enumerate(edits, start=1):
        before = texts.get(file) or (kernel / file).read_text()
        assert old in before
        texts[file] = before.replace(old, new)
        left, right = (text.splitlines(keepends=True) for text in (before, texts[file]))
        diff = "".join(unified_diff(left, right, f"a/{file}", f"b/{file}"))
        title = f"{Path(file).stem}: change {number}"
        (out / f"{number}.patch").write_text(
            f"From: kzc <kzc@localhost>\nDate: Sat, 1 Jan 2000 00:00:00 +0000\n"
            f"Subject: [PATCH {number}/{len(edits)}] {title}\n\n{SIGNED}---\n{diff}-- \n1\n"
        )
    return out


def check(shopfloor: Workshop, kernel: Path, folder: Path, **more: object) -> list[Outcome]:
    request = Request(
        tree_of(kernel, shopfloor), read_folder(folder), PLAIN, suites=(SUITE,), own=("small",)
    )
    run = checks.run(shopfloor, Request(**{**vars(request), **more}))
    return [outcome for outcome in run.outcomes if outcome.stage is Stage.CHECK]


def again(shopfloor: Workshop) -> Workshop:
    """The same cache, another run."""
    run = Store(shopfloor.settings.data).create(("kzc",), {}, "0")
    return replace(shopfloor, run=run, screen=Recorder(), places=Places())


def cases_of(outcome: Outcome) -> Mapping[str, Case]:
    return {case.name: case for case in outcome.cases}


def words(outcome: Outcome) -> str:
    return " ".join(
        f"{case.name}:{case.verdict}" for case in outcome.cases if case.name != "sparse"
    )


def steps(shopfloor: Workshop) -> list[str]:
    assert isinstance(shopfloor.screen, Recorder)
    return shopfloor.screen.steps


def test_the_grid_of_a_mixed_series(shopfloor: Workshop, kernel: Path, tmp_path: Path) -> None:
    """A new warning; broken; mended, with the old warnings on other lines; a test program."""
    mixed = series_of(
        kernel,
        tmp_path / "series",
        ("net/socket.c", "int socket_5;\n", WARNS.format(5)),
        ("net/socket.c", "int socket_7;\n", "nonsense socket_7;\n"),
        ("net/socket.c", f"{OLD}", f"\n\n{OLD}#define nonsense long\n"),
        ("tools/testing/small/prog.c", "return 0", "return oops"),
    )
    found = check(shopfloor, kernel, mixed)
    assert [words(outcome) for outcome in found] == [
        "build:pass warnings:fail selftests:skip checkpatch:pass mail:pass",
        "build:fail warnings:not_run selftests:not_run checkpatch:pass mail:pass",
        "build:pass warnings:pass selftests:skip checkpatch:pass mail:pass",
        "build:pass warnings:pass selftests:fail checkpatch:pass mail:pass",
    ]
    verdicts = [outcome.verdict for outcome in found]
    assert verdicts == [Verdict.FAIL, Verdict.FAIL, Verdict.PASS, Verdict.FAIL]
    assert found[0].subject == "1/4 socket: change 1"
    new = cases_of(found[0])["warnings"].detail["new"]
    assert [entry["text"].partition(" [")[0] for entry in new] == [
        "'unused_5' defined but not used"
    ]
    broken = cases_of(found[1])["build"]
    assert broken.reason.startswith("net/socket.c:")
    assert "nonsense" in broken.reason
    last = cases_of(found[3])
    assert last["build"].reason == "it touches no file of the kernel: the image is its parent's"
    assert found[3].detail["image"] == found[2].detail["image"]
    assert "oops" in (shopfloor.run.folder / last["selftests"].detail["log"]).read_text()


def test_only_what_changed_is_checked_again_and_nothing_escapes_for_being_made_already(
    shopfloor: Workshop, kernel: Path, tmp_path: Path
) -> None:
    first = ("net/socket.c", "int socket_5;\n", "long socket_5;\n")
    warns = ("net/core/sock.c", "int sock_8;\n", WARNS.format(8))
    before = check(shopfloor, kernel, series_of(kernel, tmp_path / "one", first, warns))
    assert [outcome.reason for outcome in before] == ["", ""]
    # the folder holds the object that warns, and the patch before it is gone now
    other = again(shopfloor)
    after = check(other, kernel, series_of(kernel, tmp_path / "two", warns))
    assert after[0].reason == ""
    assert cases_of(after[0])["warnings"].verdict is Verdict.FAIL
    third = again(shopfloor)
    changed = ("tools/testing/small/prog.c", "return 0", "return 1")
    last = check(third, kernel, series_of(kernel, tmp_path / "three", warns, changed))
    assert [outcome.reason for outcome in last] == ["checked before", ""]
    assert words(last[0]) == words(after[0])
    assert not [step for step in steps(third) if step.startswith("building")]
    for run, checked in ((other, after), (third, last)):
        logs = [log for each in checked for case in each.cases if (log := case.detail.get("log"))]
        assert len(logs) == len(set(logs)) >= 3
        assert all((run.run.folder / log).stat().st_size for log in logs)
    for each in (shopfloor, other, third):
        each.places.close()
    clean(shopfloor.settings, everything=True)
    assert not list((shopfloor.settings.cache / "checks").glob("*/"))


def test_a_patch_is_not_built_with_what_a_later_one_touches(
    shopfloor: Workshop, kernel: Path, tmp_path: Path
) -> None:
    tree = tree_of(kernel, shopfloor)
    kernels.make_kernel(shopfloor, Source(tree, tree.commit, tree.tree_id), PLAIN)
    first = ("net/socket.c", "int socket_5;\n", "long socket_5;\n")
    later = ("net/core/sock.c", "int sock_8;\n", "long sock_8;\n")
    found = check(shopfloor, kernel, series_of(kernel, tmp_path / "one", first, later))
    log = shopfloor.run.folder / str(cases_of(found[0])["build"].detail["log"])
    assert compiled_of(log.read_text().splitlines()) == ("net/socket.o",)


def test_what_the_parent_says_is_asked_once(
    shopfloor: Workshop, kernel: Path, tmp_path: Path
) -> None:
    file, old = "net/core/sock.c", "int sock_1;\n"
    edit(kernel / file, old, "int idle(int unused) { return 0; }\n" + old)
    commit(kernel)
    first = (file, "int sock_5;\n", "long sock_5;\n")
    later = (file, "int sock_8;\n", "int more(int idle_too) { return 0; }\n")
    found = check(shopfloor, kernel, series_of(kernel, tmp_path / "one", first, later))
    cases = [cases_of(each)["warnings"] for each in found]
    assert [case.verdict for case in cases] == [Verdict.PASS, Verdict.FAIL]
    assert "idle_too" in cases[1].reason
    # its own objects once; those of its parent were made when that was checked
    log = shopfloor.run.folder / str(cases[1].detail["log"])
    assert compiled_of(log.read_text().splitlines()) == ("net/core/sock.o",)
    assert log.read_text().count("  CC      ") == 1


def test_what_does_not_apply_is_loud_and_its_mail_is_looked_at(
    shopfloor: Workshop, kernel: Path, tmp_path: Path
) -> None:
    out = series_of(
        kernel,
        tmp_path / "series",
        ("net/socket.c", "int socket_2;\n", "\tint socket_2;\n"),
        ("net/core/sock.c", "int sock_5;\n", "long sock_5;\n"),
        ("net/socket.c", "int socket_3;\n", "long socket_3;\n"),
    )
    edit(sorted(out.iterdir())[0], "Signed-off-by: kzc <kzc@localhost>", "")
    edit(kernel / "net/core/sock.c", "int sock_5;\n", "char sock_5;\n")
    commit(kernel)
    # a symbol that does not take may come with a later patch
    wanted = Wanted((Fragment("own.config", "CONFIG_BROKEN=y\n"),))
    found = check(shopfloor, kernel, out, wanted=wanted)
    assert [outcome.verdict for outcome in found] == [Verdict.FAIL, *[Verdict.NOT_RUN] * 2]
    first = cases_of(found[0])
    assert first["build"].verdict is Verdict.PASS
    assert "CONFIG_BROKEN=y" in first["build"].reason
    # it is not kept as the kernel that was asked for
    stored = [
        json.loads(file.read_text())
        for file in shopfloor.settings.cache.glob("kernels/*/kernel.json")
    ]
    asked = Recipe("", wanted.fragments, compiler_version(shopfloor.runner))
    assert stored
    assert asked.config_hash not in {kernel["config_hash"] for kernel in stored}
    assert (first["checkpatch"].verdict, first["mail"].verdict) == (Verdict.FAIL, Verdict.FAIL)
    assert first["checkpatch"].detail["remarks"][0]["file"] == "net/socket.c"
    assert first["mail"].reason == "there is no Signed-off-by"
    assert [outcome.reason for outcome in found[1:]] == [
        "it does not apply",
        "patch 2/3 does not apply",
    ]
    assert cases_of(found[2])["mail"].verdict is Verdict.PASS


def test_w1_looks_at_touched_files_and_allmodconfig_at_their_neighbours(
    shopfloor: Workshop, kernel: Path, tmp_path: Path
) -> None:
    compares = "int less_{0}(unsigned a);\nint less_{0}(unsigned a) {{ return a < 0; }}\n"
    (kernel / "net/core/own.h").write_text("int own;\n")
    edit(kernel / "net/core/sock.c", "int sock_1;\n", '#include "own.h"\n')
    edit(kernel / "net/socket.c", "int socket_2;\n", compares.format(1))
    commit(kernel)
    folder = series_of(
        kernel,
        tmp_path / "series",
        ("net/core/own.h", "int own;\n", compares.format(3)),
        ("net/socket.c", OLD, f"\n\n{OLD}{compares.format(2)}"),
    )
    found = check(shopfloor, kernel, folder, allmodconfig=True)
    cases = [cases_of(outcome) for outcome in found]
    warned = [case["warnings"] for case in cases]
    assert [case.verdict for case in warned] == [Verdict.PASS, Verdict.FAIL]
    assert len(warned[1].detail["new"]) == 1
    # a header is seen by the objects beside it
    assert cases[0]["allmodconfig"].verdict is Verdict.FAIL
    assert cases[0]["allmodconfig"].detail["new"][0]["file"] == "net/core/own.h"


def test_a_patch_may_break_the_programs_of_its_folder_and_those_of_what_is_shared() -> None:
    folder = "tools/testing/small"
    for file in (f"{folder}/prog.c", "include/uapi/linux/vm_sockets.h", "tools/include/x.h"):
        assert of_programs([file], SUITE)
        assert suites_for([file], [SUITE], ["small"]) == [SUITE]
    assert of_programs(["tools/testing/selftests/lib.mk"], SUITE)
    for file in (
        "net/socket.c",
        "tools/testing/selftests/net/msg_zerocopy.c",
        f"{folder}er/prog.c",
    ):
        assert not of_programs([file], SUITE)
        assert suites_for([file], [SUITE], ["small"]) == []
    # a uapi header is shared by all, so only what the series itself names is made
    assert suites_for(["include/uapi/linux/vm_sockets.h"], [SUITE], []) == []
    assert suites_for([f"{folder}/prog.c"], [SUITE], []) == [SUITE]


def test_a_suite_runs_once_for_each_image_and_its_programs(
    shopfloor: Workshop, kernel: Path, tmp_path: Path
) -> None:
    tree = tree_of(kernel, shopfloor)
    source, plan = Source(tree, tree.commit, tree.tree_id), Plan("tcg")
    patch = read_folder(
        series_of(kernel, tmp_path / "x", ("net/socket.c", OLD, "int old;\n"))
    ).patches[0]
    first, second, third = (
        At(number, 3, patch, source, tree.commit, tree.tree_id, ()) for number in (1, 2, 3)
    )
    # as if a guest had run it before: these tests have none
    programs = kernels.make_tests(shopfloor, source, [SUITE])[SUITE.name]
    passed = Case(SUITE.name, Verdict.PASS, 3.0)
    identity = identity_of("image", programs, SUITE, plan)
    remember(shopfloor, identity, Outcome(Stage.CHECK, "", Verdict.PASS, cases=(passed,)))
    guests = Guests(shopfloor, (SUITE,), plan, PLAIN)
    tested = [*guests.test(first, "image"), *guests.test(second, "image"), *guests.test(third, "")]
    assert [(case.verdict, case.reason) for case in tested] == [
        (Verdict.PASS, "tested before"),
        (Verdict.SKIP, "same image and programs as 1/3"),
        (Verdict.NOT_RUN, "the kernel does not build"),
    ]
