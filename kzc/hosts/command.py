# SPDX-License-Identifier: GPL-2.0-only
"""One command on a host over SSH, run by the keeper behind its guard.

Its input is the guard's lifeline, and the scratch folder its lease: the end of either ends the
command with all its descendants.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO

from kzc.errors import HostError
from kzc.hosts import frames, stream
from kzc.hosts.link import Link
from kzc.hosts.pulse import Pulse

LOST = 255
"""The status of a command whose end nobody saw, as ssh(1) has it."""
KILLED = 128 + 9
_STOPPING = 15.0  # seconds for a guard to kill everything and say so


def words_of(argv: Sequence[str], env: Mapping[str, str]) -> list[str]:
    """The command as env(1) runs it with these variables."""
    variables = [f"{name}={value}" for name, value in env.items()]
    return [*(("env", *variables) if variables else ()), *argv]


class Command:
    """A stream with a running command; `said` names it in messages."""

    def __init__(
        self,
        link: Link,
        pulse: Pulse,
        argv: Sequence[str],
        said: str,
        *,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
        stdin: Path | None = None,
        merged: bool = False,
    ) -> None:
        self._link = link
        self._said = said
        data = frames.command(
            [os.fsencode(word) for word in words_of(argv, env or {})],
            os.fsencode(cwd or ""),
            os.fsencode(stdin or ""),
            merged,
        )
        try:
            self._stream = pulse.open(frames.RUN, data)
        except OSError:
            raise link.lost(said) from None

    def output(self) -> Iterator[bytes]:
        """What it writes to stdout, until it ends or the connection does."""
        while data := self._stream.output():
            yield data

    def errors(self) -> Iterator[bytes]:
        """What it writes to stderr."""
        while data := self._stream.errors():
            yield data

    def status(self) -> int:
        """Wait for the end. A lost connection is LOST, and what cannot even be killed, as a guard
        with a process in D state, ended by a signal all the same."""
        code = self._stream.wait()
        if code is None:
            return KILLED if self._link.active else LOST
        return LOST if code == stream.LOST else code

    def finished(self) -> int:
        """As `status`, but raises HostError when the connection was lost before the end."""
        if self._stream.wait() == stream.LOST:
            raise self._link.lost(self._said)
        return self.status()

    def stop(self) -> None:
        """End the guard's input and wait until it says that all is killed."""
        if self._stream.status is None:
            try:
                self._stream.end_input()
                self._stream.wait(_STOPPING)
            except OSError:
                pass  # the lease ends it
        self._stream.close()


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
