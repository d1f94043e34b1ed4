# SPDX-License-Identifier: GPL-2.0-only
"""The doctor on machines made of folders: with everything, with one thing taken away."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from kzc.jobs import needs
from kzc.jobs.machine import is_static, standing
from kzc.jobs.needs import State
from tests.unit.jobs.bench import GCC, QEMU, Bench, elf


@pytest.mark.skipif(shutil.which("busybox") is None, reason="no busybox")
def test_a_machine_that_lacks_nothing(bench: Bench) -> None:
    found = bench.examine()
    # how full this disk is is not the test's business
    bad = [
        need
        for need in found.values()
        if need.state is not State.OK and need.name not in {"accelerator", "disk space"}
    ]
    assert bad == []
    assert found["QEMU"].value == "7.2.22"
    assert found["gcc"].value == "12.2.0"
    assert found["virtme-ng"].value == "1.42"
    assert "there is no" in found["accelerator"].reason
    assert "TCG emulates SVM" in found["nested guests"].reason


def test_a_missing_program_names_its_package(bench: Bench) -> None:
    for row in needs.PROGRAMS:
        (bench.bin / row.name).unlink()
    found = bench.examine()
    for row in needs.PROGRAMS:
        need = found[row.name]
        assert need.state is row.lack
        assert need.fix.endswith(f"apt-get install -y {row.package}")
        assert row.what_for in need.reason


def test_a_program_that_does_not_run_is_missing(bench: Bench) -> None:
    bench.program("flex", "#!/bin/sh\nexit 127\n")
    need = bench.examine()["flex"]
    assert need.state is State.MISSING
    assert "ended with status 127" in need.reason
    bench.program("flex", "no program\x00")
    assert bench.examine()["flex"].state is State.MISSING


def test_a_program_that_can_only_show_its_usage_is_there(bench: Bench) -> None:
    usage = "#!/bin/sh\necho 'unknown option -- ?' >&2\nexit {status}\n"
    bench.program("ssh-keygen", usage.format(status=1))
    assert bench.examine()["ssh-keygen"].state is State.OK
    bench.program("ssh-keygen", usage.format(status=127))
    need = bench.examine()["ssh-keygen"]
    assert need.state is State.WARN
    assert "ended with status 127" in need.reason


def test_a_version_may_come_as_an_error_with_others_after_it(bench: Bench) -> None:
    bench.program("sshd", "#!/bin/sh\necho 'OpenSSH_9.2, OpenSSL 3.0.22 25 Aug' >&2\n")
    need = bench.examine()["sshd"]
    assert (need.state, need.value) == (State.OK, "9.2")


def test_what_only_topologies_need_does_not_keep_the_main_job_from_running(bench: Bench) -> None:
    for name in ("sshd", "ssh-keygen", "flock", "python3", "tcpdump"):
        (bench.bin / name).unlink()
    found = bench.examine().values()
    assert not [need for need in found if need.state is State.MISSING and need.name != "disk space"]


def test_no_emulator(bench: Bench) -> None:
    (bench.bin / "qemu").unlink()
    found = bench.examine()
    assert found["QEMU"].state is State.MISSING
    assert found["QEMU"].fix.endswith("apt-get install -y qemu-system-x86")
    assert found["accelerator"].state is State.MISSING


def test_an_old_emulator(bench: Bench) -> None:
    bench.program("qemu", QEMU.format(version="6.2.0"))
    need = bench.examine()["QEMU"]
    assert (need.state, need.value) == (State.MISSING, "6.2.0")
    assert "older than 7.0" in need.reason


def test_an_emulator_that_runs_nothing(bench: Bench) -> None:
    bench.program("qemu", "#!/bin/sh\necho QEMU emulator version 7.2.22\n")
    need = bench.examine()["QEMU"]
    assert need.state is State.MISSING
    assert "neither KVM nor TCG" in need.reason
    assert "apt-get install --reinstall" in need.fix


def test_vng_beside_this_python_comes_first(bench: Bench) -> None:
    bench.machine.bin.mkdir()
    beside = bench.machine.bin / "vng"
    beside.write_text("#!/bin/sh\necho virtme-ng 1.99\n")
    beside.chmod(0o755)
    assert bench.examine()["virtme-ng"].value == "1.99"
    beside.unlink()
    (bench.bin / "vng").unlink()
    need = bench.examine()["virtme-ng"]
    assert need.state is State.MISSING
    assert "-m pip install virtme-ng" in need.fix


def test_a_busybox_that_is_not_static(bench: Bench) -> None:
    (bench.bin / "busybox").write_bytes(elf(interpreter=True))
    need = bench.examine()["busybox"]
    assert need.state is State.MISSING
    assert need.fix.endswith("apt-get install -y busybox-static")


def test_static_is_read_from_the_program_headers(tmp_path: Path) -> None:
    program = tmp_path / "program"
    for data, static in (
        (elf(interpreter=False), True),
        (elf(interpreter=True), False),
        (elf(interpreter=False)[:70], False),
        (b"#!/bin/sh\n", False),
        (b"", False),
    ):
        program.write_bytes(data.ljust(64, b"\0") if data[:1] == b"#" else data)
        assert is_static(program) is static, data[:10]
    assert not is_static(Path("/bin/sh").resolve())


def test_headers_are_asked_of_the_compiler(bench: Bench) -> None:
    bench.program("gcc", GCC.format(libc="libc.a").replace("echo gelf.h;", ""))
    found = bench.examine()
    assert found["libelf headers"].state is State.MISSING
    assert found["libelf headers"].fix.endswith("apt-get install -y libelf-dev")
    assert found["openssl headers"].state is State.OK
    assert found["static libc"].state is State.MISSING
    assert found["32-bit static libc"].state is State.WARN
    assert found["32-bit static libc"].fix == needs.install("gcc-multilib")
    (bench.bin / "gcc").unlink()
    assert "no gcc" in bench.examine()["libelf headers"].reason


@pytest.mark.skipif(shutil.which("gcc") is None, reason="no gcc")
def test_the_real_compiler_finds_what_is_there_only(bench: Bench, tmp_path: Path) -> None:
    (bench.bin / "gcc").unlink()
    (bench.bin / "gcc").symlink_to(shutil.which("gcc") or "")
    found = bench.examine()
    for row in needs.HEADERS:
        there = any(Path("/usr/include").glob(f"**/{row.file}"))
        assert (found[row.name].state is State.OK) == there, row


@pytest.mark.parametrize(
    ("total", "free", "state"),
    [(8, 4, State.OK), (8, 2, State.WARN), (2, 1, State.MISSING)],
)
def test_memory(bench: Bench, total: int, free: int, state: State) -> None:
    bench.meminfo(total << 20, free << 20)
    assert bench.examine()["memory"].state is state


def test_a_cache_folder_need_not_exist_yet(tmp_path: Path) -> None:
    assert standing(tmp_path / "a" / "b") == tmp_path
    assert standing(tmp_path) == tmp_path
