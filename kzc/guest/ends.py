# SPDX-License-Identifier: GPL-2.0-only
"""The two ends of a pair, each a place where shell texts run: the host, and the guest behind its
/dev/vhost-vsock.

While a command runs on one end the other is watched too: the guest's consoles are read, and a
guest that dies ends the wait for the host's command, whose peer is gone.
"""

from __future__ import annotations

import itertools
import shlex
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from kzc.errors import KzcError
from kzc.guest.session import Guest
from kzc.hosts.host import Host
from kzc.proc import Running
from kzc.values import Answer, Ended, Limits

_GRACE = 3.0  # seconds for a host's command to say what it saw of the guest's death
_ALIVE = 10.0
_LOOK = 0.5
_KILLED = "kzc: killed"
_DOUBTFUL = {Ended.SILENCE, Ended.TOTAL, Ended.GONE, Ended.KILLED, Ended.STALLED}


def _lost(ended: Ended, host: Host) -> Ended:
    """LOST where a wait ended badly and the host does not answer either."""
    doubtful = ended in _DOUBTFUL
    return Ended.LOST if doubtful and not host.alive(_ALIVE) else ended


@dataclass(frozen=True)
class GuestEnd:
    """The guest's end; `folder` holds its programs, `absent` those that could not be built."""

    guest: Guest
    host: Host
    folder: str
    absent: Mapping[str, str]
    name: str = "guest"
    _count: Iterator[int] = field(default_factory=itertools.count)

    def run(self, text: str, limits: Limits) -> Answer:
        """Run a shell text to its end."""
        answer = self.guest.run(text, limits)
        return replace(answer, ended=_lost(answer.ended, self.host))

    @contextmanager
    def serve(self, text: str) -> Iterator[GuestServing]:
        """Run a shell text in the background, until the `with` block ends."""
        serving = GuestServing(self, f"/tmp/kzc-serving-{next(self._count)}")
        serving.start(text)
        try:
            yield serving
        finally:
            serving.stop()

    def kernel_log(self) -> tuple[str, ...] | None:
        """Lines of the guest's console since the last call."""
        return self.guest.kernel_log()


@dataclass
class GuestServing:
    """A shell text in the background of a guest; its output is in files there."""

    end: GuestEnd
    files: str
    _over: bool = False

    def start(self, text: str) -> None:
        self.end.run(
            f"echo $$ >{self.files}.group\n"
            f"{{ ( {text}\n); echo $? >{self.files}.status; }} >{self.files}.out 2>&1 &",
            Limits(_ALIVE * 6, _ALIVE * 6),
        )

    def finish(self, seconds: float) -> Answer:
        """Wait for its end, at most so long, then kill it; the answer holds all its output."""
        answer = self.end.run(
            f"for _ in $(seq {max(int(seconds * 10), 1)}); do\n"
            f"[ -e {self.files}.status ] && break; sleep 0.1\ndone\n"
            f"[ -e {self.files}.status ] || {{ kill -KILL -$(cat {self.files}.group)\n"
            f"cat {self.files}.out; echo; echo {shlex.quote(_KILLED)}; exit 137; }}\n"
            f"cat {self.files}.out; exit $(cat {self.files}.status)",
            Limits(seconds + 6 * _ALIVE, seconds + 6 * _ALIVE),
        )
        self._over = True
        if answer.ended is Ended.EXIT and answer.output[-1:] == (_KILLED,):
            return replace(answer, ended=Ended.TOTAL, status=None, output=answer.output[:-1])
        return answer

    def stop(self) -> None:
        if not self._over and self.end.guest.failed is None:
            self.finish(0)


@dataclass(frozen=True)
class HostEnd:
    """The host's end. Output of its commands goes to `log`, on this machine, too.

    `console` gives its kernel log since the last call, None where that cannot be read.
    """

    host: Host
    guest: Guest
    folder: str
    absent: Mapping[str, str]
    log: Path
    console: Callable[[], tuple[str, ...] | None]
    name: str = "host"
    _count: Iterator[int] = field(default_factory=itertools.count)

    def run(self, text: str, limits: Limits) -> Answer:
        """Run a shell text to its end; the guest's death ends the wait too."""
        with self.serve(text) as serving:
            return serving.wait(limits, abandon=True)

    @contextmanager
    def serve(self, text: str) -> Iterator[HostServing]:
        """Run a shell text in the background, until the `with` block ends."""
        part = self.log.with_suffix(f".part{next(self._count)}")
        part.touch()
        try:
            with self.host.runner.spawn(["sh", "-c", text], log=part) as child:
                yield HostServing(self, child, part)
        finally:
            with self.log.open("ab") as log:
                log.write(b"=== " + _last_line(text).encode() + b"\n" + part.read_bytes())
            part.unlink()

    def kernel_log(self) -> tuple[str, ...] | None:
        """Lines of the host's kernel log since the last call."""
        return self.console()


@dataclass(frozen=True)
class HostServing:
    """A shell text that runs on the host."""

    end: HostEnd
    child: Running
    part: Path

    def finish(self, seconds: float) -> Answer:
        """Wait for its end, at most so long, then kill it; the answer holds all its output."""
        return self.wait(Limits(seconds, seconds), abandon=False)

    def wait(self, limits: Limits, *, abandon: bool) -> Answer:
        began = heard = time.monotonic()
        size, failed_at = 0, 0.0
        ended: Ended | None = None
        with self._watched():
            while self.child.code is None:
                now = time.monotonic()
                if self.part.stat().st_size != size:
                    heard, size = now, self.part.stat().st_size
                if abandon and self.end.guest.failed:
                    failed_at = failed_at or now
                    ended = self.end.guest.failed if now > failed_at + _GRACE else None
                elif now >= began + limits.total:
                    ended = Ended.TOTAL
                elif now >= heard + limits.silence:
                    ended = Ended.SILENCE
                if ended:
                    break
                self.end.guest.loop.turn(min(_LOOK, began + limits.total - now))
        return self._answer(ended or Ended.EXIT, time.monotonic() - began)

    @contextmanager
    def _watched(self) -> Iterator[None]:
        loop = self.end.guest.loop
        loop.watch(self.child.ended, lambda: None)
        try:
            yield
        finally:
            loop.forget(self.child.ended)

    def _answer(self, ended: Ended, seconds: float) -> Answer:
        code = self.child.code
        if ended is not Ended.EXIT or code is None:
            with suppress(KzcError):
                self.child.stop()
            ended = _lost(ended if ended is not Ended.EXIT else Ended.GONE, self.end.host)
            code = None
        text = self.part.read_bytes().decode(errors="replace").removesuffix("\n")
        lines = [line.rstrip("\r") for line in text.split("\n")] if text else []
        return Answer(ended, code, tuple(lines), (), seconds)


def _last_line(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip()]
    return lines[-1].strip() if lines else ""
