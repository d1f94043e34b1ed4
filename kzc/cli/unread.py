# SPDX-License-Identifier: GPL-2.0-only
"""Who reads what kzc prints may leave (`head`, `less`): it ends then, and says nothing of it."""

from __future__ import annotations

import os
import select
import signal
import sys
from collections.abc import Callable

from kzc.errors import HostError

UNREAD = 128 + signal.SIGPIPE


class Unread(Exception):
    """Nobody reads on what is printed, and whoever printed has given the pipe up already."""


def read_out(action: Callable[[], int]) -> int:
    """The status of `action`; UNREAD where nobody reads on what it prints."""
    try:
        return action()
    except (BrokenPipeError, Unread):
        _to_nowhere(*left())
        return UNREAD


def write_out() -> None:
    """Write what was printed and is in buffers still.

    Raises HostError where there is no room for it, BrokenPipeError where nobody reads it.
    """
    try:
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:  # so it is where it was closed at the start
                stream.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        _to_nowhere(1)
        hint = "what was kept of it is in `kzc runs`; make room, or print elsewhere"
        raise HostError(f"what was printed could not be written: {error.strerror}", hint) from None


def left() -> list[int]:
    """Which of standard output and error (their file numbers) nobody reads any more."""
    poll = select.poll()
    for number in (1, 2):
        poll.register(number, 0)
    return [number for number, event in poll.poll(0) if event & (select.POLLERR | select.POLLHUP)]


def _to_nowhere(*numbers: int) -> None:
    """What is still in buffers goes nowhere; else the interpreter complains of it at its end."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for number in numbers:
        os.dup2(nowhere, number)
    os.close(nowhere)
