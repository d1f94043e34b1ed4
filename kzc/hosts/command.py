# SPDX-License-Identifier: GPL-2.0-only
"""One command on a host over SSH, behind the guard that was sent there.

The channel's input is the guard's lifeline, and the scratch folder its lease: closing either ends
the command with all its descendants.
"""

from __future__ import annotations

import os
import shlex
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import paramiko

from kzc.errors import HostError
from kzc.hosts.link import BROKEN, Link

CHUNK = 1 << 16
LOST = 255
"""The status of a command whose end nobody saw, as ssh(1) has it."""
_KILLED = 128 + 9
_STOPPING = 15.0  # seconds for a guard to kill everything and say so


@dataclass(frozen=True)
class Remote:
    """What a command line on a host is made of."""

    guard: Path
    lease: Path

    def line(
        self,
        argv: Sequence[str],
        *,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
        stdin: Path | None = None,
        terminal: bool = False,
        merged: bool = False,
    ) -> str:
        """The text for the login shell, whatever shell it is: one sh that becomes the guard."""
        variables = [f"{name}={value}" for name, value in (env or {}).items()]
        words = [
            *("exec", "python3", "-I", "-S", str(self.guard), "0", "--lease", str(self.lease)),
            *(("--stdin", str(stdin)) if stdin else ()),
            *(("--terminal",) if terminal else ()),
            "--",
            *(("env", *variables) if variables else ()),
            *argv,
        ]
        where = f"cd -- {shlex.quote(str(cwd))} && " if cwd else ""
        text = f"{where}{shlex.join(words)}{' 2>&1' if merged else ''}"
        return shlex.join(["exec", "sh", "-c", text])


class Command:
    """A channel with a running command; `said` names it in messages."""

    def __init__(self, link: Link, line: str, said: str, *, terminal: bool = False) -> None:
        self._link = link
        self._said = said
        self.channel: paramiko.Channel = link.session()
        try:
            if terminal:
                size = os.get_terminal_size(0)
                name = os.environ.get("TERM", "vt100")
                self.channel.get_pty(name, size.columns, size.lines)
            self.channel.exec_command(line)
        except BROKEN:
            self.channel.close()
            raise link.lost(said) from None

    def output(self) -> Iterator[bytes]:
        """What it writes to stdout, until it ends or the connection does."""
        while data := self.channel.recv(CHUNK):
            yield data

    def errors(self) -> Iterator[bytes]:
        """What it writes to stderr."""
        while data := self.channel.recv_stderr(CHUNK):
            yield data

    def status(self) -> int:
        """Wait for the end. A lost connection is LOST, a guard that was killed a signal."""
        code = int(self.channel.recv_exit_status())
        if code >= 0:
            return code
        return _KILLED if self._link.active else LOST

    def finished(self) -> int:
        """As `status`, but raises HostError when the connection was lost before the end."""
        self.channel.status_event.wait()
        if self.channel.exit_status < 0 and not self._link.active:
            raise self._link.lost(self._said)
        return self.status()

    def stop(self) -> None:
        """End the guard's input and wait until it says that all is killed."""
        if not self.channel.exit_status_ready():
            try:
                self.channel.shutdown_write()
                self.channel.status_event.wait(_STOPPING)
            except BROKEN:
                pass  # the lease ends it
        self.channel.close()


class SshChild:
    """A command in the background: one thread copies its output to a log of this machine."""

    def __init__(self, command: Command, log: IO[bytes]) -> None:
        self._command = command
        self._log = log
        self._code: int | None = None
        self.failure: OSError | None = None
        self.ended = os.eventfd(0, os.EFD_CLOEXEC)
        self._thread = threading.Thread(target=self._copy, name="kzc-spawn", daemon=True)
        self._thread.start()

    @property
    def code(self) -> int | None:
        """Exit status, or None while it runs or its log is not complete yet."""
        return self._code

    def stop(self) -> None:
        if self._code is None:
            self._command.stop()
        self._thread.join()

    def close(self) -> None:
        self.stop()
        os.close(self.ended)

    def _copy(self) -> None:
        try:
            for data in self._command.output():
                self._log.write(data)
                self._log.flush()
        except OSError as error:
            self.failure = error
            self._command.stop()
        self._code = self._command.status()
        os.eventfd_write(self.ended, 1)


def unlogged(child: SshChild, log: Path) -> HostError | None:
    """The error for a log that could not be written, if there was one."""
    if child.failure is None:
        return None
    return HostError(f"the log {log} could not be written: {child.failure.strerror}")
