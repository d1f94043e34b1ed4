# SPDX-License-Identifier: GPL-2.0-only
"""A running guest: started, asked to run commands, watched, and gone when the `with` block ends.

Its QEMU runs on a host: this machine, or one over SSH, which may itself be a guest. One loop, no
threads: it waits for the console, the control channel and the end of QEMU at once, so a panic
ends every wait immediately. Of the three timeouts (boot, silence, total) silence counts
from the last byte on either channel. On a hang the kernel is asked for its tasks (sysrq t and w)
before the guest is killed.
"""

from __future__ import annotations

import secrets
import selectors
import shlex
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import IO

from kzc.errors import HostError
from kzc.guest import argv, channel, events
from kzc.guest.argv import GuestSpec, Sockets
from kzc.guest.loop import Loop
from kzc.guest.monitor import Monitor
from kzc.guest.terminal import SERVE, Terminal, sized
from kzc.hosts.host import Host, Listener
from kzc.proc import Running
from kzc.values import Answer, Ended, Limits

_AGENT = Path(__file__).with_name("agent.sh")
_STRAGGLERS = 0.5  # seconds that bytes of a QEMU that ended may still be on their way
_DRAIN = 3.0  # seconds for the rest of a panic, or of a sysrq dump, to come through
_SOON = 0.002  # seconds for the console to say what it has already
_FLOOD = 0.5  # seconds after which what still comes is no rest any more
_NAMES = ("console", "control", "qmp", "terminal")


Hearer = Callable[[str, str], None]
"""Called with the channel's name (console or control) and each complete line."""


@contextmanager
def boot(
    spec: GuestSpec,
    folder: Path,
    host: Host,
    limits: Limits,
    *,
    loop: Loop | None = None,
    beneath: Callable[[], Ended | None] = lambda: None,
    connected: Callable[[Guest], None] = lambda _guest: None,
    hearer: Hearer = lambda _channel, _line: None,
) -> Iterator[Guest]:
    """Start a guest and wait until a round trip through its agent was answered.

    Logs go to `folder` (console.log, control.log, qemu.log), which must exist. `loop` is shared by
    the guests of one topology, `beneath` says why the host below is of no use any more, if so;
    `connected` is called as soon as QEMU's channels are there.
    Yields the guest in any case: its `booted` answer says whether it is of use. Raises HostError
    when QEMU or virtme-ng could not be started at all.
    """
    with ExitStack() as stack:
        scratch = stack.enter_context(host.scratch(f"guest-{secrets.token_hex(4)}"))
        names = _NAMES[: None if spec.terminal else -1]
        sockets = Sockets(*(scratch / name for name in names))
        listening = {name: stack.enter_context(host.listen(scratch / name)) for name in names}
        there = replace(
            spec,
            image=host.put(spec.image) if spec.kind == "mini" else spec.image,
            initrd=host.put(spec.initrd) if spec.initrd else None,
        )
        line = argv.line(there, sockets, _AGENT)
        (folder / "qemu.log").write_text(shlex.join(line) + "\n")
        # what a killed virtme-ng cannot remove goes with the folder
        environment = {**argv.environment(spec), "TMPDIR": str(scratch)}
        starting = host.runner.spawn(line, log=folder / "qemu.log", env=environment)
        began = time.monotonic()
        child = stack.enter_context(starting)
        logs = {
            name: stack.enter_context((folder / f"{name}.log").open("ab"))
            for name in ("console", "control")
        }
        loop = loop or stack.enter_context(closing(Loop()))
        guest = Guest(spec, child, logs, loop=loop, beneath=beneath, hearer=hearer, lag=host.lag)
        stack.callback(guest.close)
        if not guest.connect(listening, sockets.console, began + limits.total):
            raise HostError(
                f"{line[0]} ended before it connected to kzc: {_last_line(folder / 'qemu.log')}",
                f"the whole output is {folder / 'qemu.log'}; see `kzc doctor`",
            )
        connected(guest)
        guest.begin(began, limits)
        yield guest


