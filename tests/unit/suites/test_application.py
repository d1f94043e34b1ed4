# SPDX-License-Identifier: GPL-2.0-only
"""Programs in Python: one file that runs on any python3, with what it imports."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from kzc.errors import UsageError
from kzc.suites import binaries
from kzc.suites.binaries import Worktree
from kzc.suites.ktap import parse
from kzc.suites.manifest import Suite, load_suite
from kzc.values import Verdict
from tests.plain import RUNNER

ROOT = Path(__file__).parents[3]
MANIFEST = """\
name = "own"
title = "t"
guest = "vng"

[[programs]]
name = "program"
packages = ["own_package", "qemu.qmp"]

[[commands]]
name = "own"
run = "./program"
parser = "exit"
"""
MAIN = """\
import sys
from own_package.said import SAID
from qemu.qmp import QMPClient
print(SAID, QMPClient.__name__, *sys.argv[1:])
sys.exit(3)
"""


def suite_of(tmp_path: Path, said: str = "'well'", manifest: str = MANIFEST) -> Suite:
    package = tmp_path / "own" / "own_package"
    package.mkdir(parents=True, exist_ok=True)
    (tmp_path / "own" / "suite.toml").write_text(manifest)
    (package / "__init__.py").write_text("")
    (package / "__main__.py").write_text(MAIN)
    (package / "said.py").write_text(f"SAID = {said}\n")
    return load_suite(tmp_path / "own")


def built(suite: Suite, tmp_path: Path) -> Path:
    # without a Makefile: no headers are made where nothing is compiled
    worktree = Worktree(tmp_path, tmp_path / "headers", "0123")
    store, log = tmp_path / "tests", tmp_path / "log"
    return binaries.build(suite, worktree, store, RUNNER, compiler="gcc", log=log)


def test_it_runs_without_kzc_and_ends_with_its_own_status(tmp_path: Path) -> None:
    folder = built(suite_of(tmp_path), tmp_path)
    assert sorted(path.name for path in folder.iterdir()) == [binaries.ABSENT, "program"]
    done = subprocess.run(
        ["python3", "-I", "-S", folder / "program", "a", "b"],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": "/usr/bin:/bin"},
    )
    assert (done.returncode, done.stdout) == (3, "well QMPClient a b\n"), done.stderr


def test_another_text_is_another_program(tmp_path: Path) -> None:
    before = built(suite_of(tmp_path), tmp_path)
    assert built(suite_of(tmp_path), tmp_path) == before
    assert built(suite_of(tmp_path, "'better'"), tmp_path) != before


@pytest.mark.parametrize(
    ("packages", "said"),
    [
        ('["other"]', "there is no package other with a __main__.py"),
        ('["../own_package"]', "there is no package ../own_package with"),
        ('["own_package", "no.such"]', "there is no package no.such beside kzc"),
        ('["own_package", "tomllib2"]', "there is no package tomllib2 beside kzc"),
        ('"own_package"', "should be a list of Python packages"),
        ("[]", "should be a list of Python packages"),
    ],
)
def test_a_package_that_is_not_there_is_told(tmp_path: Path, packages: str, said: str) -> None:
    manifest = MANIFEST.replace('["own_package", "qemu.qmp"]', packages)
    with pytest.raises(UsageError, match=r"programs\.0") as caught:
        suite_of(tmp_path, manifest=manifest)
    assert said in caught.value.message


def test_it_is_either_c_or_python(tmp_path: Path) -> None:
    for more in ('packages = ["own_package"]\nsources = ["own.c"]', ""):
        (tmp_path / "own").mkdir(exist_ok=True)
        (tmp_path / "own" / "own.c").write_text("int main(void) { return 0; }\n")
        manifest = MANIFEST.replace('packages = ["own_package", "qemu.qmp"]', more)
        with pytest.raises(UsageError, match="either `sources` or `packages`"):
            suite_of(tmp_path, manifest=manifest)


def test_the_projects_own_one_lists_its_cases_and_says_what_it_lacks(tmp_path: Path) -> None:
    folder = built(load_suite(ROOT / "selftests" / "qemu-migration"), tmp_path)
    asked = ["python3", "-I", "-S", str(folder / "qemu-migration"), "--list"]
    done = subprocess.run(asked, capture_output=True, text=True, check=True)
    assert "dirty/veth4" in done.stdout.splitlines()
    # without QEMU every case is a skip, and the document says so
    lacking = subprocess.run(
        [sys.executable, *asked[1:-1]],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": str(tmp_path)},
    )
    assert lacking.returncode == 4, lacking.stderr
    (case,) = parse(lacking.stdout.splitlines(), status=4)
    assert case.verdict is Verdict.SKIP
    assert case.reason == "the guest has no qemu-system-x86_64 (Debian package qemu-system-x86)"
    wrong = subprocess.run([*asked, "other"], capture_output=True, text=True, check=False)
    assert wrong.returncode == 2
    assert "there is no case other" in wrong.stderr
