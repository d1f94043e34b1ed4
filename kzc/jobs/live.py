# SPDX-License-Identifier: GPL-2.0-only
"""What runs now: every kzc with an open run says so in `DATA/live`, with its machines.

`RUN.json` says what, and the lock on `RUN.lock` says that it is true: the system frees the lock of
a kzc that was killed, and whoever finds it free removes both. Nothing here is kept after a run.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from select import select

from kzc.errors import HostError, UsageError
from kzc.inuse import orphaned, owned

_PATIENCE = 20.0  # seconds for a kzc to end its guests and tidy up after SIGTERM
SCRATCH = "kzc-"  # how the names of scratch folders begin
_FADING = 10.0  # seconds for what a killed kzc leaves to be seen as gone


@dataclass(frozen=True)
class Machine:
    """A guest or host of a run. `socket` is where a kept guest's terminal is attached to, from the
    folder of the run's sockets; `address` an ssh:// address where a host is reached so; `scratch`
    a folder of this machine that goes with it."""

    name: str
    what: str
    since: str
    kept: bool = False
    socket: str = ""
    address: str = ""
    scratch: str = ""


@dataclass(frozen=True)
class Entry:
    """A run that somebody works on: `pid` is its kzc's."""

    run: str
    pid: int
    command: tuple[str, ...]
    started: str
    machines: tuple[Machine, ...] = ()

    @property
    def kept(self) -> bool:
        """Whether its suites are over and its machines wait for visitors."""
        return any(machine.kept for machine in self.machines)


class Live:
    """A run's own entry. Made by `registered`."""

    def __init__(self, folder: Path, entry: Entry) -> None:
        self._folder = folder
        self._entry = entry
        self._write()

    @contextmanager
    def machine(
        self, name: str, what: str, *, address: str = "", scratch: str = ""
    ) -> Iterator[str]:
        """A machine is up as long as the block runs; yields its name, made unique in the run."""
        taken = {each.name for each in self._entry.machines}
        number = 1
        while (own := name if number == 1 else f"{name}-{number}") in taken:
            number += 1
        new = Machine(own, what, _now(), address=address, scratch=scratch)
        self._change((*self._entry.machines, new))
        try:
            yield own
        finally:
            self._change([each for each in self._entry.machines if each.name != own])

    @property
    def machines(self) -> tuple[Machine, ...]:
        """What is up."""
        return self._entry.machines

    @property
    def run(self) -> str:
        return self._entry.run

    @property
    def sockets(self) -> Path:
        """The folder for sockets of this run; it need not be there."""
        return sockets(self._folder, self.run)

    def mark(self, name: str, *, kept: bool, socket: str = "") -> None:
        """Say that a machine waits for visitors, or does no more."""
        self._change(
            [
                replace(each, kept=kept, socket=socket) if each.name == name else each
                for each in self.machines
            ]
        )

    def _change(self, machines: Sequence[Machine]) -> None:
        self._entry = replace(self._entry, machines=tuple(machines))
        self._write()

    def _write(self) -> None:
        path = self._folder / f"{self._entry.run}.json"
        part = path.with_suffix(".part")
        try:
            part.write_text(json.dumps(asdict(self._entry)))
            part.replace(path)
        except OSError as error:
            raise HostError(f"{path} could not be written: {error.strerror}") from None


@contextmanager
def registered(data: Path, run: str, command: Sequence[str]) -> Iterator[Live]:
    """Say that this process works on a run, as long as the block runs.

    What killed ones have left is removed first.
    """
    running(data)
    folder = data / "live"
    folder.mkdir(parents=True, exist_ok=True)
    with owned(folder / f"{run}.lock"):
        try:
            yield Live(folder, Entry(run, os.getpid(), tuple(command), _now()))
        finally:
            _forget(folder, run)


def running(data: Path) -> tuple[Entry, ...]:
    """All that runs, the oldest first; what dead ones left is removed."""
    folder = data / "live"
    found = []
    for lock in sorted(folder.glob("*.lock")):
        with orphaned(lock) as dead:
            entry = _read(folder, lock.stem)
            if dead:
                _remove_scratch(entry)
                _forget(folder, lock.stem)
            elif entry is not None:
                found.append(entry)
    return tuple(sorted(found, key=lambda entry: entry.started))


def chosen(entries: Sequence[Entry], name: str) -> Entry:
    """The entry of that run, or of the one whose id begins or ends so; without a name the only
    one. Raises UsageError that lists what runs."""
    there = ", ".join(entry.run for entry in entries)
    if not entries:
        raise UsageError("no kzc runs here", "`kzc runs` shows what was run")
    meant = [
        entry
        for entry in entries
        if not name or entry.run.startswith(name) or entry.run.endswith(f"-{name}")
    ]
    if not meant:
        raise UsageError(f"no run {name} is going on", f"there are: {there}")
    if len(meant) > 1:
        which = f"{name} may be any of" if name else "several runs are going on:"
        raise UsageError(f"{which} {', '.join(entry.run for entry in meant)}", "say which")
    return meant[0]


def stop(data: Path, entry: Entry, patience: float = _PATIENCE) -> bool:
    """End a run's kzc as Ctrl-C does; True if it tidied up, False if it had to be killed.

    A killed one's guards end all that it started. Raises HostError where it is another user's.
    """
    try:
        process = os.pidfd_open(entry.pid)
    except ProcessLookupError:
        return True
    try:
        # the lock is still held, so the process with that number still is that kzc
        if all(each.run != entry.run or each.pid != entry.pid for each in running(data)):
            return True
        signal.pidfd_send_signal(process, signal.SIGTERM)
        if select([process], [], [], patience)[0]:
            return True
        signal.pidfd_send_signal(process, signal.SIGKILL)
        select([process], [], [], _FADING)
        return False
    except ProcessLookupError:
        return True
    except PermissionError:
        raise HostError(f"process {entry.pid} of run {entry.run} is not yours to stop") from None
    finally:
        os.close(process)
        running(data)


def sockets(folder: Path, run: str) -> Path:
    """Where a run's sockets are, in the folder of all that is live."""
    return folder / f"{run}.sockets"


def _read(folder: Path, run: str) -> Entry | None:
    """What a run says of itself; None where it is only just beginning, or ending."""
    with suppress(OSError, ValueError, KeyError, TypeError, AttributeError):
        read = json.loads((folder / f"{run}.json").read_text())
        machines = tuple(Machine(**each) for each in read.pop("machines"))
        return Entry(**{**read, "command": tuple(read["command"])}, machines=machines)
    return None


def _remove_scratch(entry: Entry | None) -> None:
    """What a killed kzc could not remove; its guests were killed by their guards."""
    for machine in entry.machines if entry else ():
        scratch = Path(machine.scratch)
        if scratch.name.startswith(SCRATCH):
            shutil.rmtree(scratch, ignore_errors=True)


def _forget(folder: Path, run: str) -> None:
    shutil.rmtree(sockets(folder, run), ignore_errors=True)
    for suffix in (".json", ".part"):
        (folder / f"{run}{suffix}").unlink(missing_ok=True)


def _now() -> str:
    return datetime.fromtimestamp(time.time(), UTC).isoformat(timespec="seconds")
