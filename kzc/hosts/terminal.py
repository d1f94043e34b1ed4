# SPDX-License-Identifier: GPL-2.0-only
"""This terminal handed to a command on a host: every key goes there, the window's size too.

It has a session of its own, since a terminal is sshd's to make, and so a guard of its own.
"""

from __future__ import annotations

import os
import select
import shlex
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import paramiko

from kzc.hosts.command import KILLED, words_of
from kzc.hosts.keyboard import raw
from kzc.hosts.link import BROKEN, Link

_CHUNK = 1 << 16
_LOOK = 0.5  # seconds between two looks at the window's size


def line(argv: Sequence[str], env: Mapping[str, str], guard: Path, lease: Path) -> str:
    """The text for the login shell, whatever shell it is: one sh that becomes the guard."""
    words = ["exec", "python3", "-I", "-S", str(guard), "0", "--lease", str(lease), "--terminal"]
    words += ["--", *words_of(argv, env)]
    return shlex.join(["exec", "sh", "-c", shlex.join(words)])


def handed(link: Link, text: str, said: str) -> int:
    """Run the text with this terminal and return its status. Raises HostError on a lost link."""
    channel = link.session()
    try:
        size = os.get_terminal_size(0)
        channel.get_pty(os.environ.get("TERM", "vt100"), size.columns, size.lines)
        channel.exec_command(text)
        joined(channel)
        channel.status_event.wait()
    except BROKEN:
        raise link.lost(said) from None
    finally:
        channel.close()
    if channel.exit_status < 0 and not link.active:
        raise link.lost(said)
    return int(channel.exit_status) if channel.exit_status >= 0 else KILLED


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
                data = channel.recv(_CHUNK)
                if not data:
                    return
                while data:
                    data = data[os.write(1, data) :]
            if 0 in ready:
                try:
                    channel.sendall(os.read(0, _CHUNK))
                except BROKEN:
                    return
