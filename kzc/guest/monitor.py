# SPDX-License-Identifier: GPL-2.0-only
"""QEMU's monitor (QMP) as far as kzc needs it: a BREAK on the serial console, another socket
behind it, the start of a paused guest, its forwarded port and its network cable.

A BREAK and a letter on a console are a magic sysrq (Documentation/admin-guide/sysrq.rst); that
needs nothing of the guest but interrupts and CONFIG_MAGIC_SYSRQ_SERIAL.
"""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import Coroutine
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from qemu.qmp import QMPClient

_TIMEOUT = 20.0
_STRAGGLERS = 0.2
# TCP[HOST_FORWARD]  15 127.0.0.1 40123 10.0.2.15 22 0 0
_FORWARD = re.compile(r"TCP\[HOST_FORWARD\]\s+\d+\s+\S+\s+(\d+)\s")


T = TypeVar("T")


class Monitor:
    """One QMP connection; negotiated at its first use, because most guests never need it.

    Nothing here waits for a QEMU that stands still; qemu.qmp.legacy does, while it connects.
    """

    def __init__(self, connected: socket.socket) -> None:
        self._socket = connected
        self._qmp: QMPClient | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    def answers(self) -> bool:
        """False when QEMU stands still: it is there and does not say even how it is."""
        try:
            self._command("query-status")
        except OSError as error:
            return not isinstance(error.__cause__, TimeoutError)
        return True

    def forsaken(self) -> bool:
        """True when a QEMU that has ended did not announce it (the event SHUTDOWN), as it does
        whatever the guest did; False too where its events were not listened to."""
        if self._qmp is None:
            return False
        with suppress(Exception):
            self._wait(asyncio.sleep(_STRAGGLERS))
        return all(event["event"] != "SHUTDOWN" for event in self._qmp.events.clear())

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

    def forwarded_port(self) -> int:
        """The port of the host's loopback that QEMU chose for a forwarded one. Raises OSError."""
        told = str(self._command("human-monitor-command", **{"command-line": "info usernet"}))
        match = _FORWARD.search(told)
        if match is None:
            raise OSError(f"QEMU forwards no port: {told.strip()}")
        return int(match[1])

    def vcpus(self) -> tuple[int, ...]:
        """The threads of the guest's CPUs, in their order, by their ids on its host. Raises OSError
        when QEMU does not answer or says something else."""
        told = self._command("query-cpus-fast")
        found = [cpu.get("thread-id") for cpu in told] if isinstance(told, list) else []
        threads = tuple(thread for thread in found if isinstance(thread, int))
        if not threads:
            raise OSError("QEMU tells no threads of its CPUs")
        return threads

    def _command(self, command: str, /, **arguments: object) -> object:
        from qemu.qmp import QMPError

        try:
            return self._wait(self._connected().execute(command, arguments or None))
        except (QMPError, TimeoutError, EOFError) as error:
            raise OSError(f"QMP {command}: {error}") from error

    def _connected(self) -> QMPClient:
        if self._qmp is None:
            from qemu.qmp import QMPClient

            qmp = QMPClient()
            self._wait(qmp.connect(self._socket))
            self._qmp = qmp
        return self._qmp

    def _wait(self, answer: Coroutine[object, object, T]) -> T:
        if self._loop is None:
            self._loop = asyncio.new_event_loop()
        return self._loop.run_until_complete(asyncio.wait_for(answer, _TIMEOUT))

    def close(self) -> None:
        with suppress(Exception):  # QEMU may be gone; nothing is lost with the connection
            if self._qmp is not None:
                self._wait(self._qmp.disconnect())
        if self._loop is not None:
            self._loop.close()
        self._socket.close()
