# SPDX-License-Identifier: GPL-2.0-only
"""Writes to a guest's memory as one of its devices would, so that the pages are dirty.

By qtest, QEMU's own protocol for tests (docs/devel/testing/qtest.rst): a line with a command, a
line with OK. Nothing in the guest has to run for it.
"""

from __future__ import annotations

import base64
import socket

from qemu_migration.monitor import Gone


class Writer:
    """One connection. `patience` is how many seconds an answer may take."""

    def __init__(self, connected: socket.socket, patience: float) -> None:
        self._socket = connected
        connected.settimeout(patience)

    def write(self, address: int, content: bytes) -> None:
        """Returns when it is written. Raises Gone."""
        text = base64.b64encode(content).decode()
        try:
            self._socket.sendall(f"b64write {address:#x} {len(content):#x} {text}\n".encode())
            self._answer()
        except OSError as error:
            raise Gone(f"QEMU took no writes any more: {error}") from None

    def _answer(self) -> None:
        got = b""
        while not got.endswith(b"\n"):
            more = self._socket.recv(4096)
            if not more:
                raise OSError("it hung up")
            got += more
        if got.split()[0] != b"OK":
            raise OSError(f"it said {got.decode(errors='replace').strip()!r}")
