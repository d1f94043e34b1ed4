# SPDX-License-Identifier: GPL-2.0-only
"""The only room that starts processes.

Every command runs behind `guard.py`, in a session of its own, with stdin from /dev/null, so that
it cannot touch the terminal and cannot outlive kzc. A `Runner` is a value handed to whoever needs
one; tests hand in another.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Protocol, TypedDict, Unpack

from kzc.errors import CommandFailed, HostError

_GUARD = str(Path(__file__).with_name("guard.py"))
_TAIL_LINES = 20
_CHUNK = 1 << 16


@dataclass(frozen=True)
class Done:
    """A finished command: exit status and what it wrote."""

    argv: tuple[str, ...]
    code: int
    stdout: str
    stderr: str
    seconds: float
    raw: bytes = b""


class Running(Protocol):
    """A running command, as the one who started it sees it."""

    @property
    def ended(self) -> int:
        """A file descriptor that is readable as soon as the command has ended."""
        ...

    @property
    def code(self) -> int | None:
        """Exit status, or None while it runs."""
        ...

    def stop(self) -> None:
        """Kill the command with all its descendants and wait until they are gone."""
        ...

    def close(self) -> None:
        """Stop, and close what watched it."""
        ...


class Child:
    """A running command, seen through its guard; watched by file descriptor, not by signal."""

    def __init__(self, process: subprocess.Popen[bytes], lifeline: int) -> None:
        self._process = process
        self._lifeline = lifeline
        self.ended = os.pidfd_open(process.pid)

    @property
    def code(self) -> int | None:
        """Exit status, or None while it runs."""
        return self._process.poll()

    def stop(self) -> None:
        """Kill the command with all its descendants and wait until they are gone."""
        if self._lifeline >= 0:
            os.close(self._lifeline)
            self._lifeline = -1
        self._process.wait()

    def close(self) -> None:
        self.stop()
        os.close(self.ended)


class Where(TypedDict, total=False):
    """The folder a command runs in, and what is added to its environment."""

    cwd: Path | None
    env: Mapping[str, str] | None


class How(Where, total=False):
    """What a command reads, how many seconds it may take, and whether its status has to be 0."""

    stdin: bytes | None
    timeout: float | None
    check: bool


class Runner(Protocol):
    """How the rooms above start programs."""

    def capture(self, argv: Sequence[str], **how: Unpack[How]) -> Done:
        """Run to the end and return the output. Raises CommandFailed when the status is not 0,
        unless `check` is False, and HostError after `timeout`."""
        ...

    def stream(self, argv: Sequence[str], *, log: Path, **where: Unpack[Where]) -> Iterator[str]:
        """Yield lines (stdout and stderr as one) while they come; all of it goes to `log` too.

        Raises CommandFailed after the last line when the status is not 0.
        """
        ...

    def spawn(
        self, argv: Sequence[str], *, log: Path, **where: Unpack[Where]
    ) -> AbstractContextManager[Running]:
        """A command that runs as long as the `with` block; its output goes to `log`."""
        ...

    def interactive(self, argv: Sequence[str], *, env: Mapping[str, str] | None = None) -> int:
        """Hand the terminal to a command and return its status."""
        ...


class LocalRunner:
    """Runs programs on this machine."""

    def capture(self, argv: Sequence[str], **how: Unpack[How]) -> Done:
        begin = time.monotonic()
        stdin, timeout = how.get("stdin"), how.get("timeout")
        with _guarded(
            argv,
            cwd=how.get("cwd"),
            env=how.get("env"),
            stdin=subprocess.DEVNULL if stdin is None else subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        ) as (process, child):
            try:
                raw, err = process.communicate(stdin, timeout)
            except subprocess.TimeoutExpired:
                child.stop()
                raise HostError(
                    f"`{' '.join(argv)}` did not end within {timeout:.0f} s and was killed"
                ) from None
        done = Done(
            tuple(argv),
            process.returncode,
            raw.decode(errors="replace"),
            err.decode(errors="replace"),
            time.monotonic() - begin,
            raw,
        )
        if how.get("check", True) and done.code:
            raise CommandFailed(argv, done.code, tail=(done.stderr or done.stdout).rstrip())
        return done

    def stream(self, argv: Sequence[str], *, log: Path, **where: Unpack[Where]) -> Iterator[str]:
        tail: deque[str] = deque(maxlen=_TAIL_LINES)
        with (
            log.open("ab") as file,
            _guarded(argv, **where, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as (
                process,
                _,
            ),
        ):
            assert process.stdout is not None
            for raw in process.stdout:
                file.write(raw)
                file.flush()
                line = raw.decode(errors="replace").rstrip("\n")
                tail.append(line)
                yield line
            code = process.wait()
        if code:
            raise CommandFailed(argv, code, str(log), "\n".join(tail))

    @contextmanager
    def spawn(self, argv: Sequence[str], *, log: Path, **where: Unpack[Where]) -> Iterator[Child]:
        with (
            log.open("ab") as file,
            _guarded(argv, **where, stdout=file, stderr=subprocess.STDOUT) as (_, child),
        ):
            yield child

    def interactive(self, argv: Sequence[str], *, env: Mapping[str, str] | None = None) -> int:
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)
        try:
            with _guarded(argv, env=env, stdin=None, new_session=False) as (process, _):
                return process.wait()
        finally:
            signal.signal(signal.SIGINT, before)


@contextmanager
def _guarded(
    argv: Sequence[str],
    *,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    stdin: int | None = subprocess.DEVNULL,
    stdout: int | IO[bytes] | None = None,
    stderr: int | None = None,
    new_session: bool = True,
) -> Iterator[tuple[subprocess.Popen[bytes], Child]]:
    reading, writing = os.pipe()
    try:
        process = subprocess.Popen(
            [sys.executable, "-I", "-S", _GUARD, str(reading), "--", *argv],
            cwd=cwd,
            env=None if env is None else {**os.environ, **env},
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            pass_fds=(reading,),
            start_new_session=new_session,
        )
    except BaseException:
        os.close(writing)
        raise
    finally:
        os.close(reading)
    child = Child(process, writing)
    try:
        yield process, child
    finally:
        child.close()
        for pipe in (process.stdin, process.stdout, process.stderr):
            if pipe is not None:
                with suppress(BrokenPipeError):
                    pipe.close()
