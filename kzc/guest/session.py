# SPDX-License-Identifier: GPL-2.0-only
"""A running guest: started, asked to run commands, watched, and gone when the `with` block ends.

One loop, no threads: it waits for the console, the control channel and the end of QEMU at once,
so a panic ends every wait immediately. Of the three timeouts (boot, silence, total) silence counts
from the last byte on either channel. On a hang the kernel is asked for its tasks (sysrq t and w)
before the guest is killed.
"""

from __future__ import annotations

import secrets
import selectors
import socket
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import IO

from kzc.errors import HostError
from kzc.guest import argv, channel, events
from kzc.guest.argv import GuestSpec, Sockets
from kzc.guest.monitor import Monitor
from kzc.proc import Child, Runner
from kzc.values import Answer, Ended, Limits

_AGENT = Path(__file__).with_name("agent.sh")
_DRAIN = 3.0  # seconds for the rest of a panic, or of a sysrq dump, to come through
_NAMES = ("console", "control", "qmp")


Listener = Callable[[str, str], None]
"""Called with the channel's name (console or control) and each complete line."""


@contextmanager
def boot(
    spec: GuestSpec,
    folder: Path,
    runner: Runner,
    limits: Limits,
    listener: Listener = lambda _channel, _line: None,
) -> Iterator[Guest]:
    """Start a guest and wait until a round trip through its agent was answered.

    Logs go to `folder` (console.log, control.log, qemu.log), which must exist. Yields the guest in
    any case: its `booted` answer says whether it is of use. Raises HostError when QEMU or
    virtme-ng could not be started at all.
    """
    with ExitStack() as stack:
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="kzc-")))
        sockets = Sockets(*(scratch / name for name in _NAMES))
        listening = {name: stack.enter_context(_listen(scratch / name)) for name in _NAMES}
        line = argv.mini(spec, sockets) if spec.kind == "mini" else argv.vng(spec, sockets, _AGENT)
        (folder / "qemu.log").write_text(" ".join(line) + "\n")
        began = time.monotonic()
        child = stack.enter_context(
            runner.spawn(line, log=folder / "qemu.log", env=argv.environment(spec))
        )
        guest = Guest(
            spec,
            child,
            stack.enter_context((folder / "console.log").open("ab")),
            stack.enter_context((folder / "control.log").open("ab")),
            listener,
        )
        stack.callback(guest.close)
        if not guest.connect(listening, sockets.console, began + limits.total):
            raise HostError(
                f"{line[0]} ended before it connected to kzc: {_last_line(folder / 'qemu.log')}",
                f"the whole output is {folder / 'qemu.log'}; see `kzc doctor`",
            )
        before = time.monotonic() - began
        booted = guest.hello(limits)
        guest.booted = replace(booted, seconds=before + booted.seconds)
        yield guest


