# SPDX-License-Identifier: GPL-2.0-only
"""A machine made of a folder, for the doctor."""

from __future__ import annotations

import shutil
import struct
from pathlib import Path

from kzc.jobs import needs
from kzc.jobs.doctor import examine
from kzc.jobs.machine import Machine
from kzc.jobs.needs import Need
from tests.plain import RUNNER

QEMU = """#!/bin/sh
case "$*" in *--version*) echo 'QEMU emulator version {version}'; exit 0 ;; esac
for word; do case $word in file,id=probe,path=*) console=${{word#*path=}} ;; esac; done
printf '3kzc:\\000\\000\\000\\000\\200\\000\\020\\000\\004\\000\\000\\000' >"$console"
exit 85
"""
GCC = """#!/bin/sh
case "$*" in
*--version*) echo 'gcc (Debian 12.2.0-14+deb12u1) 12.2.0' ;;
*-print-file-name*) echo {libc} ;;
*-E*) echo gelf.h; echo openssl/opensslv.h; echo liburing.h ;;
esac
"""


def elf(interpreter: bool) -> bytes:
    header = bytearray(64)
    header[:5] = b"\x7fELF\x02"
    struct.pack_into("<Q", header, 32, 64)
    struct.pack_into("<HH", header, 54, 56, 2)
    return bytes(header) + b"".join(
        struct.pack("<I", kind).ljust(56, b"\0") for kind in (1, 3 if interpreter else 4)
    )


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
        self.program("gcc", GCC.format(libc="/usr/lib/libc.a"))
        self.program("vng", "#!/bin/sh\necho virtme-ng 1.42\n")
        self.program("qemu", QEMU.format(version="7.2.22"))
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
        found = examine("qemu", self.cache, RUNNER, self.machine)
        names = [need.name for need in found]
        assert len(set(names)) == len(names)
        return {need.name: need for need in found}
