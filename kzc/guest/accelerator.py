# SPDX-License-Identifier: GPL-2.0-only
"""Which accelerator guests run with. KVM is proven by a guest that ran.

That /dev/kvm opens, or even creates a virtual CPU, proves nothing. So a tiny guest (payload.py)
is started with KVM; if it does not come through, the same guest has to come through with TCG, or
QEMU itself is broken. The answer is kept under the cache, by QEMU binary and running kernel.
"""

from __future__ import annotations

import grp
import hashlib
import json
import os
import platform
import re
import shutil
import tempfile
import time
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Literal

from kzc.errors import HostError, describe_status
from kzc.guest import payload
from kzc.hosts.host import Host
from kzc.proc import Runner

KVM_SECONDS = 2.0  # the guest takes 0.2 s, even under TCG
TCG_SECONDS = 15.0
REMOTE_SECONDS = 30.0  # a host may itself be emulated
_CPU = {"kvm": "host", "tcg": "max"}
_KEEP_REFUSAL = 24 * 3600.0  # seconds: what keeps KVM from working may be gone tomorrow


class Cause(StrEnum):
    """Why KVM is not used; NONE where it is."""

    NONE = ""
    ABSENT = "absent"
    RIGHTS = "rights"
    UNSUPPORTED = "unsupported"
    ABORTED = "aborted"
    BUSY = "busy"
    SILENT = "silent"


@dataclass(frozen=True)
class Accelerator:
    """What guests run with, and why. `features` are those of vmx, svm, smep, smap a guest saw."""

    kind: Literal["kvm", "tcg"]
    reason: str
    qemu_version: str
    qemu_path: str
    seconds: float
    cached: bool = False
    cause: Cause = Cause.NONE
    features: tuple[str, ...] = ()

    @property
    def nested(self) -> bool:
        """Whether a guest can itself run guests with KVM."""
        return "vmx" in self.features or "svm" in self.features


@dataclass(frozen=True)
class _Attempt:
    report: payload.Report
    cause: Cause
    reason: str


def probe(
    qemu: str,
    cache: Path,
    runner: Runner,
    *,
    device: Path = Path("/dev/kvm"),
    kvm_seconds: float = KVM_SECONDS,
    fresh: bool = False,
) -> Accelerator:
    """Prove an accelerator, or read from `cache` what was proven; `fresh` proves it again.

    KVM is given up after `kvm_seconds`.

    Raises HostError when QEMU is missing, or does not run the guest even with TCG, or when the
    cache cannot be written.
    """
    path = shutil.which(qemu)
    if path is None:
        raise HostError(
            f"the emulator `{qemu}` was not found", "apt-get install -y qemu-system-x86"
        )
    folder = cache / "probe"
    record = folder / f"{_key(Path(path), device)}.json"
    known = None if fresh else _recall(record)
    if known is not None:
        return known
    begin = time.monotonic()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        found = _prove(path, folder, runner, device, kvm_seconds)
        found = replace(found, seconds=round(time.monotonic() - begin, 3))
        if found.cause is not Cause.BUSY:
            _remember(record, found)
    except OSError as error:
        raise HostError(
            f"the cache {folder} cannot be used: {error.strerror}",
            "name another with `cache` in kzc.toml or KZC_CACHE",
        ) from None
    return found


def argv(qemu: str, accel: str, image: Path, console: Path) -> tuple[str, ...]:
    """QEMU with the probe's guest, its debug console going to a file."""
    return (
        *(qemu, "-machine", "pc", "-accel", accel, "-cpu", _CPU[accel], "-m", "64M"),
        *("-nodefaults", "-no-user-config", "-no-reboot", "-display", "none"),
        *("-kernel", str(image)),
        *("-chardev", f"file,id=probe,path={console}"),
        *("-device", f"isa-debugcon,iobase={payload.DEBUG_PORT:#x},chardev=probe"),
        *("-device", f"isa-debug-exit,iobase={payload.EXIT_PORT:#x},iosize=4"),
    )


def _prove(
    qemu: str, folder: Path, runner: Runner, device: Path, kvm_seconds: float
) -> Accelerator:
    version = _version(qemu, runner)
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        image = Path(scratch) / "image"
        image.write_bytes(payload.image())
        refusal = _refusal(device)
        kvm = refusal or _attempt(qemu, "kvm", image, runner, kvm_seconds)
        if kvm.report.complete:
            return Accelerator("kvm", kvm.reason, version, qemu, 0.0, features=kvm.report.features)
        tcg = _attempt(qemu, "tcg", image, runner, TCG_SECONDS)
    if not tcg.report.complete:
        raise HostError(
            f"{qemu} runs no guest, with neither KVM nor TCG: {tcg.reason}",
            "apt-get install --reinstall -y qemu-system-x86 qemu-system-data seabios",
        )
    return Accelerator(
        "tcg", kvm.reason, version, qemu, 0.0, cause=kvm.cause, features=tcg.report.features
    )


