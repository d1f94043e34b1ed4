# SPDX-License-Identifier: GPL-2.0-only
"""This terminal handed to a command on a host: every key goes there, the window's size too."""

from __future__ import annotations

import os
import select
import sys
import termios
import tty
from collections.abc import Iterator
from contextlib import contextmanager

import paramiko

from kzc.errors import UsageError
from kzc.hosts.command import CHUNK
from kzc.hosts.link import BROKEN

_LOOK = 0.5  # seconds between two looks at the window's size


def needed() -> None:
    """Raise UsageError where there is no terminal to hand over."""
    if not (os.isatty(0) and os.isatty(1)):
        raise UsageError("this needs a terminal", "run it in one, not in a pipe")


def joined(channel: paramiko.Channel) -> None:
    """Copy between the terminal and the channel until the channel ends."""
    size = os.get_terminal_size(0)
    both: list[paramiko.Channel | int] = [channel, 0]
    sys.stdout.flush()
    with raw(0):
        while True:
            ready = select.select(both, [], [], _LOOK)[0]
            if size != (size := os.get_terminal_size(0)) and not channel.closed:
                channel.resize_pty(size.columns, size.lines)
            if channel in ready:
                data = channel.recv(CHUNK)
                if not data:
                    return
                while data:
                    data = data[os.write(1, data) :]
            if 0 in ready:
                try:
                    channel.sendall(os.read(0, CHUNK))
                except BROKEN:
                    return


@contextmanager
def raw(fd: int) -> Iterator[None]:
    """Every key as it is, Ctrl-C among them; as before when the block ends."""
    before = termios.tcgetattr(fd)
    tty.setraw(fd)
    try:
        yield
    finally:
        termios.tcsetattr(fd, termios.TCSADRAIN, before)
