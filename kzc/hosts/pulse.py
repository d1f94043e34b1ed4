# SPDX-License-Identifier: GPL-2.0-only
"""The keeper's channel: heartbeats both ways, so that each end learns that the other is gone.

The keeper (remote.py) removes the folder when heartbeats stay away, and answers each of them; when
no answer came for as long, the connection is dropped and whoever waits on it is told.
"""

from __future__ import annotations

import shlex
import threading
import time
from pathlib import Path

from kzc.errors import HostError
from kzc.hosts.link import BROKEN, Link

REMOTE = Path(__file__).with_name("remote.py")
_MARK = b"kzc-folder "
_STARTING = 60.0  # seconds for the keeper to say where the folder is
_ENDING = 15.0  # seconds for it to remove the folder
_OFTEN = 10.0  # seconds between heartbeats, or less under a short lease


class Pulse:
    """A lease on a folder of a host, renewed by two threads as long as kzc lives."""

    def __init__(self, link: Link, lease: float) -> None:
        self._link = link
        self._lease = lease
        self._channel = link.session()
        self._asked = self._answered = 0
        self._heard = time.monotonic()
        self._told = threading.Condition()
        self._ask_now = threading.Event()
        self._closing = False
        self.folder = self._start()
        for target in (self._ask, self._listen):
            threading.Thread(target=target, name="kzc-pulse", daemon=True).start()

    def _start(self) -> Path:
        source = REMOTE.read_bytes()
        code = f"import sys;exec(sys.stdin.buffer.read({len(source)}))"
        # exec() leaves sys.argv as -c has it: the verb and the lease come after
        python = shlex.join(["exec", "python3", "-I", "-S", "-c", code, "keep", str(self._lease)])
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

    def alive(self, seconds: float) -> bool:
        """True if a heartbeat of now is answered within that time."""
        with self._told:
            wanted = self._asked + 1
            self._ask_now.set()
            self._told.wait_for(lambda: self._answered >= wanted or self._over, seconds)
            return self._answered >= wanted and not self._over

    @property
    def _over(self) -> bool:
        return self._closing or not self._link.active

    def close(self) -> None:
        """Give the folder back and wait until it is away."""
        self._closing = True
        self._ask_now.set()
        try:
            self._channel.shutdown_write()
            self._channel.status_event.wait(_ENDING)
        except BROKEN:
            pass  # the keeper has seen it too
        self._channel.close()

    def _ask(self) -> None:
        every = min(_OFTEN, self._lease / 4)
        while not self._over:
            with self._told:
                self._asked += 1
            try:
                self._channel.sendall(b".")
            except BROKEN:
                break
            self._ask_now.wait(every)
            self._ask_now.clear()
        self._wake()

    def _listen(self) -> None:
        self._channel.settimeout(min(1.0, self._lease / 4))
        while not self._over:
            try:
                answers = len(self._channel.recv(1 << 12))
            except TimeoutError:
                if time.monotonic() - self._heard > self._lease:
                    break
                continue
            except BROKEN:
                break
            if not answers:
                break
            self._heard = time.monotonic()
            with self._told:
                self._answered += answers
                self._told.notify_all()
        if not self._closing:
            self._link.close()
        self._wake()

    def _wake(self) -> None:
        with self._told:
            self._told.notify_all()
