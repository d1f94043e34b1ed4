# SPDX-License-Identifier: GPL-2.0-only
"""A guest's terminal: a shell on its second serial port (ttyS1), and whoever is attached to it.

The kzc that runs the guest owns the port, wherever the guest's host is, and reads it always, so
that the guest never waits for a reader. `kzc shell` attaches through a Unix socket of this machine
(SOCK_SEQPACKET): one letter per message to the owner, `k` and keys or `s` and "ROWS COLUMNS", and
what the guest shows back. That is sent on as it is, as with ssh(1).
"""

from __future__ import annotations

import os
import select
import socket
from collections.abc import Callable
from contextlib import suppress
from enum import Enum
from functools import partial

from kzc.guest.loop import Loop
from kzc.hosts.keyboard import raw

DEVICE = "/dev/ttyS1"
LEAVE = b"\x1d"  # Ctrl-], as telnet(1) has it
_SHOWN = 4096  # bytes of what was shown last, for one who attaches later
_CHUNK = 1 << 15
_SLOW = 2.0  # seconds to wait for a reader before it is given up
_LOOK = 0.5  # seconds between two looks at the window's size
# setsid(1) goes to the background by itself, as it takes a leader's place here; with & a shell
# would have it ignore Ctrl-C. The descriptor 4 keeps the window's size when a shell ends.
SERVE = f"""
[ -c {DEVICE} ] || exit 1
command -v bash >/dev/null && shell="bash --norc" || shell=sh
export TERM=xterm HOME=/root PS1="kzc:\\w# "
exec setsid sh -c 'cd; while :; do
    exec 4<>{DEVICE}
    stty -F {DEVICE} sane 115200
    setsid -c '"$shell"' -i <>{DEVICE} >&0 2>&1 4>&-
    printf "\\r\\n(a new shell; Ctrl-] leaves the guest)\\r\\n" >{DEVICE}
    sleep 0.2
done' </dev/null >/dev/null 2>&1
"""


def sized(rows: int, columns: int) -> str:
    """What a guest's shell runs so that the terminal has this size."""
    return f"stty -F {DEVICE} rows {rows} cols {columns}"


class Left(Enum):
    """Why an attached terminal was left: Ctrl-], or the guest or its kzc ended."""

    KEY = "key"
    ENDED = "ended"


class Terminal:
    """The owner's end. `resize` is called with rows and columns that somebody attached with."""

    def __init__(
        self, port: socket.socket, loop: Loop, resize: Callable[[int, int], object]
    ) -> None:
        self._port = port
        self._loop = loop
        self._resize = resize
        self._shown = b""
        self._attached: list[socket.socket] = []
        port.setblocking(False)
        loop.watch(port, self._show)

    def admit(self, server: socket.socket) -> None:
        """Take whoever has connected to a listening socket."""
        client, _ = server.accept()
        client.settimeout(_SLOW)
        self._attached.append(client)
        self._loop.watch(client, partial(self._take, client))
        if self._shown:
            self._send(client, self._shown)

    def close(self) -> None:
        """Send everybody away."""
        for client in list(self._attached):
            self._dismiss(client)
        self._loop.forget(self._port)
        self._port.close()

    def _show(self) -> None:
        try:
            data = self._port.recv(_CHUNK)
        except OSError:
            data = b""
        if not data:
            self._loop.forget(self._port)
            for client in list(self._attached):
                self._dismiss(client)
        self._shown = (self._shown + data)[-_SHOWN:]
        for client in list(self._attached):
            self._send(client, data)

    def _send(self, client: socket.socket, data: bytes) -> None:
        try:
            client.sendall(data)
        except OSError:
            self._dismiss(client)

    def _take(self, client: socket.socket) -> None:
        try:
            message = client.recv(_CHUNK)
        except OSError:
            message = b""
        kind, data = message[:1], message[1:]
        if not message:
            self._dismiss(client)
        elif kind == b"k":
            with suppress(OSError):  # a guest that does not read its keys loses them
                self._port.sendall(data)
        elif kind == b"s":
            rows, _, columns = data.decode(errors="replace").partition(" ")
            if rows.isdecimal() and columns.isdecimal():
                self._resize(int(rows), int(columns))

    def _dismiss(self, client: socket.socket) -> None:
        self._loop.forget(client)
        self._attached.remove(client)
        client.close()


def attach(owner: socket.socket) -> Left:
    """Join this process's terminal and a guest's, until Ctrl-] or the end of either."""
    size: os.terminal_size | None = None
    both: list[socket.socket | int] = [owner, 0]
    with raw(0):
        while True:
            if size != (size := os.get_terminal_size(0)):
                _tell(owner, f"s{size.lines} {size.columns}".encode())
            ready = select.select(both, [], [], _LOOK)[0]
            if owner in ready:
                data = _heard(owner)
                if not data:
                    return Left.ENDED
                while data:
                    data = data[os.write(1, data) :]
            if 0 in ready:
                keys, leave, _ = os.read(0, 1024).partition(LEAVE)
                if keys:
                    _tell(owner, b"k" + keys)
                if leave or not keys:
                    return Left.KEY


def _tell(owner: socket.socket, message: bytes) -> None:
    with suppress(OSError):  # that it has ended is seen where it is read
        owner.send(message)


def _heard(owner: socket.socket) -> bytes:
    try:
        return owner.recv(1 << 16)
    except OSError:
        return b""
