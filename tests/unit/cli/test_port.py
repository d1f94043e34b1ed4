# SPDX-License-Identifier: GPL-2.0-only
"""What a person sees of a port, and the exit statuses that a script goes by."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from kzc.cli.app import run
from kzc.git import Git
from tests.fakelinux import commit, edit, make_series
from tests.plain import RUNNER

MIDDLE = "net/core/sock.c"


def test_from_a_conflict_to_a_series(kernel: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mails = make_series(kernel, kernel.parent / "mails")
    new = kernel.parent / "new"
    shutil.copytree(kernel, new)
    edit(new / MIDDLE, "int sock_20;", "char sock_20;")
    commit(new, "in the way")
    # the base is found by the base-commit that the mails name, in the checkout we stand in
    assert run(["apply", str(mails), "--onto", str(new), "--name", "p"]) == 1
    said = capsys.readouterr().out
    worktree = kernel.parent / "data/ports/p/linux"
    assert f"patch 2/3 (net: widen sock_20): conflict in\n  {MIDDLE}\n" in said
    assert f"the worktree is ready: {worktree}" in said
    assert "kzc continue p --abort" in said
    assert run(["continue"]) == 2
    assert f"{MIDDLE} has conflict markers" in capsys.readouterr().err
    (worktree / MIDDLE).write_text((new / MIDDLE).read_text().replace("char", "short"))
    Git(RUNNER, worktree).run("add", MIDDLE)
    assert run(["continue", "p", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [step["how"] for step in told["steps"]] == ["unchanged", "resolved by hand", "unchanged"]
    assert (told["stopped"], told["numbers"]) == (False, None)
    assert len(list(Path(told["patches"]).iterdir())) == 3
    assert run(["continue"]) == 2
    assert "no port waits" in capsys.readouterr().err
