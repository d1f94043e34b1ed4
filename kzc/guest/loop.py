# SPDX-License-Identifier: GPL-2.0-only
"""What one thread waits for: every channel of every guest at once, and the commands beside them.

A first-level guest is read while its second level is waited for, so that neither blocks on a full
socket and the end of either is seen at once.
"""

from __future__ import annotations

import selectors
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol


class Readable(Protocol):
    def fileno(self) -> int: ...


class Loop:
    """Calls back whoever has something to read."""

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()

    def watch(self, source: Readable | int, act: Callable[[], object]) -> None:
        """From now on `act` is called in a `turn` in which `source` can be read."""
        self._selector.register(source, selectors.EVENT_READ, act)

    def forget(self, source: Readable | int) -> None:
        """No more; a source that was not watched is fine, a closed one too."""
        with suppress(KeyError, ValueError):
            self._selector.unregister(source)

    def turn(self, seconds: float) -> None:
        """Wait until something can be read, at most so long, and let it be read.

        One who is called may forget, close and watch others, whose events came in the same turn: a
        forgotten source is not called any more, nor another that got its number since.
        """
        for key, _ in self._selector.select(max(seconds, 0)):
            if self._selector.get_map().get(key.fd) is key:
                key.data()

    def close(self) -> None:
        self._selector.close()
