# SPDX-License-Identifier: GPL-2.0-only
"""The keeper's session, with everything that runs on the host in it, and heartbeats both ways.

Each end learns by them that the other is gone: the keeper (keeper.py) removes the folder when none
came for the time of the lease, and when no answer came for as long the connection is dropped and
whoever waits on it is told.
"""

from __future__ import annotations

import itertools
import shlex
import threading
import time
from pathlib import Path

from kzc import guard
from kzc.errors import HostError
from kzc.hosts import frames, keeper, relay
from kzc.hosts.link import BROKEN, Link
from kzc.hosts.stream import Stream

_STARTING = 60.0  # seconds for the keeper to say where the folder is
_ENDING = 15.0  # seconds for it to remove the folder
_OFTEN = 10.0  # seconds between heartbeats, or less under a short lease
_CHUNK = 1 << 16
_MARK = keeper.MARK.encode()
# the keeper's own modules, under their names, in the order of their needs; then it runs
_MODULES = {
    "kzc": None,
    "kzc.guard": guard,
    "kzc.hosts": None,
    "kzc.hosts.frames": frames,
    "kzc.hosts.relay": relay,
    "kzc.hosts.keeper": keeper,
}
_LOADER = """
import sys
for name, source in {sources!r}.items():
    module = sys.modules[name] = type(sys)(name)
    above, _, last = name.rpartition(".")
    if above:
        setattr(sys.modules[above], last, module)
    exec(compile(source, name, "exec"), module.__dict__)
sys.exit(module.keep({lease!r}))
"""


def _bundle(lease: float) -> bytes:
    sources = {
        name: Path(str(module.__file__)).read_text() if module else ""
        for name, module in _MODULES.items()
    }
    return _LOADER.format(sources=sources, lease=lease).encode()


class Pulse:
    """A lease on a folder of a host, renewed by two threads as long as kzc lives."""

    def __init__(self, link: Link, lease: float) -> None:
        self._link = link
        self._lease = lease
        self._channel = link.session()
        self._asked = self._answered = 0
        self._told = threading.Condition()
        self._ask_now = threading.Event()
        self._closing = False
        self._sending = threading.Lock()
        self._numbers = itertools.count(1)
        self._streams: dict[int, Stream] = {}
        self.folder = self._start()
        self._heard = time.monotonic()
        for target in (self._ask, self._listen):
            threading.Thread(target=target, name="kzc-pulse", daemon=True).start()

    def open(self, kind: bytes, data: bytes) -> Stream:
        """A new stream: kind and data as frames.py has them. Raises OSError on a lost link."""
        number = next(self._numbers)
        stream = Stream(lambda kind, data: self._send(frames.frame(kind, number, data)))
        with self._told:
            self._streams[number] = stream
            over = self._over
        if over:
            stream.lose()
        self._send(frames.frame(kind, number, data))
        return stream

    def alive(self, seconds: float) -> bool:
        """True if a heartbeat of now is answered within that time."""
        with self._told:
            wanted = self._asked + 1
            self._ask_now.set()
            self._told.wait_for(lambda: self._answered >= wanted or self._over, seconds)
            return self._answered >= wanted and not self._over

    def close(self) -> None:
        """Give the folder back and wait until it is away."""
        self._closing = True
        with self._sending:
            pass  # who is sending sees it and stops
        self._ask_now.set()
        try:
            self._channel.shutdown_write()
            self._channel.status_event.wait(_ENDING)
        except BROKEN:
            pass  # the keeper has seen it too
        self._channel.close()

    @property
    def _over(self) -> bool:
        return self._closing or not self._link.active

    def _start(self) -> Path:
        source = _bundle(self._lease)
        code = f"import sys;exec(sys.stdin.buffer.read({len(source)}))"
        python = shlex.join(["exec", "python3", "-I", "-S", "-c", code, keeper.NAME])
        try:
            self._channel.settimeout(_STARTING)
            self._channel.exec_command(shlex.join(["exec", "sh", "-c", python]))
            self._channel.sendall(source)
            return Path(self._folder_said())
        except BROKEN:
            raise HostError(f"{self._link.name} does not start python3") from None

    def _folder_said(self) -> str:
        """The line with the mark; what the login shell's own files print is passed over."""
        said = b""
        while data := self._channel.recv(1 << 12):
            said += data
            for line in said.split(b"\n")[:-1]:
                if line.startswith(_MARK):
                    return line.removeprefix(_MARK).decode(errors="surrogateescape")
        why = self._channel.makefile_stderr("rb").read().decode(errors="replace").strip()
        if self._channel.recv_exit_status() == 127:
            raise HostError(
                f"{self._link.name} has no python3, which guards what kzc starts there",
                "install it there (Debian: apt-get install python3-minimal)",
            )
        raise HostError(f"no scratch folder on {self._link.name}: {why.splitlines()[-1:]}")

    def _send(self, data: bytes) -> None:
        try:
            with self._sending:
                while data:
                    if self._closing:
                        raise OSError("the connection is being closed")
                    data = data[self._sent(data) :]
        except BROKEN as error:
            if not self._closing:
                self._link.close()  # half a frame may have gone out, and the rest would be garbage
            raise OSError(str(error)) from None

    def _sent(self, data: bytes) -> int:
        """How much of it went out; a host that takes nothing may be slow, but not for the lease."""
        try:
            return int(self._channel.send(data))
        except TimeoutError:
            if time.monotonic() - self._heard > self._lease:
                raise
            return 0

    def _ask(self) -> None:
        every = min(_OFTEN, self._lease / 4)
        while not self._over:
            with self._told:
                self._asked += 1
            try:
                self._send(frames.frame(frames.BEAT))
            except OSError:
                break
            self._ask_now.wait(every)
            self._ask_now.clear()
        self._wake()

    def _listen(self) -> None:
        cutter = frames.Cutter()
        self._channel.settimeout(min(1.0, self._lease / 4))
        while self._link.active:
            try:
                data = self._channel.recv(_CHUNK)
            except TimeoutError:
                if time.monotonic() - self._heard > self._lease:
                    break
                continue
            except BROKEN:
                break
            if not data:
                break
            self._heard = time.monotonic()
            try:
                found = cutter.feed(data)
            except ValueError:
                break
            for kind, number, text in found:
                self._take(kind, number, text)
        if not self._closing:
            self._link.close()
        with self._told:
            streams, self._streams = list(self._streams.values()), {}
        for stream in streams:
            stream.lose()
        self._wake()

    def _take(self, kind: bytes, number: int, data: bytes) -> None:
        with self._told:
            if kind == frames.BEAT:
                self._answered += 1
                self._told.notify_all()
            stream = self._streams.get(number)
            if kind == frames.STATUS:
                self._streams.pop(number, None)
        if stream is not None:
            stream.feed(kind, data)

    def _wake(self) -> None:
        with self._told:
            self._told.notify_all()
