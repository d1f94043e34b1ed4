# SPDX-License-Identifier: GPL-2.0-only
"""QEMU's monitor (QMP), one command after the other."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any, TypeVar

from qemu.qmp import ExecuteError, QMPClient, QMPError

T = TypeVar("T")


class Gone(Exception):
    """QEMU does not answer any more; the text says how that showed."""


class Refused(Exception):
    """QEMU answered with an error; the text is QEMU's."""


class Monitor:
    """One connection. `patience` is how many seconds an answer may take."""

    def __init__(self, connected: socket.socket, patience: float) -> None:
        self._patience = patience
        self._loop = asyncio.new_event_loop()
        self._qmp = QMPClient()
        self._wait(self._qmp.connect(connected), "the greeting")

    def ask(self, command: str, /, **arguments: object) -> Any:
        """The answer to a command. Raises Refused and Gone."""
        try:
            return self._wait(self._qmp.execute(command, arguments or None), command)
        except ExecuteError as error:
            raise Refused(str(error)) from None

    def event(self, name: str) -> Any:
        """The data of the next event of that name, however long ago it came. Raises Gone."""
        return self._wait(self._next(name), f"the event {name}")

    async def _next(self, name: str) -> Any:
        while (event := await self._qmp.events.get())["event"] != name:
            pass
        return event["data"]

    def _wait(self, answer: Coroutine[object, object, T], what: str) -> T:
        try:
            return self._loop.run_until_complete(asyncio.wait_for(answer, self._patience))
        except ExecuteError:
            raise
        except TimeoutError:
            raise Gone(f"QEMU did not answer to {what} for {self._patience:.0f} s") from None
        except (QMPError, OSError, EOFError) as error:
            raise Gone(f"QEMU's monitor was lost at {what}: {error}") from None

    def close(self) -> None:
        with suppress(Exception):  # QEMU is mostly gone, which ends the connection anyhow
            self._wait(self._qmp.disconnect(), "the end")
        self._loop.close()