class Guest:
    """The host's end of a guest's channels. Made by `boot`."""

    def __init__(
        self,
        spec: GuestSpec,
        child: Child,
        console: IO[bytes],
        control: IO[bytes],
        listener: Listener,
    ) -> None:
        self._spec = spec
        self._child = child
        self._logs = {"console": console, "control": control}
        self._listener = listener
        self._selector = selectors.DefaultSelector()
        self._cutters = {"console": channel.Lines(), "control": channel.Lines()}
        self._sockets: dict[str, socket.socket] = {}
        self._monitor: Monitor | None = None
        self._console: list[str] = []
        self._panicked = False
        self._heard = False
        self._gone = False
        self.booted = Answer(Ended.GONE, None, (), (), 0.0)

    def connect(self, listening: dict[str, socket.socket], console: Path, deadline: float) -> bool:
        """Take QEMU's connections; False when it ended or `deadline` came before the last one."""
        qmp = self._accept(listening["qmp"], deadline)
        if qmp is None:
            return False
        self._monitor = monitor = Monitor(qmp)
        if self._spec.kind == "vng":
            monitor.redirect(argv.CONSOLE["vng"], console)
            monitor.start()
        self._selector.register(self._child.pidfd, selectors.EVENT_READ, "exit")
        for name in ("console", "control"):
            connected = self._accept(listening[name], deadline)
            if connected is None:
                return False
            self._sockets[name] = connected
            self._selector.register(connected, selectors.EVENT_READ, name)
        return True

    def _accept(self, server: socket.socket, deadline: float) -> socket.socket | None:
        with selectors.DefaultSelector() as waiting:
            waiting.register(server, selectors.EVENT_READ)
            waiting.register(self._child.pidfd, selectors.EVENT_READ)
            ready = {key.fileobj for key, _ in waiting.select(deadline - time.monotonic())}
        return server.accept()[0] if server in ready else None

    def hello(self, limits: Limits) -> Answer:
        """Wait for the agent and for its answer to an empty command: all of it is the boot."""
        first = self._wait(lambda line: 0 if line == channel.HELLO else None, limits)
        if first.ended is not Ended.EXIT:
            return first
        answer = self.run("true", limits)
        console = (*first.console, *answer.console)
        return replace(answer, console=console, seconds=first.seconds + answer.seconds)

    def run(self, text: str, limits: Limits) -> Answer:
        """Run `text` in the guest's shell and wait for its end, or for the guest's."""
        nonce = secrets.token_hex(8)
        with suppress(OSError):
            self._sockets["control"].sendall(channel.request(nonce, text))
        return self._wait(lambda line: channel.status_of(line, nonce), limits)

    def dump_tasks(self) -> None:
        """Have the kernel print all tasks and the blocked ones to the console (sysrq t, w)."""
        if self._monitor is None:
            return
        with suppress(OSError):
            for key in "tw":
                self._monitor.send_break(argv.CONSOLE[self._spec.kind])
                self._sockets["console"].sendall(key.encode())
                self._drain(_DRAIN)

    def close(self) -> None:
        self._child.stop()
        if self._monitor is not None:
            self._monitor.close()
        self._selector.close()
        for sock in self._sockets.values():
            sock.close()

    def _wait(self, ends: Callable[[str], int | None], limits: Limits) -> Answer:
        began = heard = time.monotonic()
        self._console = []
        output: list[str] = []
        while True:
            now = time.monotonic()
            deadline = min(heard + limits.silence, began + limits.total)
            if self._panicked:
                self._drain(_DRAIN)
                return self._answer(Ended.PANIC, None, output, began)
            if self._gone:
                return self._answer(Ended.GONE, None, output, began)
            if now >= deadline:
                ended = Ended.TOTAL if now >= began + limits.total else Ended.SILENCE
                self.dump_tasks()
                return self._answer(ended, None, output, began)
            for line in self._pump(deadline - now):
                if (status := ends(line)) is not None:
                    self._drain(0.05)
                    return self._answer(Ended.EXIT, status, output, began)
                output.append(line)
            heard = time.monotonic() if self._heard else heard

    def _answer(self, ended: Ended, status: int | None, output: list[str], began: float) -> Answer:
        if ended is Ended.EXIT and output and not output[-1]:
            output = output[:-1]  # the agent's own newline before its answer
        elif rest := self._cutters["control"].rest:
            output = [*output, rest.decode(errors="replace")]
        seconds = time.monotonic() - began
        return Answer(ended, status, tuple(output), tuple(self._console), seconds)

    def _drain(self, seconds: float) -> None:
        """Take what still comes until nothing did for `seconds`, but not for ever."""
        end = time.monotonic() + 10 * seconds
        while time.monotonic() < end and not self._gone:
            self._pump(seconds)
            if not self._heard:
                return

    def _pump(self, timeout: float) -> list[str]:
        """Read what is there; return complete control lines, keep console lines."""
        self._heard = False
        control: list[str] = []
        ready = {key.data: key for key, _ in self._selector.select(max(timeout, 0))}
        for name in ("console", "control"):
            if name in ready:
                control += self._read(name)
        if "exit" in ready and not self._heard:
            self._gone = True
        return control

    def _read(self, name: str) -> list[str]:
        try:
            data = self._sockets[name].recv(1 << 16)
        except OSError:
            data = b""
        if not data:
            self._selector.unregister(self._sockets[name])
            return []
        self._heard = True
        self._logs[name].write(data)
        self._logs[name].flush()
        lines = self._cutters[name].feed(data)
        for line in lines:
            self._listener(name, line)
        if name == "control":
            return lines
        self._console += lines
        found = (events.event(line) for line in lines)
        self._panicked |= any(event and event.kind is events.Kind.PANIC for event in found)
        return []


@contextmanager
def _listen(path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as server:
        server.bind(str(path))
        server.listen(1)
        yield server


def _last_line(path: Path) -> str:
    lines = path.read_text(errors="replace").strip().splitlines()
    return lines[-1] if lines else "it said nothing"
