# SPDX-License-Identifier: GPL-2.0-only
"""QEMU's monitor (QMP) as far as kzc needs it: a BREAK on the serial console, another socket
behind it, and the start of a paused guest.

A BREAK and a letter on a console are a magic sysrq (Documentation/admin-guide/sysrq.rst); that
needs nothing of the guest but interrupts and CONFIG_MAGIC_SYSRQ_SERIAL.
"""

from __future__ import annotations

import socket
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from qemu.qmp.legacy import QEMUMonitorProtocol

_TIMEOUT = 5.0


class Monitor:
    """One QMP connection; negotiated at its first use, because most guests never need it."""

    def __init__(self, connected: socket.socket) -> None:
        self._socket = connected
        self._qmp: QEMUMonitorProtocol | None = None

    def send_break(self, chardev: str) -> None:
        """Send a BREAK on a serial line. Raises OSError when QEMU does not answer."""
        self._command("chardev-send-break", id=chardev)

    def redirect(self, chardev: str, path: Path) -> None:
        """Put a Unix socket on which somebody listens behind a chardev. Raises OSError."""
        address = {"type": "unix", "data": {"path": str(path)}}
        backend = {"type": "socket", "data": {"addr": address, "server": False}}
        self._command("chardev-change", id=chardev, backend=backend)

    def start(self) -> None:
        """Let a guest that was started paused run. Raises OSError."""
        self._command("cont")

    def _command(self, name: str, **arguments: object) -> None:
        from qemu.qmp import QMPError

        try:
            self._connected().cmd(name, **arguments)
        except (QMPError, TimeoutError, EOFError) as error:
            raise OSError(f"QMP {name}: {error}") from error

    def _connected(self) -> QEMUMonitorProtocol:
        if self._qmp is None:
            from qemu.qmp.legacy import QEMUMonitorProtocol

            self._qmp = QEMUMonitorProtocol(self._socket)
            self._qmp.settimeout(_TIMEOUT)
            self._qmp.connect()
        return self._qmp

    def close(self) -> None:
        if self._qmp is not None:
            with suppress(Exception):  # QEMU may be gone; nothing is lost with the connection
                self._qmp.close()
        self._socket.close()
