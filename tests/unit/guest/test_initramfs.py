# SPDX-License-Identifier: GPL-2.0-only
"""The initramfs, read back by cpio itself."""

import shutil
from pathlib import Path

import pytest

from kzc.errors import HostError, UsageError
from kzc.guest.initramfs import build
from tests.plain import RUNNER

BUSYBOX = Path(shutil.which("busybox") or "/bin/busybox")


@pytest.fixture
def program(tmp_path: Path) -> Path:
    path = tmp_path / "vsock_test"
    path.write_bytes(b"\x7fELF odd length!")
    return path


def test_cpio_lists_what_was_put_in(tmp_path: Path, program: Path) -> None:
    archive = tmp_path / "initramfs"
    archive.write_bytes(build(BUSYBOX, {"kzc/bin/deep/vsock_test": program}))
    listed = RUNNER.capture(["cpio", "-itv"], stdin=archive.read_bytes()).stdout
    rows = {line.split()[-1]: line.split()[0] for line in listed.splitlines()}
    assert rows["init"] == "-rwxr-xr-x"
    assert rows["bin/busybox"] == "-rwxr-xr-x"
    assert rows["kzc/bin/deep"] == "drwxr-xr-x"
    assert rows["kzc/bin/deep/vsock_test"] == "-rwxr-xr-x"
    assert rows["dev/console"].startswith("c")
    assert rows["dev/null"].startswith("c")


def test_contents_come_back_and_the_same_files_give_the_same_bytes(
    tmp_path: Path, program: Path
) -> None:
    first = build(BUSYBOX, {"kzc/bin/vsock_test": program})
    assert first == build(BUSYBOX, {"kzc/bin/vsock_test": program})
    out = tmp_path / "out"
    out.mkdir()
    RUNNER.capture(["cpio", "-idm", "--quiet", "kzc/*", "init"], cwd=out, stdin=first)
    assert (out / "kzc/bin/vsock_test").read_bytes() == program.read_bytes()
    assert b"agent.sh" in (out / "init").read_bytes()


def test_missing_files_and_a_dynamic_busybox_are_said(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="nothing"):
        build(BUSYBOX, {"x": tmp_path / "nothing"})
    with pytest.raises(HostError, match="not a static binary"):
        build(Path(shutil.which("ls") or "/bin/ls"), {})
    with pytest.raises(HostError) as error:
        build(tmp_path / "busybox", {})
    assert "busybox-static" in error.value.hint
