# SPDX-License-Identifier: GPL-2.0-only
"""A Runner whose programs run on a host over SSH. Logs are written on this machine."""

from __future__ import annotations

import shlex
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Unpack

from kzc.errors import CommandFailed, HostError
from kzc.hosts import keyboard, terminal
from kzc.hosts.command import Command, SshChild, unlogged
from kzc.hosts.link import Link
from kzc.hosts.pulse import Pulse
from kzc.proc import Done, How, Where

_TAIL_LINES = 20
Scrap = Callable[[bytes], AbstractContextManager[Path]]
"""Makes a file on the host from bytes, for as long as a `with` block runs."""


class SshRunner:
    """Runs programs on a host. `way` is the ssh command that gets there, for messages; `guard`
    puts guard.py there, for a terminal, which cannot go through the keeper."""

    def __init__(
        self,
        link: Link,
        pulse: Pulse,
        way: Sequence[str],
        scrap: Scrap,
        guard: Callable[[], Path],
    ) -> None:
        self._link = link
        self._pulse = pulse
        self._guard = guard
        self._way = tuple(way)
        self._scrap = scrap

    def capture(self, argv: Sequence[str], **how: Unpack[How]) -> Done:
        begin = time.monotonic()
        stdin, timeout = how.get("stdin"), how.get("timeout")
        with nullcontext() if stdin is None else self._scrap(stdin) as file:
            command = self._command(argv, cwd=how.get("cwd"), env=how.get("env"), stdin=file)
            try:
                raw, err = _both(command, None if timeout is None else begin + timeout)
                code = command.finished()
            except TimeoutError:
                raise HostError(
                    f"`{shlex.join(argv)}` on {self._link.name} did not end within {timeout:.0f} s "
                    "and was killed"
                ) from None
            finally:
                command.stop()
        out, errors = raw.decode(errors="replace"), err.decode(errors="replace")
        if how.get("check", True) and code:
            raise CommandFailed(self._repeat(argv), code, tail=(errors or out).rstrip())
        return Done(tuple(argv), code, out, errors, time.monotonic() - begin, raw)

    def stream(self, argv: Sequence[str], *, log: Path, **where: Unpack[Where]) -> Iterator[str]:
        tail: deque[str] = deque(maxlen=_TAIL_LINES)
        with log.open("ab") as file:
            command = self._command(argv, **where, merged=True)
            try:
                rest = b""
                for data in command.output():
                    file.write(data)
                    file.flush()
                    *lines, rest = (rest + data).split(b"\n")
                    for raw in lines:
                        tail.append(raw.decode(errors="replace"))
                        yield tail[-1]
                if rest:
                    tail.append(rest.decode(errors="replace"))
                    yield tail[-1]
                code = command.finished()
            finally:
                command.stop()
        if code:
            raise CommandFailed(self._repeat(argv), code, str(log), "\n".join(tail))

    @contextmanager
    def spawn(
        self, argv: Sequence[str], *, log: Path, **where: Unpack[Where]
    ) -> Iterator[SshChild]:
        with log.open("ab") as file:
            child = SshChild(self._command(argv, **where, merged=True), file)
            try:
                yield child
            finally:
                child.close()
        if failure := unlogged(child, log):
            raise failure

    def interactive(self, argv: Sequence[str], *, env: Mapping[str, str] | None = None) -> int:
        keyboard.needed()
        line = terminal.line(argv, env or {}, self._guard(), self._pulse.folder)
        return terminal.handed(self._link, line, shlex.join(argv))

    def _command(
        self,
        argv: Sequence[str],
        *,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
        stdin: Path | None = None,
        merged: bool = False,
    ) -> Command:
        return Command(
            self._link,
            self._pulse,
            argv,
            shlex.join(argv),
            cwd=cwd,
            env=env,
            stdin=stdin,
            merged=merged,
        )

    def _repeat(self, argv: Sequence[str]) -> tuple[str, ...]:
        return (*self._way, shlex.join(argv))


def _both(command: Command, deadline: float | None) -> tuple[bytes, bytes]:
    """Output and errors, read at once. Raises TimeoutError after killing the command."""
    parts: tuple[list[bytes], list[bytes]] = ([], [])
    readers = [
        threading.Thread(target=into.extend, args=(source,), daemon=True)
        for into, source in zip(parts, (command.output(), command.errors()), strict=True)
    ]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join(None if deadline is None else max(0, deadline - time.monotonic()))
    if any(reader.is_alive() for reader in readers):
        command.stop()
        raise TimeoutError
    return b"".join(parts[0]), b"".join(parts[1])
