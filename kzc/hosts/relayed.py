# SPDX-License-Identifier: GPL-2.0-only
"""A Unix socket on a host, whose one connection becomes a socket of this machine.

`remote.py relay` listens there; two threads copy between its channel and a socket pair, because
selectors and qemu.qmp want a real socket.
"""

from __future__ import annotations

import os
import shlex
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import paramiko

from kzc.errors import HostError
from kzc.hosts.command import CHUNK
from kzc.hosts.link import BROKEN, Link

_READY = 60.0  # seconds for the relay to listen


class RelayedListener:
    """The near end of a relay."""

    def __init__(self, link: Link, channel: paramiko.Channel, path: Path) -> None:
        self._link = link
        self._channel = channel
        self._path = path
        self._told = os.eventfd(0, os.EFD_CLOEXEC)
        self._settled = threading.Event()
        self._connected = self._taken = False
        self._ours, self._theirs = socket.socketpair()

    def start(self) -> None:
        """Wait until the relay listens, then wait for a connection in a thread."""
        try:
            self._channel.settimeout(_READY)
            first = self._line()
            if first != b"ready":
                why = self._channel.makefile_stderr("rb").read().decode(errors="replace")
                raise HostError(f"{self._link.name}: {why.strip() or f'nobody at {self._path}'}")
            self._channel.settimeout(None)
        except BROKEN:
            raise self._link.lost(f"listening at {self._path}") from None
        threading.Thread(target=self._wait, name="kzc-relay", daemon=True).start()

    def fileno(self) -> int:
        return self._told

    def accept(self) -> socket.socket:
        self._settled.wait()
        if not self._connected:
            raise HostError(f"nobody can connect to {self._path} on {self._link.name} any more")
        self._taken = True
        return self._ours

    def close(self) -> None:
        """Stop listening; a connection that was accepted lives until it is closed."""
        if not self._taken:
            self._channel.close()
            self._ours.close()
            self._settled.wait()
        os.close(self._told)

    def _line(self) -> bytes:
        line = b""
        while not line.endswith(b"\n"):
            one = self._channel.recv(1)
            if not one:
                return line
            line += one
        return line[:-1]

    def _wait(self) -> None:
        self._connected = self._line() == b"connected"
        os.eventfd_write(self._told, 1)
        self._settled.set()
        if not self._connected:
            self._theirs.close()
            return
        up = threading.Thread(target=self._upwards, name="kzc-relay-up", daemon=True)
        up.start()
        self._downwards()
        up.join()
        self._channel.close()
        self._theirs.close()

    def _downwards(self) -> None:
        try:
            while data := self._channel.recv(CHUNK):
                self._theirs.sendall(data)
        except OSError:
            self._channel.close()  # our end is closed, nobody reads
        with suppress(OSError):
            self._theirs.shutdown(socket.SHUT_WR)
            if self._channel.closed:
                self._theirs.shutdown(socket.SHUT_RD)

    def _upwards(self) -> None:
        with suppress(*BROKEN):
            while data := self._theirs.recv(CHUNK):
                self._channel.sendall(data)
        with suppress(*BROKEN):
            self._channel.shutdown_write()


@contextmanager
def relayed(link: Link, remote: Path, lease: Path, path: Path) -> Iterator[RelayedListener]:
    """Listen at `path` on the host. Raises HostError where that cannot be done."""
    words = ["exec", "python3", "-I", "-S", str(remote), "relay", str(path), str(lease)]
    channel = link.session()
    try:
        channel.exec_command(shlex.join(["exec", "sh", "-c", shlex.join(words)]))
    except BROKEN:
        raise link.lost(f"listening at {path}") from None
    listener = RelayedListener(link, channel, path)
    try:
        listener.start()
    except BaseException:
        channel.close()
        raise
    try:
        yield listener
    finally:
        listener.close()
