# SPDX-License-Identifier: GPL-2.0-only
"""What this machine has, read from its files and limits: values only, no judgement.

The folders are fields of `Machine`, so that another one can be looked at.
"""

from __future__ import annotations

import fcntl
import os
import resource
import shutil
import struct
import sys
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

_ELF_INTERPRETER = 3


class Device(StrEnum):
    """What became of opening a device node."""

    USABLE = "usable"
    ABSENT = "absent"
    NO_RIGHTS = "no rights"
    BUSY = "busy"


def _search_path() -> str:
    """The PATH with the sbin folders, which Debian's users do not have in theirs."""
    return os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"))


@dataclass(frozen=True)
class Machine:
    """Where to look: `path` is searched for programs, `bin` for those installed with kzc."""

    path: str = field(default_factory=_search_path)
    bin: Path = field(default_factory=lambda: Path(sys.executable).parent)
    proc: Path = Path("/proc")
    dev: Path = Path("/dev")
    sys: Path = Path("/sys")

    def find(self, program: str) -> str | None:
        """The program's path."""
        return shutil.which(program, path=self.path)

    def find_beside(self, program: str) -> str | None:
        """The same for what is installed with kzc."""
        return shutil.which(program, path=str(self.bin)) or self.find(program)

    def memory(self) -> tuple[int, int]:
        """Bytes in all and bytes available."""
        words = (line.split() for line in (self.proc / "meminfo").read_text().splitlines())
        sizes = {word[0].rstrip(":"): int(word[1]) * 1024 for word in words if len(word) > 1}
        return sizes.get("MemTotal", 0), sizes.get("MemAvailable", 0)

    def optmem_max(self) -> int | None:
        """Bytes that one socket may use for control messages and notifications."""
        try:
            return int((self.proc / "sys/net/core/optmem_max").read_text())
        except (OSError, ValueError):
            return None

    def vhost_vsock(self) -> Device:
        """Open the node, and see whether somebody holds its lock while starting a guest."""
        try:
            node = os.open(self.dev / "vhost-vsock", os.O_RDWR | os.O_CLOEXEC | os.O_NONBLOCK)
        except FileNotFoundError:
            return Device.ABSENT
        except PermissionError:
            return Device.NO_RIGHTS
        except OSError:  # the node is there, the driver behind it does not answer
            return Device.BUSY
        try:
            fcntl.flock(node, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return Device.BUSY
        finally:
            os.close(node)
        return Device.USABLE

    def kvm_module(self) -> str:
        """kvm_intel or kvm_amd, as loaded, else as the CPU's flags want it, else empty."""
        for name in ("kvm_intel", "kvm_amd"):
            if (self.sys / "module" / name).is_dir():
                return name
        try:
            words = set((self.proc / "cpuinfo").read_text().split())
        except OSError:
            return ""
        return "kvm_intel" if "vmx" in words else "kvm_amd" if "svm" in words else ""


def memlock() -> int | None:
    """Bytes that this user may lock in memory, None for no limit."""
    soft, _ = resource.getrlimit(resource.RLIMIT_MEMLOCK)
    return None if soft == resource.RLIM_INFINITY else soft


def standing(folder: Path) -> Path:
    """The folder itself or the nearest one above it that exists."""
    return next(path for path in (folder, *folder.absolute().parents) if path.is_dir())


def is_static(program: Path) -> bool:
    """Whether a 64-bit ELF program asks for no interpreter; False for anything else.

    Raises OSError.
    """
    data = program.read_bytes()
    if data[:5] != b"\x7fELF\x02" or len(data) < 64:
        return False
    (table,) = struct.unpack_from("<Q", data, 32)
    size, count = struct.unpack_from("<HH", data, 54)
    if size < 4 or not count or table + size * count > len(data):
        return False
    entries = range(table, table + size * count, size)
    return all(struct.unpack_from("<I", data, at)[0] != _ELF_INTERPRETER for at in entries)
