# SPDX-License-Identifier: GPL-2.0-only
"""One go of a job: a kzc of its own, whose stream tells what it found.

A process and no thread of ours: what one job breaks, breaks in no other, each ends on its own, and
the same is done on another machine. Its store is its own too, and goes with it: its outcomes become
ours, and would else be there twice. It shares the user's trees, series and cache, and is in
`kzc ps` like any other run.
"""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from kzc.errors import KzcError
from kzc.jobs import live
from kzc.jobs.ci.values import Attempt, Job, Kind
from kzc.proc import Runner, Running
from kzc.results.stream import read_stream

_SHARED = ("trees", "series", "live")
_TAIL = 20
LOG = "kzc.log"


@dataclass(frozen=True)
class Ground:
    """Where jobs run: the user's data folder, the folder of kzc.toml, and the words for kzc."""

    runner: Runner
    data: Path
    cwd: Path
    program: tuple[str, ...] = (sys.executable, "-m", "kzc")


class Going:
    """A go that runs in `folder`, which holds nothing but logs after `close`."""

    def __init__(self, child: Running, folder: Path) -> None:
        self._child = child
        self._folder = folder
        self._began = time.monotonic()

    @property
    def ended(self) -> int:
        """A file descriptor that is readable as soon as it has ended."""
        return self._child.ended

    def stop(self) -> Attempt:
        """End it as Ctrl-C does, so that it ends its guests; what was seen by then."""
        streamed = read_stream(_stream(self._folder))
        if streamed is not None and self._child.code is None:
            data = self._folder / "data"
            with suppress(KzcError):
                live.stop(data, live.chosen(live.running(data), streamed.run.id))
        status = self._child.code
        self._child.stop()
        return self._left(status)

    def finished(self) -> Attempt:
        """What it left, after it has ended by itself."""
        code = self._child.code
        self._child.stop()
        return self._left(code if code is not None else self._child.code)

    def _left(self, status: int | None) -> Attempt:
        streamed = read_stream(_stream(self._folder))
        if streamed is not None:
            _gather(streamed.folder / "logs", self._folder)
        tail = _tail(self._folder / LOG)
        seconds = time.monotonic() - self._began
        return Attempt(status, streamed.run if streamed else None, tail, seconds)


@contextmanager
def going(ground: Ground, job: Job, folder: Path) -> Iterator[Going]:
    """A go of a job as long as the block runs."""
    private = folder / "data"
    private.mkdir(parents=True)
    for name in _SHARED:
        (ground.data / name).mkdir(parents=True, exist_ok=True)
        (private / name).symlink_to((ground.data / name).absolute())
    env = {
        "KZC_DATA": str(private),
        "KZC_DB": f"sqlite:///{private}/kzc.db",
        "NO_COLOR": "1",
    }
    if job.kind is Kind.BUILD:
        env["KZC_JOBS"] = str(job.wants.cpus)
    argv = (*ground.program, *job.argv, "--stream", str(_stream(folder)))
    try:
        with ground.runner.spawn(argv, log=folder / LOG, cwd=ground.cwd, env=env) as child:
            yield Going(child, folder)
    finally:
        live.running(private)  # removes what one that was killed has left
        shutil.rmtree(private, ignore_errors=True)
        _stream(folder).unlink(missing_ok=True)


def told(command: str) -> str:
    """A command of a job as one would type it, without what only we ask for."""
    return command.partition(" --stream ")[0]


def _stream(folder: Path) -> Path:
    return folder / "stream.jsonl"


def _gather(logs: Path, folder: Path) -> None:
    """The job's logs become ours, by their names."""
    for path in logs.iterdir() if logs.is_dir() else ():
        with suppress(OSError):
            os.rename(path, folder / path.name)


def _tail(log: Path) -> str:
    try:
        lines = log.read_bytes()[-1 << 16 :].decode(errors="replace").splitlines()
    except OSError:
        return ""
    return "\n".join(lines[-_TAIL:])
