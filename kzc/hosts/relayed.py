# SPDX-License-Identifier: GPL-2.0-only
"""A Unix socket on a host, whose one connection becomes a socket of this machine.

The keeper's relay (relay.py) listens there; two threads copy between its stream and a socket pair,
because selectors and qemu.qmp want a real socket.
"""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from kzc.errors import HostError
from kzc.hosts import frames
from kzc.hosts.link import Link
from kzc.hosts.pulse import Pulse
from kzc.hosts.stream import Stream

_CHUNK = 1 << 16
_READY = 60.0  # seconds for the relay to listen


class RelayedListener:
    """The near end of a relay."""

    def __init__(self, link: Link, stream: Stream, path: Path) -> None:
        self._link = link
        self._stream = stream
        self._path = path
        self._told = os.eventfd(0, os.EFD_CLOEXEC)
        self._settled = threading.Event()
        self._connected = self._taken = False
        self._rest = b""
        self._ours, self._theirs = socket.socketpair()

    def start(self) -> None:
        """Wait until the relay listens, then wait for a connection in a thread."""
        try:
            first = self._line(_READY)
        except TimeoutError:
            raise self._link.lost(f"listening at {self._path}") from None
        if first != b"ready":
            why = b"".join(iter(self._stream.errors, b"")).decode(errors="replace")
            raise HostError(f"{self._link.name}: {why.strip() or f'nobody at {self._path}'}")
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
            self._stream.close()
            self._ours.close()
            self._settled.wait()
        os.close(self._told)

    def _line(self, timeout: float | None = None) -> bytes:
        while b"\n" not in self._rest:
            data = self._stream.output(timeout)
            if not data:
                return self._rest
            self._rest += data
        line, _, self._rest = self._rest.partition(b"\n")
        return line

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
        self._stream.close()
        self._theirs.close()

    def _downwards(self) -> None:
        whole = False
        try:
            data = self._rest or self._stream.output()
            while data:
                self._theirs.sendall(data)
                data = self._stream.output()
            whole = True
        except OSError:
            self._stream.close()  # our end is closed, nobody reads
        with suppress(OSError):
            self._theirs.shutdown(socket.SHUT_WR)
            if not whole:
                self._theirs.shutdown(socket.SHUT_RD)

    def _upwards(self) -> None:
        with suppress(OSError):
            while data := self._theirs.recv(_CHUNK):
                self._stream.write(data)
        with suppress(OSError):
            self._stream.end_input()


@contextmanager
def relayed(link: Link, pulse: Pulse, path: Path) -> Iterator[RelayedListener]:
    """Listen at `path` on the host. Raises HostError where that cannot be done."""
    try:
        stream = pulse.open(frames.RELAY, os.fsencode(path))
    except OSError:
        raise link.lost(f"listening at {path}") from None
    listener = RelayedListener(link, stream, path)
    try:
        listener.start()
    except BaseException:
        stream.close()
        raise
    try:
        yield listener
    finally:
        listener.close()