class Guest:
    """The host's end of a guest's channels. Made by `boot`."""

    def __init__(
        self,
        spec: GuestSpec,
        child: Running,
        logs: Mapping[str, IO[bytes]],
        *,
        loop: Loop,
        beneath: Callable[[], Ended | None],
        hearer: Hearer,
        lag: float,
    ) -> None:
        self.loop = loop
        self._spec = spec
        self._child = child
        self._logs = logs
        self._beneath = beneath
        self._hearer = hearer
        self._lag = lag
        self._cutters = {"console": channel.Lines(), "control": channel.Lines()}
        self._sockets: dict[str, socket.socket] = {}
        self._monitor: Monitor | None = None
        self._console: list[str] = []
        self._control: list[str] = []
        self._told = 0
        self._panicked = False
        self._heard = False
        self._gone = False
        self._killed = False
        self._stalled = False
        self.terminal: Terminal | None = None
        self.booted = Answer(Ended.GONE, None, (), (), 0.0)

    def connect(self, listening: dict[str, Listener], console: Path, deadline: float) -> bool:
        """Take QEMU's connections; False when it ended or `deadline` came before the last one."""
        qmp = self._accept(listening["qmp"], deadline)
        if qmp is None:
            return False
        self._monitor = monitor = Monitor(qmp)
        if self._spec.kind == "vng":
            monitor.redirect(argv.CONSOLE["vng"], console)
            monitor.start()
        for name in ("console", "control"):
            connected = self._accept(listening[name], deadline)
            if connected is None:
                return False
            self._sockets[name] = connected
            self.loop.watch(connected, partial(self._read, name))
        if "terminal" in listening:
            port = self._accept(listening["terminal"], deadline)
            if port is None:
                return False
            self.terminal = Terminal(port, self.loop, self._resize)
        self.loop.watch(self._child.ended, self._end)
        return True

    def _resize(self, rows: int, columns: int) -> None:
        """Nobody waits for the answer: only a kept guest is asked, whose suite is over."""
        with suppress(OSError):
            text = sized(rows, columns)
            self._sockets["control"].sendall(channel.request(secrets.token_hex(8), text))

    def _accept(self, server: Listener, deadline: float) -> socket.socket | None:
        with selectors.DefaultSelector() as waiting:
            waiting.register(server, selectors.EVENT_READ)
            waiting.register(self._child.ended, selectors.EVENT_READ)
            ready = {key.fileobj for key, _ in waiting.select(max(deadline - time.monotonic(), 0))}
        return server.accept() if server in ready else None

    @property
    def failed(self) -> Ended | None:
        """What became of the guest: PANIC, GONE, KILLED, STALLED, what is said of its host, or
        None while it is of use."""
        if self._panicked:
            return Ended.PANIC
        if (beneath := self._beneath()) or not self._gone:
            return beneath or (Ended.STALLED if self._stalled else None)
        return Ended.KILLED if self._killed else Ended.GONE

    @property
    def monitor(self) -> Monitor:
        """QEMU's monitor of a guest that was started."""
        assert self._monitor is not None
        return self._monitor

    def kernel_log(self) -> tuple[str, ...]:
        """Console lines since the last call, with what is still on its way."""
        self._drain(self._lag)
        lines = tuple(self._console[self._told :])
        self._told = len(self._console)
        return lines

    def begin(self, began: float, limits: Limits) -> None:
        """Wait for the boot, counted from `began`; open the terminal if there is one."""
        before = time.monotonic() - began
        booted = self.hello(limits)
        self.booted = replace(booted, seconds=before + booted.seconds)
        if self.terminal is not None and booted.ended is Ended.EXIT:
            self.run(SERVE, limits)

    def hello(self, limits: Limits) -> Answer:
        """Wait for the agent and for its answer to an empty command: all of it is the boot."""
        first = self._wait(lambda line: 0 if line == channel.HELLO else None, limits)
        if first.ended is not Ended.EXIT:
            return first
        answer = self.run("true", limits)
        self._drain(self._lag)
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
                if self._spec.console != argv.HVC:
                    self._monitor.send_break(argv.CONSOLE[self._spec.kind])
                sysrq = argv.SYSRQ if self._spec.console == argv.HVC else b""
                self._sockets["console"].sendall(sysrq + key.encode())
                self._drain(_DRAIN)

    def close(self) -> None:
        self.loop.forget(self._child.ended)
        for sock in self._sockets.values():
            self.loop.forget(sock)
        if self.terminal is not None:
            self.terminal.close()
        self._child.stop()
        if self._monitor is not None:
            self._monitor.close()
        for sock in self._sockets.values():
            sock.close()

    def _wait(self, ends: Callable[[str], int | None], limits: Limits) -> Answer:
        began = heard = time.monotonic()
        wait = _Wait(began, len(self._console))
        while True:
            now = time.monotonic()
            deadline = min(heard + limits.silence, began + limits.total)
            if self.failed:
                if self._panicked:
                    self._drain(_DRAIN)
                return self._answer(self.failed, None, wait)
            if now >= deadline:
                ended = Ended.TOTAL if now >= began + limits.total else Ended.SILENCE
                self._stalled = self._monitor is not None and not self._monitor.answers()
                if not self._stalled:
                    self.dump_tasks()
                return self._answer(self.failed or ended, None, wait)
            self._pump(deadline - now)
            while self._control:
                line = self._control.pop(0)
                if (status := ends(line)) is not None:
                    self._drain(_SOON)
                    return self._answer(Ended.EXIT, status, wait)
                wait.output.append(line)
            heard = time.monotonic() if self._heard else heard

    def _answer(self, ended: Ended, status: int | None, wait: _Wait) -> Answer:
        output = wait.output
        if ended is Ended.EXIT and output and not output[-1]:
            output = output[:-1]  # the agent's own newline before its answer
        elif rest := self._cutters["control"].rest:
            output = [*output, rest.decode(errors="replace")]
        seconds = time.monotonic() - wait.began
        return Answer(ended, status, tuple(output), tuple(self._console[wait.console :]), seconds)

    def _drain(self, seconds: float) -> None:
        """Take what still comes until nothing did for `seconds`, but not for ever."""
        end = time.monotonic() + max(10 * seconds, _FLOOD)
        while time.monotonic() < end and not self._gone:
            self._pump(seconds)
            if not self._heard:
                return

    def _pump(self, timeout: float) -> None:
        """Let all channels be read; `_heard` tells whether this guest said anything."""
        self._heard = False
        self.loop.turn(timeout)

    def _end(self) -> None:
        """QEMU is gone; what it had sent before is taken first."""
        self.loop.forget(self._child.ended)
        for name, sock in self._sockets.items():
            sock.settimeout(_STRAGGLERS)
            while self._read(name):
                continue
        by_signal = 128 < (self._child.code or 0) < 128 + 65
        # virtme-ng ends with 255, whatever became of its QEMU
        self._killed = by_signal or (self._monitor is not None and self._monitor.forsaken())
        self._gone = True

    def _read(self, name: str) -> bool:
        """Take what is there; False when nothing will come any more."""
        try:
            data = self._sockets[name].recv(1 << 16)
        except OSError:
            data = b""
        if not data:
            self.loop.forget(self._sockets[name])
            return False
        self._heard = True
        self._logs[name].write(data)
        self._logs[name].flush()
        lines = self._cutters[name].feed(data)
        for line in lines:
            self._hearer(name, line)
        if name == "control":
            self._control += lines
            return True
        self._console += lines
        found = (events.event(line) for line in lines)
        self._panicked |= any(event and event.kind is events.Kind.PANIC for event in found)
        return True


@dataclass
class _Wait:
    """One wait: when it began, how much console there was then, what came since."""

    began: float
    console: int
    output: list[str] = field(default_factory=list)


def _last_line(path: Path) -> str:
    lines = path.read_text(errors="replace").strip().splitlines()
    return lines[-1] if lines else "it said nothing"
