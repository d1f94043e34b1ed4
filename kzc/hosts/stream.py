# SPDX-License-Identifier: GPL-2.0-only
"""A command or a relay that the keeper runs, seen as if it had a connection of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress

from kzc.hosts import frames

_MUCH = 1 << 20  # bytes nobody has taken, above which the keeper is told to hold
LOST = -1
"""The status of what was running when the connection was lost."""


class Stream:
    """One stream of frames. `send` takes kind and data, and raises OSError on a lost connection."""

    def __init__(self, send: Callable[[bytes, bytes], None]) -> None:
        self._send = send
        self._news = threading.Condition()
        self._texts: dict[bytes, list[bytes]] = {frames.OUTPUT: [], frames.ERRORS: []}
        self._untaken = 0
        self._held = False
        self._over: set[bytes] = set()
        self._closed = False
        self.status: int | None = None

    def feed(self, kind: bytes, data: bytes) -> None:
        """What came from the host."""
        with self._news:
            if kind == frames.STATUS:
                self.status = int(data)
                self._over = set(self._texts)
            elif data:
                self._texts[kind].append(data)
                self._untaken += len(data)
            else:
                self._over.add(kind)
            hold = self._untaken > _MUCH and not self._held
            self._held |= hold
            self._news.notify_all()
        if hold:
            self._say(frames.HOLD)

    def lose(self) -> None:
        """The connection is gone: what came stands, and nothing else will come."""
        with self._news:
            if self.status is None:
                self.status = LOST
            self._over = set(self._texts)
            self._news.notify_all()

    def output(self, timeout: float | None = None) -> bytes:
        """What came from stdout since the last call, waited for; empty at its end.

        Raises TimeoutError.
        """
        return self._taken(frames.OUTPUT, timeout)

    def errors(self, timeout: float | None = None) -> bytes:
        """The same for stderr."""
        return self._taken(frames.ERRORS, timeout)

    def _taken(self, kind: bytes, timeout: float | None) -> bytes:
        with self._news:
            if not self._news.wait_for(lambda: self._texts[kind] or self._ended(kind), timeout):
                raise TimeoutError
            data = b"".join(self._texts[kind])
            self._texts[kind] = []
            self._untaken -= len(data)
            go = self._held and self._untaken == 0
            self._held &= not go
        if go:
            self._say(frames.GO)
        return data

    def _say(self, kind: bytes) -> None:
        if self.status is None:
            with suppress(OSError):  # on a lost connection the lease ends it
                self._send(kind, b"")

    def _ended(self, kind: bytes) -> bool:
        return kind in self._over or self._closed

    def write(self, data: bytes) -> None:
        """Give it input. Raises OSError on a lost connection."""
        if data:
            self._send(frames.INPUT, data)

    def end_input(self) -> None:
        """Nothing more comes: to a guard, the order to kill. Raises OSError."""
        self._send(frames.INPUT, b"")

    def wait(self, timeout: float | None = None) -> int | None:
        """Its exit status, LOST with the connection, None if the time was up or it was closed."""
        with self._news:
            self._news.wait_for(lambda: self.status is not None or self._closed, timeout)
            return self.status

    def close(self) -> None:
        """Nobody reads it any more."""
        with self._news:
            self._closed = True
            self._news.notify_all()
        self._say(frames.CLOSE)
