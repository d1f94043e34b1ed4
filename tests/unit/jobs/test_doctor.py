# SPDX-License-Identifier: GPL-2.0-only
"""The doctor on machines made of folders: with everything, with one thing taken away."""

from __future__ import annotations

import fcntl
import io
import json
import shutil
import struct
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from rich.console import Console

from kzc.cli.doctor import run_doctor, show
from kzc.guest.accelerator import Accelerator, Cause
from kzc.jobs import needs
from kzc.jobs.doctor import accelerator, examine, exit_status, guest_cpu, nested, vhost_vsock
from kzc.jobs.machine import Device, Machine, is_static, standing
from kzc.jobs.needs import Need, State
from kzc.proc import LocalRunner

_QEMU = """#!/bin/sh
case "$*" in *--version*) echo 'QEMU emulator version {version}'; exit 0 ;; esac
for word; do case $word in file,id=probe,path=*) console=${{word#*path=}} ;; esac; done
printf '3kzc:\\000\\000\\000\\000\\200\\000\\020\\000\\004\\000\\000\\000' >"$console"
exit 85
"""
_GCC = """#!/bin/sh
case "$*" in
*--version*) echo 'gcc (Debian 12.2.0-14+deb12u1) 12.2.0' ;;
*-print-file-name*) echo {libc} ;;
*-E*) echo gelf.h; echo openssl/opensslv.h; echo liburing.h ;;
esac
"""


def _elf(interpreter: bool) -> bytes:
    header = bytearray(64)
    header[:5] = b"\x7fELF\x02"
    struct.pack_into("<Q", header, 32, 64)
    struct.pack_into("<HH", header, 54, 56, 2)
    return bytes(header) + b"".join(
        struct.pack("<I", kind).ljust(56, b"\0") for kind in (1, 3 if interpreter else 4)
    )


@dataclass(frozen=True)
class _Settings:
    cache: Path
    qemu: str


class Bench:
    """A machine that lacks nothing but KVM, in a folder; tests take things away."""

    def __init__(self, folder: Path) -> None:
        self.bin = folder / "bin"
        self.cache = folder / "cache"
        self.machine = Machine(
            path=str(self.bin),
            bin=folder / "venv",
            proc=folder / "proc",
            dev=folder / "dev",
            sys=folder / "sys",
        )
        for made in (self.bin, folder / "dev", folder / "proc" / "sys/net/core"):
            made.mkdir(parents=True)
        (folder / "dev" / "vhost-vsock").touch()
        (folder / "proc" / "sys/net/core/optmem_max").write_text("131072\n")
        self.meminfo(8 << 20, 6 << 20)
        for row in needs.PROGRAMS:
            self.program(row.name, f"#!/bin/sh\necho {row.name} version 1.2.3\nexit {row.status}\n")
        self.program("gcc", _GCC.format(libc="/usr/lib/libc.a"))
        self.program("vng", "#!/bin/sh\necho virtme-ng 1.42\n")
        self.program("qemu", _QEMU.format(version="7.2.22"))
        # what counts is the file, so the real one where it is there
        shutil.copy(shutil.which("busybox") or "/bin/true", self.bin / "busybox")

    def program(self, name: str, text: str) -> None:
        path = self.bin / name
        path.unlink(missing_ok=True)
        path.write_text(text)
        path.chmod(0o755)

    def meminfo(self, total: int, free: int) -> None:
        text = f"MemTotal: {total} kB\nMemAvailable: {free} kB\nHugePages_Total: 0\n"
        (self.machine.proc / "meminfo").write_text(text)

    def examine(self) -> dict[str, Need]:
        found = examine("qemu", self.cache, LocalRunner(), self.machine)
        names = [need.name for need in found]
        assert len(set(names)) == len(names)
        return {need.name: need for need in found}


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


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
    bench.program("qemu", _QEMU.format(version="6.2.0"))
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
    (bench.bin / "busybox").write_bytes(_elf(interpreter=True))
    need = bench.examine()["busybox"]
    assert need.state is State.MISSING
    assert need.fix.endswith("apt-get install -y busybox-static")


