# SPDX-License-Identifier: GPL-2.0-only
"""Errors, split by blame: the user, the host, a command. One place in cli/ turns them to words."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence


class KzcError(Exception):
    """Something failed and the message says what, on what; `hint` says what to do next.

    `exit_code` is the process's: 1 the code under test failed, 2 usage, 3 the host broke.
    """

    exit_code = 1

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(KzcError):
    """The user asked for something that is not there or is not well formed."""

    exit_code = 2


class HostError(KzcError):
    """This machine lacks something or broke: a tool, disk space, QEMU, a lock."""

    exit_code = 3


class CommandFailed(HostError):
    """A process ended with another status than 0; carries all that is needed to repeat it."""

    def __init__(self, argv: Sequence[str], code: int, log: str = "", tail: str = "") -> None:
        self.argv = tuple(argv)
        self.code = code
        self.log = log
        self.tail = tail
        lines = [f"`{shlex.join(argv)}` ended with {describe_status(code)}"]
        if tail:
            lines.append(tail)
        super().__init__("\n".join(lines), f"the whole log is {log}" if log else "")


def describe_status(code: int) -> str:
    """Words for a process's exit status as subprocess gives it (negative: killed by a signal)."""
    if code < 0 or 128 < code < 128 + 65:
        return f"signal {-code if code < 0 else code - 128}"
    return f"status {code}"


def pip_install(package: str) -> str:
    """The command that gives a Python package to the interpreter that runs kzc."""
    return shlex.join([sys.executable, "-m", "pip", "install", package])
