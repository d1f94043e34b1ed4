# SPDX-License-Identifier: GPL-2.0-only
"""What a host is: a machine where QEMU and the host's end of a suite run.

Two forms, this machine (local.py) and one over SSH (ssh.py), and no caller needs to know which.
Whatever was started or copied there is gone when the `with` block of the host ends.
"""

from __future__ import annotations

import socket
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

from kzc.proc import Runner


class Listener(Protocol):
    """A Unix socket on a host that waits for one connection."""

    def fileno(self) -> int:
        """Readable as soon as somebody has connected (or the connection to the host is lost)."""
        ...

    def accept(self) -> socket.socket:
        """The connection, as a socket of this machine. Waits; raises HostError on a lost host."""
        ...


class Host(Protocol):
    """A machine, as the rooms above use it."""

    @property
    def name(self) -> str:
        """For messages: "this machine" or "root@lab:22"."""
        ...

    @property
    def runner(self) -> Runner:
        """Runs programs on that host."""
        ...

    @property
    def folder(self) -> Path:
        """A private folder on that host (mode 0700), gone when the host is closed."""
        ...

    @property
    def lag(self) -> float:
        """Seconds by which what a guest wrote to one channel may come behind what it wrote to
        another one later."""
        ...

    def scratch(self, name: str) -> AbstractContextManager[Path]:
        """A folder `name` in `folder`, for as long as the `with` block runs. Raises HostError."""
        ...

    def put(self, path: Path) -> Path:
        """The path, on the host, of a file with the contents and the x bit of `path`."""
        ...

    def get(self, remote: Path, local: Path) -> None:
        """Copy a file of the host to this machine; `local` is whole or not there."""
        ...

    def listen(self, path: Path) -> AbstractContextManager[Listener]:
        """A Unix socket at `path` on the host, on which to wait for one connection."""
        ...

    def free_port(self) -> int:
        """A TCP port of the host's loopback that nobody has. Raises HostError."""
        ...

    def alive(self, seconds: float = 10) -> bool:
        """True if the host answered a round trip within that time."""
        ...
