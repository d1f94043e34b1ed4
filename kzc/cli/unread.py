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


def read_out(action: Callable[[], int]) -> int:
    """The status of `action`, all that it printed written out; UNREAD where nobody reads on,
    HostError's where there is no room for it."""
    try:
        status = action()
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:  # so it is where it was closed at the start
                stream.flush()
    except BrokenPipeError:
        _to_nowhere(*left())
        return UNREAD
    except OSError as error:  # of the last flush: what an action meets it has said itself
        _to_nowhere(1)
        print(f"kzc: what was printed could not be written: {error.strerror}", file=sys.stderr)
        return HostError.exit_code
    return status


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