def test_static_is_read_from_the_program_headers(tmp_path: Path) -> None:
    program = tmp_path / "program"
    for data, static in (
        (_elf(interpreter=False), True),
        (_elf(interpreter=True), False),
        (_elf(interpreter=False)[:70], False),
        (b"#!/bin/sh\n", False),
        (b"", False),
    ):
        program.write_bytes(data.ljust(64, b"\0") if data[:1] == b"#" else data)
        assert is_static(program) is static, data[:10]
    assert not is_static(Path("/bin/sh").resolve())


def test_headers_are_asked_of_the_compiler(bench: Bench) -> None:
    bench.program("gcc", _GCC.format(libc="libc.a").replace("echo gelf.h;", ""))
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


def test_vhost_vsock_is_busy_while_its_lock_is_held(bench: Bench) -> None:
    node = bench.machine.dev / "vhost-vsock"
    assert vhost_vsock(bench.machine).state is State.OK
    with node.open() as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        busy = vhost_vsock(bench.machine)
    assert (busy.state, busy.value) == (State.WARN, "busy")
    assert bench.machine.vhost_vsock() is Device.USABLE  # the doctor holds nothing afterwards
    node.unlink()
    absent = vhost_vsock(bench.machine)
    assert (absent.state, absent.value) == (State.WARN, "absent")
    assert absent.fix.endswith("modprobe vhost_vsock")


_TCG = Accelerator(
    "tcg", "there is no /dev/kvm", "7.2", "qemu", 0.1, False, Cause.ABSENT, ("smap", "smep", "svm")
)
_KVM = Accelerator("kvm", "a guest ran", "7.2", "qemu", 0.1, False, Cause.NONE, ("smap", "smep"))


def test_the_accelerators_line(bench: Bench) -> None:
    (bench.machine.proc / "cpuinfo").write_text("flags : fpu vmx smap\n")
    assert accelerator(_KVM, bench.machine).state is State.OK
    absent = accelerator(_TCG, bench.machine)
    assert (absent.state, absent.value) == (State.WARN, "TCG")
    assert absent.fix.endswith("modprobe kvm_intel")
    rights = replace(_TCG, cause=Cause.RIGHTS, reason="no rights")
    assert accelerator(rights, bench.machine).fix.endswith("chown $USER " + str(_node(bench)))
    assert accelerator(replace(_TCG, cause=Cause.SILENT), bench.machine).fix == ""


def _node(bench: Bench) -> Path:
    return bench.machine.dev / "kvm"


def test_nested_guests(bench: Bench) -> None:
    assert nested(_TCG, bench.machine).state is State.OK
    assert nested(replace(_KVM, features=("vmx",)), bench.machine).value == "KVM"
    (bench.machine.sys / "module" / "kvm_amd").mkdir(parents=True)
    hidden = nested(_KVM, bench.machine)
    assert (hidden.state, hidden.value) == (State.WARN, "TCG")
    assert "modprobe kvm_amd nested=1" in hidden.fix
    unseen = nested(replace(_TCG, features=("smap", "smep")), bench.machine)
    assert (unseen.state, unseen.value) == (State.WARN, "no")


def test_nested_guests_under_a_kvm_that_has_no_module(bench: Bench) -> None:
    need = nested(_KVM, bench.machine)
    assert (need.state, need.value, need.fix) == (State.WARN, "TCG", "")


def test_a_cpu_without_smap_is_said() -> None:
    assert guest_cpu(_KVM).state is State.OK
    lacking = guest_cpu(replace(_KVM, features=("smep",)))
    assert (lacking.state, lacking.value) == (State.WARN, "SMEP")
    assert "no SMAP" in lacking.reason


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
