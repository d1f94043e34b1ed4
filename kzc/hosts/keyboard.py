# SPDX-License-Identifier: GPL-2.0-only
"""The keyboard of the terminal that kzc runs in, to be handed over key by key."""

from __future__ import annotations

import os
import termios
import tty
from collections.abc import Iterator
from contextlib import contextmanager

from kzc.errors import UsageError


def needed() -> None:
    """Raise UsageError where there is no terminal to hand over."""
    if not (os.isatty(0) and os.isatty(1)):
        raise UsageError("this needs a terminal", "run it in one, not in a pipe")


@contextmanager
def raw(fd: int) -> Iterator[None]:
    """Every key as it is, Ctrl-C among them; as before when the block ends."""
    before = termios.tcgetattr(fd)
    tty.setraw(fd)
    try:
        yield
    finally:
        termios.tcsetattr(fd, termios.TCSADRAIN, before)
