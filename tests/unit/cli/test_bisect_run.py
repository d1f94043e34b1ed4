# SPDX-License-Identifier: GPL-2.0-only
"""`git bisect run kzc test --bisect-run`: a real bisection of a small kernel; guests are played."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from kzc.cli import words
from kzc.cli.app import run
from kzc.cli.bisectrun import for_git
from kzc.cli.unread import read_out
from kzc.errors import HostError, UsageError
from kzc.results.store import Store
from tests.fakelinux import commit, edit
from tests.plain import RUNNER

ACTOR = Path(__file__).parents[1] / "jobs" / "kernel_actor.py"
QEMU = f"""#!/bin/sh
case "$*" in *--version*) echo 'QEMU emulator version 7.2.22'; exit 0 ;; esac
for word; do case $word in file,id=probe,path=*) console=${{word#*path=}} ;; esac; done
if [ "$console" ]; then
    printf '3kzc:\\000\\000\\000\\000\\200\\000\\020\\000\\004\\000\\000\\000' >"$console"
    exit 85
fi
exec "{sys.executable}" -IS "{ACTOR}" "$@"
"""
SUITE = """\
name = "own"
title = "t"
guest = "mini"

[[commands]]
name = "x"
run = "true"
parser = "exit"
"""


@pytest.fixture
def ready(kernel: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Standing in a small kernel; a suite and a QEMU are beside it."""
    qemu = kernel.parent / "qemu"
    qemu.write_text(QEMU)
    qemu.chmod(0o755)
    monkeypatch.setenv("KZC_QEMU", str(qemu))
    (kernel.parent / "own").mkdir()
    (kernel.parent / "own" / "suite.toml").write_text(SUITE)
    return kernel


def changed(kernel: Path, old: str, new: str) -> str:
    edit(kernel / "net/socket.c", f"int {old};\n", f"{new};\n")
    return commit(kernel, new)


def mended(kernel: Path) -> str:
    edit(kernel / "net/socket.c", "nonsense socket_2;\n", "int socket_2;\n")
    return commit(kernel, "mended")


@pytest.mark.full
def test_git_finds_the_commit_and_skips_what_tells_nothing(ready: Path) -> None:
    good = RUNNER.capture(["git", "rev-parse", "HEAD"], cwd=ready).stdout.strip()
    commits = [
        changed(ready, "socket_1", "long socket_1"),
        changed(ready, "socket_2", "nonsense socket_2"),
        mended(ready),
        changed(ready, "socket_3", "int wrong_3"),
        changed(ready, "socket_4", "long socket_4"),
    ]

    def git(*words: str) -> str:
        return RUNNER.capture(["git", *words], cwd=ready).stdout

    git("bisect", "start", commits[-1], good)
    step = [sys.executable, "-m", "kzc", "test", "../own", "--accel", "tcg", "--bisect-run"]
    said = git("bisect", "run", *step)
    assert f"{commits[3]} is the first bad commit" in said
    log = git("bisect", "log")
    assert f"git bisect bad {commits[3]}" in log
    assert f"git bisect good {commits[2]}" in log
    assert not git("status", "--porcelain")


@pytest.mark.full
def test_a_commit_that_does_not_build_is_skipped(
    ready: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    changed(ready, "socket_2", "nonsense socket_2")
    assert run(["test", "../own", "--accel", "tcg", "--bisect-run"]) == 125
    assert "nonsense" in capfd.readouterr().out


def test_a_wrong_command_line_ends_the_bisection(ready: Path) -> None:
    assert run(["test", "no-such-suite", "--bisect-run"]) == 128


def test_what_is_raised_is_never_a_verdict(tmp_path: Path) -> None:
    def raising(error: BaseException, *, begun: bool) -> int:
        def work(begin: object) -> int:
            if begun:
                with Store(tmp_path).create(("kzc",), {}, "0") as opened:
                    assert callable(begin)
                    begin(opened)
            raise error

        return for_git(work)

    assert raising(UsageError("no"), begun=False) == 128
    assert raising(UsageError("no such symbol here"), begun=True) == 125
    assert raising(HostError("no"), begun=False) == 125
    assert raising(KeyboardInterrupt(), begun=True) == 130
    assert raising(ValueError("a bug"), begun=True) == 128


def test_a_reader_that_left_ends_the_bisection(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(words, "left", lambda: [1])

    def unread(_begin: object) -> int:
        raise BrokenPipeError(32, "Broken pipe")

    assert read_out(lambda: for_git(unread)) == 141
