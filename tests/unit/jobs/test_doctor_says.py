# SPDX-License-Identifier: GPL-2.0-only
"""How the doctor says it: exit status, fixes to copy, JSON."""

from __future__ import annotations

import io
import json
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest
from rich.console import Console

from kzc.cli.doctor import run_doctor, show
from kzc.jobs import needs
from kzc.jobs.doctor import exit_status
from kzc.jobs.needs import Need, State
from kzc.proc import LocalRunner


@dataclass(frozen=True)
class _Settings:
    cache: Path
    qemu: str


def test_the_exit_status_counts_only_what_is_missing() -> None:
    fine, warned = Need("a", State.OK), Need("b", State.WARN)
    assert exit_status((fine, warned)) == 0
    assert exit_status((fine, warned, Need("c", State.MISSING))) == 3


def test_fixes_of_packages_become_one_command() -> None:
    lacking = tuple(
        Need(name, State.MISSING, fix=fix)
        for name, fix in (
            ("flex", needs.install("flex")),
            ("vhost", "modprobe vhost_vsock"),
            ("bison", needs.install("bison")),
            ("again", needs.install("flex")),
        )
    )
    assert needs.combined(lacking) == (needs.install("flex bison"), "modprobe vhost_vsock")


def test_every_package_is_one_that_setup_installs() -> None:
    text = (Path(__file__).parents[3] / "scripts" / "apt-packages.txt").read_text()
    listed = {line for line in text.splitlines() if line and not line.startswith("#")}
    named = {row.package for row in (*needs.PROGRAMS, *needs.HEADERS)}
    named |= {"qemu-system-x86", "busybox-static", "libc6-dev", "gcc-multilib"}
    assert named <= listed


def test_the_table_holds_fixes_that_can_be_copied() -> None:
    screen = io.StringIO()
    fix = needs.install("a-package-with-a-name-that-is-much-longer-than-any-line-of-this-terminal")
    show((Need("flex", State.MISSING, "", "not found", fix),), Console(file=screen, width=60))
    lines = screen.getvalue().splitlines()
    assert f"  {fix}" in lines
    assert lines[-1] == "The main job cannot run here: flex."


@pytest.mark.skipif(shutil.which("qemu-system-x86_64") is None, reason="no QEMU")
def test_on_this_machine_as_json(tmp_path: Path) -> None:
    screen = io.StringIO()
    settings = _Settings(tmp_path / "cache", "qemu-system-x86_64")
    status = run_doctor(settings, LocalRunner(), True, Console(file=screen, width=40))
    rows = json.loads(screen.getvalue())
    assert {tuple(row) for row in rows} == {("name", "state", "value", "reason", "fix")}
    states = {row["name"]: row["state"] for row in rows}
    assert status == (3 if "missing" in states.values() else 0)
    assert states["QEMU"] == "ok"
    assert {"accelerator", "vhost-vsock", "nested guests", "optmem_max"} <= set(states)
