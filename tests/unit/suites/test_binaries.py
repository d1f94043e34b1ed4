# SPDX-License-Identifier: GPL-2.0-only
"""Programs of a suite's own: compiled against the tree's headers, named by their text."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from kzc.suites import binaries
from kzc.suites.binaries import Worktree
from kzc.suites.ktap import parse
from kzc.suites.manifest import Suite, load_suite
from kzc.values import Verdict
from tests.plain import RUNNER

ROOT = Path(__file__).parents[3]
# a suite of ours and the last transport that it has
OURS = {"zc_lifetime": "vsock", "zc_notify": "vsock", "zc_fuzz": "vsock", "txzc-eval": "packet"}

MANIFEST = """\
name = "own"
title = "t"
guest = "mini"

[[programs]]
name = "own"
sources = ["own.c"]

[[commands]]
name = "own"
run = "./own"
parser = "exit"
"""
SOURCE = """\
#include <linux/kzc.h>
int main(void) { return KZC; }
"""

# one test for each way to end
WAYS = """\
#include <signal.h>
#include <unistd.h>
#include "ktap.h"
#include "zc.h"

static void pass(const struct zc_transport *t) { (void)t; ktap_note("said"); }
static void fail(const struct zc_transport *t) { check(!t, "on %s", t->name); }
static void errno_(const struct zc_transport *t) { (void)t; must(close(-1)); }
static void other(const struct zc_transport *t) { (void)t; must_fail(close(-1), EINVAL); }
static void skip(const struct zc_transport *t) { (void)t; ktap_skip("no # such thing"); }
static void known(const struct zc_transport *t) { (void)t; ktap_known("as ever"); }
static void dies(const struct zc_transport *t) { (void)t; raise(SIGSEGV); }
static void hangs(const struct zc_transport *t) { (void)t; pause(); }

static const struct ktap_test tests[] = {
	{ "pass", pass, 0 }, { "fail", fail, 1 << TCP4 | 1 << VSOCK }, { "errno", errno_, 0 },
	{ "other", other, 0 }, { "skip", skip, 0 }, { "known", known, 0 }, { "dies", dies, 0 },
	{ "hangs", hangs, 0 }, { "pass again", pass, 0 },
};

int main(int argc, char **argv)
{
	return ktap_main(argc, argv, tests, ARRAY_SIZE(tests), 1);
}
"""


@pytest.fixture
def worktree(tmp_path: Path) -> Worktree:
    """A tree of which `make headers` makes one header."""
    src = tmp_path / "src"
    src.mkdir()
    made = "$(O)/usr/include/linux"
    (src / "Makefile").write_text(
        f"headers:\n\t@mkdir -p {made}\n\t@echo '#define KZC 7' > {made}/kzc.h\n"
    )
    return Worktree(src, tmp_path / "headers", "0123")


def suite_of(tmp_path: Path, source: str = SOURCE, sources: str = '["own.c"]') -> Suite:
    folder = tmp_path / "own"
    folder.mkdir(exist_ok=True)
    (folder / "suite.toml").write_text(MANIFEST.replace('["own.c"]', sources))
    (folder / "own.c").write_text(source)
    return load_suite(folder)


def built(suite: Suite, worktree: Worktree, tmp_path: Path) -> Path:
    store, log = tmp_path / "tests", tmp_path / "log"
    return binaries.build(suite, worktree, store, RUNNER, compiler="gcc", log=log)


def test_it_sees_the_headers_of_the_tree(tmp_path: Path, worktree: Worktree) -> None:
    folder = built(suite_of(tmp_path), worktree, tmp_path)
    assert sorted(path.name for path in folder.iterdir()) == [binaries.ABSENT, "own"]
    assert subprocess.run([folder / "own"], check=False).returncode == 7
    assert b"/ld-linux" not in (folder / "own").read_bytes()[:4096]


def test_another_text_is_another_program(tmp_path: Path, worktree: Worktree) -> None:
    before = built(suite_of(tmp_path), worktree, tmp_path)
    assert built(suite_of(tmp_path), worktree, tmp_path) == before
    after = built(suite_of(tmp_path, SOURCE.replace("KZC;", "KZC + 1;")), worktree, tmp_path)
    assert after != before
    assert subprocess.run([after / "own"], check=False).returncode == 8


def test_a_warning_is_an_error(tmp_path: Path, worktree: Worktree) -> None:
    with pytest.raises(binaries.TestsDoNotBuild, match=r"own does not build: .*unused"):
        built(suite_of(tmp_path, "int main(void) { int unused; return 0; }\n"), worktree, tmp_path)
    assert not list((tmp_path / "tests").iterdir())


def test_a_tree_without_the_header_is_told_of(tmp_path: Path, worktree: Worktree) -> None:
    with pytest.raises(binaries.TestsDoNotBuild, match=r"other\.h: No such file"):
        built(suite_of(tmp_path, SOURCE.replace("kzc.h", "other.h")), worktree, tmp_path)


def test_each_way_to_end_is_a_verdict(tmp_path: Path, worktree: Worktree) -> None:
    suite = suite_of(tmp_path, WAYS, '["own.c", "ktap.c", "zc.c"]')
    program = built(suite, worktree, tmp_path) / "own"
    env = {name: value for name, value in os.environ.items() if not name.startswith("KZC_")}
    done = subprocess.run([program], capture_output=True, text=True, check=False, env=env)
    cases = {case.name: case for case in parse(done.stdout.splitlines(), status=done.returncode)}
    assert {name: case.verdict for name, case in cases.items()} == {
        "pass": Verdict.PASS,
        "fail/tcp4": Verdict.FAIL,
        "fail/vsock": Verdict.FAIL,
        "errno": Verdict.FAIL,
        "other": Verdict.FAIL,
        "skip": Verdict.SKIP,
        "known": Verdict.XFAIL,
        "dies": Verdict.FAIL,
        "hangs": Verdict.TIMEOUT,
        "pass again": Verdict.PASS,
    }
    assert cases["fail/vsock"].reason.endswith(": on vsock")
    assert cases["errno"].reason.endswith("close(-1): Bad file descriptor")
    assert cases["other"].reason.endswith("close(-1): Bad file descriptor, not EINVAL")
    assert cases["dies"].reason == "killed by signal 11"


@pytest.mark.parametrize("name", OURS)
def test_ours_build_with_this_machines_headers_and_list_their_cases(
    name: str, tmp_path: Path, worktree: Worktree
) -> None:
    suite = load_suite(ROOT / "selftests" / name)
    folder = built(suite, worktree, tmp_path)
    done = subprocess.run(
        [folder / name.replace("-", "_"), "--list"], capture_output=True, text=True, check=True
    )
    cases = done.stdout.splitlines()
    assert len(cases) == len(set(cases)) > 5
    assert any(case.endswith(f"/{OURS[name]}") for case in cases)
