# SPDX-License-Identifier: GPL-2.0-only
"""What bad input and bad kernels get: one clear message, the right status, nothing left."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.vm.conftest import FAULTS, SERIES, TREE, Kzc

pytestmark = pytest.mark.vm
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="mounting a file system needs root")


def outcome(kzc: Kzc, stage: str, subject: str = "") -> dict[str, object]:
    found = [o for o in kzc.report()["outcomes"] if o["stage"] == stage]
    return next(o for o in found if subject in o["subject"])


def verdicts(kzc: Kzc, suite: str) -> dict[str, str]:
    test = outcome(kzc, "test", suite)
    assert isinstance(test["cases"], list)
    return {case["name"]: case["verdict"] for case in test["cases"]}


@pytest.mark.xdist_group("slot")
def test_a_series_that_does_not_apply(kzc: Kzc) -> None:
    done = kzc("apply", str(FAULTS / "conflict"), "--tree", TREE)
    assert done.code == 1
    assert "net/socket.c" in done.said
    assert "conflict" in done.said
    hunks = outcome(kzc, "apply", "1/1")["detail"]
    assert isinstance(hunks, dict)
    assert "SYSCALL_DEFINE" in hunks["hunks"][0]["tree"] or hunks["hunks"][0]["tree"]


@pytest.mark.xdist_group("slot")
def test_a_second_patch_that_does_not_compile_is_named(kzc: Kzc, built: str) -> None:
    done = kzc("build", str(FAULTS / "second-does-not-compile"), "--tree", TREE)
    assert done.code == 1
    assert "patch 2/2" in done.said
    assert "net/socket.c" in done.said
    failed = outcome(kzc, "build")
    assert failed["verdict"] == "fail"
    assert isinstance(failed["detail"], dict)
    assert "kzc_nonsense" in str(failed["detail"]["errors"])


def test_a_kernel_that_panics_at_boot(kzc: Kzc, built: str) -> None:
    words = ("run", SERIES, "--tree", TREE, "--suite", "vsock")
    done = kzc(*words, "--append", "rdinit=/nowhere", "--append", "root=/dev/nowhere")
    assert done.code == 1
    boot = outcome(kzc, "boot")
    assert boot["verdict"] == "crash"
    assert "panic" in str(boot["reason"])
    assert isinstance(boot["detail"], dict)
    assert boot["detail"]["signature"]
    assert outcome(kzc, "test", "vsock")["verdict"] == "not_run"


def test_a_kernel_that_panics_in_the_middle_of_a_suite(kzc: Kzc, built: str) -> None:
    done = kzc("run", SERIES, "--tree", TREE, "--suite", str(FAULTS / "panics"))
    assert done.code == 1
    assert verdicts(kzc, "panics") == {"before": "pass", "crash": "crash", "after": "not_run"}
    test = outcome(kzc, "test", "panics")
    assert test["verdict"] == "crash"
    assert isinstance(test["detail"], dict)
    assert "sysrq" in str(test["detail"]["signature"])


def test_a_guest_that_hangs(kzc: Kzc, built: str) -> None:
    done = kzc("run", SERIES, "--tree", TREE, "--suite", str(FAULTS / "hangs"))
    assert done.code == 1
    assert verdicts(kzc, "hangs") == {"stuck": "timeout", "after": "not_run"}
    console = next((kzc.data / "runs").glob("*/logs/test-hangs/console.log")).read_text()
    assert "sysrq: Show State" in console
    assert "sysrq: Show Blocked State" in console
    assert "task:sleep" in console


@pytest.mark.xdist_group("slot")
def test_a_fragment_with_an_unmet_symbol(kzc: Kzc, tmp_path: Path) -> None:
    own = tmp_path / "own.config"
    own.write_text("CONFIG_VHOST_SCSI=y\n")
    done = kzc("build", "--tree", TREE, "--config", str(own))
    assert done.code == 2
    assert "CONFIG_VHOST_SCSI=y (own.config:1) became n" in done.said
    assert "TARGET_CORE=n" in done.said


def test_a_truncated_mbox(kzc: Kzc, tmp_path: Path) -> None:
    patches = sorted((Path(__file__).parents[2] / "patches" / SERIES / "6.12").glob("*.patch"))
    whole = b"".join(path.read_bytes() for path in patches)
    mbox = tmp_path / "cut.mbox"
    mbox.write_bytes(whole[: len(whole) // 2])
    done = kzc("apply", str(mbox), "--tree", TREE)
    assert done.code == 2
    assert "cut.mbox" in done.said


def test_a_tree_that_is_no_kernel(kzc: Kzc, tmp_path: Path) -> None:
    done = kzc("build", "--tree", str(tmp_path))
    assert done.code == 2
    done = kzc("build", cwd=tmp_path)
    assert done.code == 2
    assert "--tree" in done.said


@contextmanager
def small_disk(folder: Path, size: str) -> Iterator[Path]:
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "none", str(folder)], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


@needs_root
def test_a_disk_too_small_for_a_tree(kzc: Kzc, tmp_path: Path) -> None:
    with small_disk(tmp_path / "small", "64m") as small:
        kzc.env["KZC_CACHE"] = str(small)
        done = kzc("tree", "add", "t", TREE)
        assert done.code == 3, done.said
        assert "the disk is full" in done.said
        assert "kzc clean" in done.said
        assert not list(small.glob("repos/*.git"))
    assert not kzc("tree", "list").out.splitlines()[1:]


@needs_root
def test_a_disk_that_fills_up_in_the_middle(kzc: Kzc, built: str, tmp_path: Path) -> None:
    with small_disk(tmp_path / "small", "1m") as small:
        kzc.env["KZC_DATA"] = str(small)
        done = kzc("run", SERIES, "--tree", TREE, "--suite", "vsock")
        assert done.code == 3, done.said
        assert "No space left" in done.said or "disk is full" in done.said
    kzc.env["KZC_DATA"] = str(kzc.data)
    assert kzc("run", SERIES, "--tree", TREE, "--suite", "vsock").code == 0


def test_a_machine_without_qemu(kzc: Kzc, built: str, tmp_path: Path) -> None:
    (tmp_path / "config" / "kzc").mkdir(parents=True)
    (tmp_path / "config" / "kzc" / "kzc.toml").write_text('qemu = "/nowhere/qemu"\n')
    done = kzc("run", SERIES, "--tree", TREE, "--suite", "vsock")
    assert done.code == 3
    assert "/nowhere/qemu" in done.said
    assert shutil.which("qemu-system-x86_64")
