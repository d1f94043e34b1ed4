# SPDX-License-Identifier: GPL-2.0-only
"""A QEMU that runs: its process, its monitor and its writer, all gone when the `with` ends."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import IO

from qemu_migration import tools
from qemu_migration.command import Spec, argv
from qemu_migration.errors import Failed
from qemu_migration.memory import Memory
from qemu_migration.monitor import Gone, Monitor
from qemu_migration.writer import Writer

_TICKS = os.sysconf("SC_CLK_TCK")


class Qemu:
    """A QEMU that was started; `connect` waits for it, so that two can start at once."""

    def __init__(
        self, process: subprocess.Popen[bytes], ends: dict[str, socket.socket], log: IO[bytes]
    ) -> None:
        self.pid = process.pid
        self._process = process
        self._ends = ends
        self._log = log
        self._monitor: Monitor | None = None

    def connect(self, patience: float) -> None:
        """Raises Failed with what QEMU said when it is not up after `patience` seconds."""
        try:
            self._monitor = Monitor(self._ends["monitor"], patience)
        except Gone as gone:
            raise Failed(f"QEMU did not start: {self.said()} ({gone})") from None
        self.writer = Writer(self._ends["writer"], patience)

    @property
    def monitor(self) -> Monitor:
        """The monitor of one that is connected."""
        assert self._monitor is not None
        return self._monitor

    @property
    def state(self) -> str:
        """The guest's run state (query-status)."""
        return str(self.monitor.ask("query-status")["status"])

    def pause(self) -> None:
        """Have the kernel not run it any more, as if its machine were slow."""
        self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Behind pause."""
        self._process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        """Returns when it is dead."""
        self._process.kill()
        self._process.wait()

    def cpu(self) -> float:
        """Seconds of CPU that all of its threads have had, in user space and kernel."""
        with open(f"/proc/{self.pid}/stat", encoding="ascii", errors="replace") as file:
            fields = file.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS

    def said(self) -> str:
        """The last line on its standard error."""
        self._log.seek(0)
        lines = self._log.read().decode(errors="replace").strip().splitlines()
        return lines[-1] if lines else "it said nothing"

    def close(self) -> None:
        """The end of it, whatever state it is in."""
        self.kill()
        if self._monitor is not None:
            self._monitor.close()


@contextmanager
def started(namespace: str, memory: Memory, locked: int, *, waits: bool = False) -> Iterator[Qemu]:
    """A QEMU in a namespace, with RLIMIT_MEMLOCK (bytes); one that `waits` takes a migration in."""
    with ExitStack() as stack:
        pairs = {name: socket.socketpair() for name in ("monitor", "writer")}
        for pair in pairs.values():
            for end in pair:
                stack.enter_context(end)
        inherited = {name: pair[1].fileno() for name, pair in pairs.items()}
        spec = Spec(
            namespace,
            memory.size,
            locked,
            memory.fd,
            inherited["monitor"],
            inherited["writer"],
            waits,
        )
        log = stack.enter_context(tempfile.TemporaryFile())
        process = subprocess.Popen(
            argv(spec, shutil.which(tools.QEMU, path=tools.PATH) or tools.QEMU),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            pass_fds=(memory.fd, *inherited.values()),
            start_new_session=True,
        )
        for _, end in pairs.values():
            end.close()  # or its end would not be seen
        qemu = Qemu(process, {name: pair[0] for name, pair in pairs.items()}, log)
        stack.callback(qemu.close)
        yield qemu
