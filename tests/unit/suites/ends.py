# SPDX-License-Identifier: GPL-2.0-only
"""Ends of a pair that are shells on this machine, and kernel logs that are files.

The shells are started without a guard, which has tests of its own: a pair asks each end for dozens
of commands, and most of what that took was the guards' start.
"""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from kzc.suites.pair import Pair
from kzc.values import Answer, Ended, Limits

Twist = Callable[[str, Answer], Answer]


def free_port() -> int:
    """A TCP port of this machine that nobody has."""
    with socket.socket() as asked:
        asked.bind(("127.0.0.1", 0))
        return int(asked.getsockname()[1])


@dataclass
class ShellEnd:
    """`twist` changes what a command's answer says; /dev/kmsg is a file."""

    name: str
    folder: str
    scratch: Path
    absent: Mapping[str, str] = field(default_factory=dict)
    twist: Twist = lambda _text, answer: answer
    twist_served: Twist = lambda _text, answer: answer
    readable: bool = True
    asked: list[str] = field(default_factory=list)
    _read: int = 0

    @property
    def log(self) -> Path:
        return self.scratch / f"{self.name}.kmsg"

    def _local(self, text: str) -> list[str]:
        text = re.sub(r"> /dev/kmsg", f">> '{self.log}'", text)
        return ["sh", "-c", f"TMPDIR='{self.scratch}'\n{text}"]

    @contextmanager
    def _spawn(self, text: str) -> Iterator[ShellServing]:
        part = self.scratch / f"{self.name}-{len(self.asked)}.part"
        self.asked.append(text)
        with (
            part.open("wb") as output,
            subprocess.Popen(
                self._local(text),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            ) as child,
        ):
            try:
                yield ShellServing(part, child)
            finally:
                kill(child)

    def run(self, text: str, limits: Limits) -> Answer:
        with self._spawn(text) as serving:
            return self.twist(text, serving.finish(limits.total))

    @contextmanager
    def serve(self, text: str) -> Iterator[Twisted]:
        with self._spawn(text) as serving:
            yield Twisted(serving, text, self.twist_served)

    def kernel_log(self) -> tuple[str, ...] | None:
        if not self.readable:
            return None
        lines = self.log.read_text().splitlines() if self.log.exists() else []
        found = tuple(lines[self._read :])
        self._read = len(lines)
        return found


class ShellServing:
    """A shell that runs."""

    def __init__(self, part: Path, child: subprocess.Popen[bytes]) -> None:
        self.part = part
        self.child = child

    def finish(self, seconds: float) -> Answer:
        began = time.monotonic()
        while self._code() is None and time.monotonic() < began + seconds:
            time.sleep(0.01)
        code = self._code()
        ended = Ended.TOTAL if code is None else Ended.EXIT
        if code is None:
            kill(self.child)
        lines = tuple(self.part.read_text(errors="replace").splitlines())
        return Answer(ended, code, lines, (), time.monotonic() - began)

    def _code(self) -> int | None:
        code = self.child.poll()
        return code if code is None or code >= 0 else 128 - code


def kill(child: subprocess.Popen[bytes]) -> None:
    """End the shell and all that it started."""
    with suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()


@dataclass
class Twisted:
    serving: ShellServing
    text: str
    twist: Twist

    def finish(self, seconds: float) -> Answer:
        return self.twist(self.text, self.serving.finish(seconds))


def make_pair(
    tmp_path: Path, host: str = "", guest: str = "", ports: Callable[[], int] = free_port
) -> tuple[Pair, ShellEnd, ShellEnd]:
    """Both ends on this machine, so the forwarded port is the guest's own."""
    ends = []
    for name, given in (("host", host), ("guest", guest)):
        folder = Path(given or tmp_path / f"{name}'s bin")
        folder.mkdir(exist_ok=True)
        ends.append(ShellEnd(name, str(folder), tmp_path))
    inside = free_port()
    pair = Pair(ends[0], ends[1], 4242, inside, inside, "127.0.0.1", 51234, ports)
    return pair, ends[0], ends[1]


def dead(ended: Ended, word: str) -> Twist:
    """Commands that hold `word` end so; what they said until then is kept."""
    return lambda text, answer: (
        replace(answer, ended=ended, status=None) if word in text else answer
    )
