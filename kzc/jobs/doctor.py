# SPDX-License-Identifier: GPL-2.0-only
"""Examines this machine against what the main job needs (needs.py), one line per need.

A thing counts as there when it answered: programs are asked for their version, headers are looked
for by the compiler, the accelerator by a guest that ran. Nothing is changed on the machine.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from kzc.errors import HostError, describe_status, pip_install
from kzc.guest.accelerator import Accelerator, Cause, no_rights, probe
from kzc.jobs import needs
from kzc.jobs.machine import Device, Machine, is_static, memlock, standing
from kzc.jobs.needs import GIB, Need, State, as_root, install
from kzc.proc import Runner

_ASK_SECONDS = 10.0
# name, what it is to lack it, package, options of the compiler, why
_LIBCS = (
    ("static libc", State.MISSING, "libc6-dev", (), ": it is linked into the tests of mini guests"),
    (
        *("32-bit static libc", State.WARN, "gcc-multilib", ("-m32",)),
        " with -m32: tests of 32-bit callers are skipped",
    ),
)
_EMULATED = "topology nested has to emulate its second level"


def examine(
    qemu: str, cache: Path, runner: Runner, machine: Machine | None = None
) -> tuple[Need, ...]:
    """All needs in the order of the table. A lack is a value, not an error."""
    machine = machine or Machine()
    with ThreadPoolExecutor(1) as pool:  # a KVM that hangs costs seconds, the rest fits into them
        emulator = pool.submit(lambda: tuple(_emulator(qemu, cache, runner, machine)))
        others = (
            _virtme_ng(machine, runner),
            _busybox(machine, runner),
            *(_program(row, machine, runner) for row in needs.PROGRAMS),
            *_libraries(machine, runner),
            _disk(cache),
            _memory(machine),
            _optmem(machine),
            _memlock(),
            vhost_vsock(machine),
        )
        return (*emulator.result(), *others)


def exit_status(found: tuple[Need, ...]) -> int:
    """0 where the main job can run, 3 where it cannot."""
    return 3 if any(need.state is State.MISSING for need in found) else 0


def _emulator(qemu: str, cache: Path, runner: Runner, machine: Machine) -> Iterator[Need]:
    path = qemu if "/" in qemu else machine.find(qemu) or qemu
    try:
        found = probe(path, cache, runner, device=machine.dev / "kvm")
    except HostError as error:
        fix = as_root(error.hint) if error.hint.startswith("apt-get") else error.hint
        yield Need("QEMU", State.MISSING, reason=error.message, fix=fix)
        yield Need("accelerator", State.MISSING, reason="no guest could be started to prove one")
        return
    version = tuple(int(part) for part in found.qemu_version.split("."))
    enough = version >= needs.QEMU_LEAST
    least = ".".join(map(str, needs.QEMU_LEAST))
    yield Need(
        "QEMU",
        State.OK if enough else State.MISSING,
        found.qemu_version,
        found.qemu_path if enough else f"{found.qemu_path} is older than {least}",
        "" if enough else install("qemu-system-x86"),
    )
    yield accelerator(found, machine)
    yield guest_cpu(found)
    yield nested(found, machine)


def accelerator(found: Accelerator, machine: Machine) -> Need:
    """The line of the accelerator: TCG does the job, so it is a warning at most."""
    proven = f"{found.reason} (cached)" if found.cached else found.reason
    if found.kind == "kvm":
        return Need("accelerator", State.OK, "KVM", proven)
    module = machine.kvm_module()
    fixes = {
        Cause.ABSENT: as_root(f"modprobe {module}") if module else "",
        Cause.RIGHTS: _grant(machine.dev / "kvm"),
        Cause.UNSUPPORTED: install("qemu-system-x86"),
    }
    why = f"KVM is not used: {proven}"
    if found.cause is Cause.ABSENT and not module:
        why += ", and this CPU shows no virtualization (it may be off in firmware or hypervisor)"
    return Need("accelerator", State.WARN, "TCG", why, fixes.get(found.cause, ""))


def _grant(node: Path) -> str:
    """The command that lets this user open a device node."""
    try:
        for_group = node.group() == "kvm"
    except (OSError, KeyError):
        for_group = False
    return as_root("usermod -aG kvm $USER" if for_group else f"chown $USER {node}")


def guest_cpu(found: Accelerator) -> Need:
    """Without SMAP and SMEP a kernel that touches user memory directly goes unnoticed."""
    lack = [name.upper() for name in ("smap", "smep") if name not in found.features]
    value = ", ".join(name.upper() for name in ("smap", "smep") if name in found.features)
    if not lack:
        return Need("guest CPU", State.OK, value, "direct access to user memory is caught")
    reason = f"no {' and '.join(lack)} in guests: direct access to user memory goes unseen"
    return Need("guest CPU", State.WARN, value, reason)


def nested(found: Accelerator, machine: Machine) -> Need:
    """How topology nested runs its second level, as the CPU flags of a guest say.

    `found.nested` is true where guests see svm or vmx. Where they see none under KVM, the second
    level is emulated; emulation inside emulation takes minutes to boot.
    """
    flag = "svm" if "svm" in found.features else "vmx"
    if found.nested and found.kind == "kvm":
        reason = f"topology nested: guests have {flag.upper()}"
        return Need("nested guests", State.OK, "KVM", reason)
    if found.nested:
        reason = f"topology nested: TCG emulates {flag.upper()}, three to four times slower"
        return Need("nested guests", State.OK, "TCG", reason)
    module = machine.kvm_module()
    if found.kind == "kvm" and module:
        fix = as_root(f"sh -c 'modprobe -r {module} && modprobe {module} nested=1'")
        reason = f"{module} hides virtualization from guests: {_EMULATED}"
        return Need("nested guests", State.WARN, "TCG", reason, fix)
    if found.kind == "kvm":
        reason = f"guests see no virtualization: {_EMULATED}"
        return Need("nested guests", State.WARN, "TCG", reason)
    reason = "guests see no virtualization: topology nested is too slow; loopback works"
    return Need("nested guests", State.WARN, "no", reason)


def _virtme_ng(machine: Machine, runner: Runner) -> Need:
    fix = pip_install("virtme-ng")
    path = machine.find_beside("vng")
    if path is None:
        reason = "`vng` was not found: it starts guests with this machine's root file system"
        return Need("virtme-ng", State.MISSING, reason=reason, fix=fix)
    version, trouble = _ask(runner, [path, "--version"])
    if trouble:
        return Need("virtme-ng", State.MISSING, reason=trouble, fix=fix)
    return Need("virtme-ng", State.OK, version, path)


def _busybox(machine: Machine, runner: Runner) -> Need:
    name, fix = "busybox", install("busybox-static")
    path = machine.find("busybox")
    if path is None:
        reason = "not found: it is the user space of mini guests"
        return Need(name, State.MISSING, reason=reason, fix=fix)
    try:
        static = is_static(Path(path))
    except OSError as error:
        reason = f"{path} cannot be read: {error.strerror}"
        return Need(name, State.MISSING, reason=reason, fix=fix)
    version, trouble = _ask(runner, [path])
    if static and not trouble:
        return Need(name, State.OK, version, f"{path}, static")
    reason = trouble or f"{path} is not static: a mini guest has no libraries for it"
    return Need(name, State.MISSING, version, reason, fix)


def _program(row: needs.Program, machine: Machine, runner: Runner) -> Need:
    path = machine.find(row.name)
    if path is None:
        reason = f"not found: {row.what_for}"
        return Need(row.name, row.lack, reason=reason, fix=install(row.package))
    version, trouble = _ask(runner, [path, *row.version], row.status)
    if trouble:
        fix = install(f"--reinstall {row.package}")
        return Need(row.name, row.lack, reason=trouble, fix=fix)
    return Need(row.name, State.OK, version, path)


def _ask(runner: Runner, argv: list[str], status: int = 0) -> tuple[str, str]:
    """The version a program says, and what went wrong (one of them is empty)."""
    try:
        done = runner.capture(argv, timeout=_ASK_SECONDS, check=False)
    except HostError as error:
        return "", error.message
    if done.code != status:
        return "", f"`{' '.join(argv)}` ended with {describe_status(done.code)}"
    lines = (done.stdout.strip() or done.stderr.strip()).splitlines()
    # a number with a dot; gcc, ip, sshd and others put names and dates around it
    numbers = re.findall(r"(?:\b|_)[vV]?(\d+(?:\.\d+)+)", lines[0]) if lines else []
    whole = re.search(r"\d+", lines[0]) if lines else None
    return (numbers[0] if numbers else whole[0] if whole else "?"), ""


def _libraries(machine: Machine, runner: Runner) -> Iterator[Need]:
    compiler = machine.find("gcc")
    there = _included(compiler, runner) if compiler else set()
    lost = "not found" if compiler else "not looked for, as there is no gcc"
    for row in needs.HEADERS:
        found = row.file in there
        yield Need(
            row.name,
            State.OK if found else row.lack,
            row.file if found else "",
            "" if found else f"{row.file} {lost}: {row.what_for}",
            "" if found else install(row.package),
        )
    for name, lack, package, options, what_for in _LIBCS:
        archive = _static_libc(compiler, runner, *options) if compiler else ""
        yield Need(
            name,
            State.OK if archive else lack,
            Path(archive).name,
            archive or f"libc.a {lost}{what_for}",
            "" if archive else install(package),
        )


def _included(compiler: str, runner: Runner) -> set[str]:
    """Those files of needs.HEADERS that the compiler finds, all asked for in one run."""
    lines = [f"#if __has_include(<{row.file}>)\n{row.file}\n#endif\n" for row in needs.HEADERS]
    source = "".join(lines).encode()
    argv = [compiler, "-E", "-P", "-x", "c", "-"]
    done = runner.capture(argv, stdin=source, timeout=_ASK_SECONDS, check=False)
    return set(done.stdout.split())


def _static_libc(compiler: str, runner: Runner, *flags: str) -> str:
    argv = [compiler, *flags, "-print-file-name=libc.a"]
    path = runner.capture(argv, timeout=_ASK_SECONDS, check=False).stdout.strip()
    return path if "/" in path else ""  # gcc repeats the bare name of what it does not find


def _disk(cache: Path) -> Need:
    folder = standing(cache)
    if not os.access(folder, os.W_OK | os.X_OK):
        reason = f"{folder} cannot be written, and the cache {cache} is to be in it"
        return Need("disk space", State.MISSING, "", reason)
    free = shutil.disk_usage(folder).free
    value = f"{free / GIB:.1f} GiB"
    if free >= needs.DISK_ENOUGH:
        return Need("disk space", State.OK, value, f"free for {cache}")
    least = free < needs.DISK_LEAST
    want = needs.DISK_LEAST if least else needs.DISK_ENOUGH
    reason = f"free for {cache}; wanted are {want // GIB} GiB"
    return Need("disk space", State.MISSING if least else State.WARN, value, reason, "kzc clean")


def _memory(machine: Machine) -> Need:
    total, free = machine.memory()
    value, want = f"{total / GIB:.1f} GiB", needs.MEMORY_ENOUGH / GIB
    if total < needs.MEMORY_ENOUGH:
        return Need("memory", State.MISSING, value, f"wanted are {want:.0f} GiB")
    if free < needs.MEMORY_ENOUGH:
        reason = f"only {free / GIB:.1f} GiB of it available, wanted are {want:.0f}"
        return Need("memory", State.WARN, value, reason)
    return Need("memory", State.OK, value, f"{free / GIB:.1f} GiB available")


def _optmem(machine: Machine) -> Need:
    size = machine.optmem_max()
    reason = "suites set it in guests; this is for tests run on the machine itself"
    return Need("optmem_max", State.OK, "?" if size is None else str(size), reason)


def _memlock() -> Need:
    limit = memlock()
    value = "unlimited" if limit is None else f"{limit >> 10} KiB"
    return Need("RLIMIT_MEMLOCK", State.OK, value, "limits what tests on the machine may pin")


def vhost_vsock(machine: Machine) -> Need:
    """The node that topology pair needs without `--host`; loopback and nested do without."""
    node = machine.dev / "vhost-vsock"
    state = machine.vhost_vsock()
    if state is Device.USABLE:
        return Need("vhost-vsock", State.OK, str(node), "topology pair can use this machine")
    owner = node.stat().st_gid if state is Device.NO_RIGHTS else 0
    reasons = {
        Device.ABSENT: f"there is no {node}",
        Device.NO_RIGHTS: no_rights(node, owner),
        Device.BUSY: f"{node} is in use: a guest is being started, or another driver has vsock",
    }
    fixes = {
        Device.ABSENT: as_root("modprobe vhost_vsock"),
        Device.NO_RIGHTS: _grant(node),
        Device.BUSY: as_root(f"fuser -v {node}"),
    }
    reason = f"{reasons[state]}; only topology pair on this machine needs it"
    return Need("vhost-vsock", State.WARN, state.value, reason, fixes[state])