def _version(qemu: str, runner: Runner) -> str:
    done = runner.capture([qemu, "--version"], timeout=10, check=False)
    match = re.search(r"\bversion (\d+(?:\.\d+)+)", done.stdout)
    if done.code or match is None:
        text = (done.stderr or done.stdout).strip().splitlines()
        raise HostError(
            f"`{qemu} --version` gives no version: "
            + (text[-1] if text else describe_status(done.code)),
            "apt-get install --reinstall -y qemu-system-x86",
        )
    return match[1]


def _refusal(device: Path) -> _Attempt | None:
    """What speaks against KVM before anything was started, None where nothing does."""
    nothing = payload.Report(False, False)
    try:
        owner = device.stat().st_gid
    except OSError:
        return _Attempt(nothing, Cause.ABSENT, f"there is no {device}")
    if os.access(device, os.R_OK | os.W_OK):
        return None
    return _Attempt(nothing, Cause.RIGHTS, no_rights(device, owner))


def no_rights(device: Path, owner: int) -> str:
    """Words for a device node that this user may not open; `owner` is its group's number."""
    try:
        group = grp.getgrgid(owner).gr_name
    except KeyError:
        group = str(owner)
    return f"no rights on {device}: it belongs to the group {group}"


def _attempt(qemu: str, accel: str, image: Path, runner: Runner, limit: float) -> _Attempt:
    console = image.with_name(f"console.{accel}")
    begin = time.monotonic()
    try:
        done = runner.capture(argv(qemu, accel, image, console), timeout=limit, check=False)
    except HostError:  # not CommandFailed, as nothing is checked: the time was up
        report = payload.decode(_read(console))
        where = "stopped before 64-bit mode" if report.started else "did not get past its firmware"
        reason = f"a guest was started with {accel.upper()}, but in {limit:g} s it {where}"
        return _Attempt(replace(report, complete=False), Cause.SILENT, reason)
    report = payload.decode(_read(console))
    if report.complete and done.code == payload.EXIT_STATUS:
        seconds = time.monotonic() - begin
        return _Attempt(report, Cause.NONE, f"a guest reached 64-bit mode in {seconds:.1f} s")
    cause, reason = explain(accel, done.code, done.stderr)
    return _Attempt(replace(report, complete=False), cause, reason)


def explain(accel: str, code: int, stderr: str) -> tuple[Cause, str]:
    """The cause and the words for a QEMU that ended, by its exit status and its messages."""
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    message = re.sub(r"^\S*qemu-\S+: ", "", lines[0]) if lines else "no message"
    if "invalid accelerator" in stderr:
        return Cause.UNSUPPORTED, f"this QEMU was built without {accel.upper()}"
    busy = "resource busy" in stderr.lower()
    return (
        Cause.BUSY if busy else Cause.ABORTED,
        f"QEMU ended with {describe_status(code)} when started with {accel.upper()}: {message}",
    )


def _read(console: Path) -> bytes:
    return console.read_bytes() if console.exists() else b""


def _key(qemu: Path, device: Path) -> str:
    """Names the question: QEMU's binary, the running kernel (and boot), what /dev/kvm is to us."""
    stat = qemu.resolve().stat()
    boot = Path("/proc/sys/kernel/random/boot_id")
    parts = (
        *(str(qemu.resolve()), str(stat.st_size), str(stat.st_mtime_ns)),
        *(platform.release(), platform.version(), boot.read_text() if boot.exists() else ""),
        *(str(device), str(device.exists()), str(os.access(device, os.R_OK | os.W_OK))),
        hashlib.sha256(payload.image()).hexdigest(),
    )
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:24]


def _remember(record: Path, found: Accelerator) -> None:
    with tempfile.NamedTemporaryFile("w", dir=record.parent, delete=False) as file:
        json.dump({**asdict(found), "at": time.time()}, file)
    os.replace(file.name, record)


def _recall(record: Path) -> Accelerator | None:
    """What was proven before; None where nothing was, or it is torn, or a refusal is old."""
    try:
        data = json.loads(record.read_text())
        age = time.time() - data.pop("at")
        cause = Cause(data.pop("cause"))
        features = tuple(data.pop("features"))
        found = Accelerator(**{**data, "cached": True}, cause=cause, features=features)
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None
    stale = cause is not Cause.NONE and not 0 <= age < _KEEP_REFUSAL
    return None if stale else found


def kvm_runs_on(host: Host, qemu: str, cpu: str) -> tuple[bool, str]:
    """Whether the probe's guest comes through on a host, and words on how it went."""
    console = host.folder / "console.kvm"
    with tempfile.TemporaryDirectory(prefix="kzc-") as scratch:
        image = Path(scratch) / "image"
        image.write_bytes(payload.image())
        line = list(argv(qemu, "kvm", host.put(image), console))
        line[line.index("-cpu") + 1] = cpu
        try:
            done = host.runner.capture(line, timeout=REMOTE_SECONDS, check=False)
        except HostError:
            return False, f"no guest came through with KVM in {REMOTE_SECONDS:g} s"
    report = host.runner.capture(["cat", str(console)], check=False).raw
    if payload.decode(report).complete and done.code == payload.EXIT_STATUS:
        return True, f"a guest reached 64-bit mode in {done.seconds:.1f} s"
    return False, explain("kvm", done.code, done.stderr)[1]
