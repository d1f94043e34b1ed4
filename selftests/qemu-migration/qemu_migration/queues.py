# SPDX-License-Identifier: GPL-2.0-only
"""What lies in the sockets of a migration: proc_net_tcp.rst, of a process's network namespace."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_LISTENS = "0A"


@dataclass(frozen=True)
class Queues:
    """Bytes that the source has sent and nobody has acknowledged, and that the destination has
    and did not read."""

    sent: int
    unread: int


def queues(source: int, destination: int, port: int) -> Queues | None:
    """Between two processes, the second of which listens on `port`; None if one is gone."""
    with suppress(OSError):
        return Queues(to_port(_sockets(source), port), from_port(_sockets(destination), port))
    return None


def to_port(text: str, port: int) -> int:
    """What is not acknowledged of those sockets whose peer has the port."""
    return sum(row[2] for row in _rows(text) if row[1] == port)


def from_port(text: str, port: int) -> int:
    """What is not read of those sockets that have the port."""
    return sum(row[3] for row in _rows(text) if row[0] == port)


def _rows(text: str) -> list[tuple[int, int, int, int]]:
    found = []
    for line in text.splitlines():
        words = line.split()
        if len(words) < 5 or words[0] == "sl" or words[3] == _LISTENS:
            continue
        near, far = (int(address.rpartition(":")[2], 16) for address in words[1:3])
        sent, unread = (int(number, 16) for number in words[4].split(":"))
        found.append((near, far, sent, unread))
    return found


def _sockets(pid: int) -> str:
    return "".join(Path(f"/proc/{pid}/net/{name}").read_text() for name in ("tcp", "tcp6"))
