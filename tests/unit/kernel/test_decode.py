# SPDX-License-Identifier: GPL-2.0-only
"""Frames become source lines, and nothing that a guest made up reaches the script."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from kzc.git import Git
from kzc.kernel.decode import SCRIPT, decode, frames_of, script_at
from kzc.proc import Done, LocalRunner

SOURCE = """int inner(int a) { return a + 1; }
int zc_notify(int a)
{
	return inner(a) * 2;
}
int main(void) { return zc_notify(1); }
"""
# what the kernel's script answers; it is not copied here
ANSWERING = """#!/bin/bash
tee "$(dirname "$0")/asked" | while read -r frame; do
	address=$(nm "$1" | awk -v name="${frame%%+*}" '$3 == name {print $1}')
	[ -n "$address" ] && frame="${frame%%+*} ($(addr2line -e "$1" "$address")) "
	echo "$frame"
done
"""
SPLAT = (
    "[    1.9] BUG: unable to handle page fault",
    "[    1.9] RIP: 0010:inner+0x4/0x10",
    "[    1.9] Code: 00 11 <48> 89",
    "[    1.9]  ? zc_notify+0x9/0x20",
    "[    1.9]  nobody_knows+0x9/0x20",
    "[    1.9]  main+0x2/0x8 [breaker]",
)
INJECTED = (
    'x+0x1/0x2 q"||system("touch owned")||"+0x0/0x1',
    "x+0x1/0x2 inner+a[$(touch owned)]/0x1",
    "inner+0x1/0x2$(touch owned)",
    "`touch owned`+0x1/0x2 inner+0x1/0x2/../..",
    "Code: $(touch owned)",
)


@pytest.fixture
def script(tmp_path: Path) -> Path:
    path = tmp_path / "scripts" / "decode.sh"
    path.parent.mkdir()
    path.write_text(ANSWERING)
    return path


@pytest.fixture
def vmlinux(tmp_path: Path) -> Path:
    (tmp_path / "zc.c").write_text(SOURCE)
    command = ["gcc", "-g", "-O0", "-o", "vmlinux", "zc.c"]
    LocalRunner().capture(command, cwd=tmp_path)
    return tmp_path / "vmlinux"


def test_frames_become_source_lines_and_the_rest_stays(script: Path, vmlinux: Path) -> None:
    found, why = decode(SPLAT, vmlinux, script, LocalRunner())
    assert why == ""
    assert re.fullmatch(r"\[    1\.9\] RIP: 0010:inner \(/.*/zc\.c:1\)", found[1])
    assert re.fullmatch(r"\[    1\.9\]  \? zc_notify \(/.*/zc\.c:3\)", found[3])
    assert [found[n] for n in (0, 2, 4, 5)] == [SPLAT[n] for n in (0, 2, 4, 5)]


def test_only_frames_reach_the_script(script: Path, vmlinux: Path) -> None:
    decode((*SPLAT, *INJECTED), vmlinux, script, LocalRunner())
    asked = (script.parent / "asked").read_text().splitlines()
    assert asked[:3] == ["inner+0x4/0x10", "zc_notify+0x9/0x20", "nobody_knows+0x9/0x20"]
    assert all(re.fullmatch(r"[A-Za-z_][\w.]*\+0x[0-9a-f]+/0x[0-9a-f]+", each) for each in asked)
    assert not list(vmlinux.parent.rglob("owned"))


@pytest.mark.parametrize("text", INJECTED)
def test_a_made_up_frame_is_none(text: str) -> None:
    assert set(frames_of([text])) <= {"x+0x1/0x2"}


@pytest.mark.parametrize(
    "tree", [os.environ.get("KZC_TEST_LINUX", ""), "/usr/src/linux"], ids=["given", "installed"]
)
def test_the_kernel_s_own_script(tree: str, vmlinux: Path) -> None:
    script = Path(tree) / SCRIPT
    if not tree or not script.exists():
        pytest.skip("no kernel tree here: set KZC_TEST_LINUX")
    found, why = decode((*SPLAT, *INJECTED), vmlinux, script, LocalRunner())
    assert why == ""
    assert found[1].endswith("zc.c:1)")
    assert found[len(SPLAT) :] == INJECTED


def test_without_script_kernel_or_debug_info_it_says_so(script: Path, vmlinux: Path) -> None:
    def why(kernel: Path, with_script: Path, excerpt: tuple[str, ...] = SPLAT) -> str:
        found, reason = decode(excerpt, kernel, with_script, LocalRunner())
        assert found == excerpt
        return reason

    stripped = vmlinux.with_name("stripped")
    shutil.copy(vmlinux, stripped)
    LocalRunner().capture(["strip", "-g", str(stripped)])
    assert "CONFIG_DEBUG_INFO" in why(stripped, script)
    assert f"no {SCRIPT}" in why(vmlinux, script.with_name("absent"))
    assert "there is no" in why(vmlinux.with_name("absent"), script)
    assert "cannot read" in why(script, script)
    assert "no frame" in why(vmlinux, script, ("no trace",))
    script.write_text("exit 3\n")
    assert "status 3" in why(vmlinux, script)
    script.write_text("echo nonsense\n")
    assert "none of the frames" in why(vmlinux, script)


class Impatient(LocalRunner):
    """Takes a limit for a fiftieth of what it is."""

    def capture(self, argv: Sequence[str], **options: Any) -> Done:
        if argv[0] == "bash":
            options["timeout"] /= 50
        return super().capture(argv, **options)


def test_a_script_that_hangs_is_stopped(script: Path, vmlinux: Path) -> None:
    script.write_text("sleep 60\n")
    found, why = decode(SPLAT, vmlinux, script, Impatient())
    assert found == SPLAT
    assert "did not end within" in why


def test_the_script_is_that_of_the_commit(tmp_path: Path) -> None:
    repo = tmp_path / "linux"
    (repo / "scripts").mkdir(parents=True)
    (repo / SCRIPT).write_text("echo mine\n")
    git = Git(LocalRunner(), cwd=repo)
    who = ("-c", "user.name=a", "-c", "user.email=a@b")
    for command in (("init", "-q"), ("add", "."), (*who, "commit", "-qm", "x")):
        git.run(*command)
    (repo / SCRIPT).write_text("echo changed\n")
    assert script_at(git, "HEAD", tmp_path).read_text() == "echo mine\n"
    empty = tmp_path / "empty"
    empty.mkdir()
    assert not script_at(git, "0" * 40, empty).exists()
