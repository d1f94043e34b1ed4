# SPDX-License-Identifier: GPL-2.0-only
"""A context identifier (CID, vsock(7)) for a guest. CIDs are global to a host: nobody owns a range,
and the kernel refuses one that is taken (VHOST_VSOCK_SET_GUEST_CID gives EADDRINUSE).
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from kzc.errors import HostError
from kzc.hosts.host import Host

NODE = "/dev/vhost-vsock"
_LEAST = 1 << 16  # small ones are what people and other tools write into their command lines
_LAST = (1 << 31) - 1
_PATIENCE = 30
_TAKEN = "unable to set guest cid: Address already in use"


def random_cid() -> int:
    """A CID that is hardly taken; never one of the reserved ones (0, 1, 2, 2^32 - 1)."""
    return _LEAST + secrets.randbelow(_LAST - _LEAST)


def was_taken(qemu_log: str) -> bool:
    """Whether QEMU ended because its CID belongs to another guest."""
    return _TAKEN in qemu_log


@contextmanager
def held(host: Host, log: Path) -> Iterator[Callable[[], None]]:
    """Hold the lock on the host's vhost-vsock node, as others do while they choose a CID.

    Yields what lets go of it, which the end of the `with` block does too. Raises HostError when
    somebody else held it for half a minute.
    """
    command = ["flock", "-w", str(_PATIENCE), NODE, "sh", "-c", "echo held; exec sleep infinity"]
    start = log.stat().st_size if log.exists() else 0
    with host.runner.spawn(command, log=log) as child:
        end = time.monotonic() + _PATIENCE + 10
        while b"held" not in log.read_bytes()[start:]:
            if child.code is not None or time.monotonic() > end:
                raise HostError(
                    f"{host.name}: {NODE} is locked by another program for {_PATIENCE} s",
                    f"`fuser -v {NODE}` on {host.name} shows which",
                )
            time.sleep(0.05)
        yield child.stop
