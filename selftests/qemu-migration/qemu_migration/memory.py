# SPDX-License-Identifier: GPL-2.0-only
"""A migrated guest's memory: a file of the kernel's own tmpfs (memfd_create(2)), by descriptor.

QEMU maps it shared, so it can be read and compared from outside. When QEMU is gone, F_SEAL_WRITE
tells whether any page of it is still in use by somebody, such as an skb.
"""

from __future__ import annotations

import errno
import fcntl
import os
import time

_STEP = 8 << 20


class Memory:
    """`size` bytes that belong to one QEMU; `fd` is inherited by it."""

    def __init__(self, name: str, size: int, content: bytes = b"") -> None:
        self.size = size
        self.fd = os.memfd_create(name, os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        os.ftruncate(self.fd, size)
        if content:
            self.write(content)

    def read(self) -> bytes:
        """All of it, as it is now."""
        return b"".join(
            os.pread(self.fd, min(_STEP, self.size - at), at) for at in range(0, self.size, _STEP)
        )

    def write(self, content: bytes, at: int = 0) -> None:
        """Write behind QEMU's back: it does not take the pages for dirty."""
        with memoryview(content) as rest:
            done = 0
            while done < len(rest):
                done += os.pwrite(self.fd, rest[done : done + _STEP], at + done)

    def in_use(self, patience: float) -> bool:
        """Whether pages are in use after `patience` seconds; nobody may have it mapped any more,
        and nobody can write to it afterwards."""
        end = time.monotonic() + patience
        while True:
            try:
                fcntl.fcntl(self.fd, fcntl.F_ADD_SEALS, fcntl.F_SEAL_WRITE)
            except OSError as error:
                if error.errno != errno.EBUSY:
                    raise
            else:
                return False
            if time.monotonic() >= end:
                return True
            time.sleep(0.1)

    def close(self) -> None:
        os.close(self.fd)
