# SPDX-License-Identifier: GPL-2.0-only
"""Two network namespaces, a veth pair between them, and the ways that a migration can take."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from qemu_migration import tools
from qemu_migration.errors import Failed, Skipped

SOURCE, DESTINATION = "kzc-source", "kzc-destination"
PORT = 4444


@dataclass(frozen=True)
class Way:
    """From the namespace SOURCE to `namespace`, where the destination listens on `address`."""

    name: str
    ip: int
    namespace: str
    address: str

    @property
    def listens(self) -> dict[str, str]:
        """The destination's address as QMP has it (SocketAddress)."""
        return {"type": "inet", "host": self.address, "port": str(PORT)}

    @property
    def uri(self) -> str:
        """The destination's address as a migration's."""
        host = f"[{self.address}]" if self.ip == 6 else self.address
        return f"tcp:{host}:{PORT}"


WAYS = {
    way.name: way
    for way in (
        Way("veth4", 4, DESTINATION, "192.0.2.2"),
        Way("veth6", 6, DESTINATION, "2001:db8::2"),
        Way("loopback4", 4, SOURCE, "127.0.0.1"),
        Way("loopback6", 6, SOURCE, "::1"),
    )
}


@contextmanager
def namespaces() -> Iterator[None]:
    """Both namespaces, connected; they are removed behind it, and before, if somebody died."""
    _remove()
    try:
        for name in (SOURCE, DESTINATION):
            tools.run("ip", "netns", "add", name)
            tools.run("ip", "-n", name, "link", "set", "lo", "up")
        tools.run(
            "ip",
            "-n",
            SOURCE,
            "link",
            "add",
            "veth0",
            "type",
            "veth",
            "peer",
            "name",
            "veth0",
            "netns",
            DESTINATION,
        )
        for number, name in enumerate((SOURCE, DESTINATION), 1):
            tools.run("ip", "-n", name, "link", "set", "veth0", "up")
            tools.run("ip", "-n", name, "address", "add", f"192.0.2.{number}/24", "dev", "veth0")
            if socket.has_ipv6 and has_ipv6():
                address = f"2001:db8::{number}/64"
                tools.run("ip", "-n", name, "address", "add", address, "dev", "veth0", "nodad")
        yield
    finally:
        _remove()


def has_ipv6() -> bool:
    """Whether the kernel has IPv6."""
    return Path("/proc/net/if_inet6").exists()


def require(way: Way) -> None:
    """Raises Skipped where the kernel has no such way."""
    if way.ip == 6 and not has_ipv6():
        raise Skipped("this kernel has no IPv6")


def _remove() -> None:
    for name in (SOURCE, DESTINATION):
        if Path("/run/netns", name).exists():
            with suppress(Failed):
                tools.run("ip", "netns", "delete", name)
