# SPDX-License-Identifier: GPL-2.0-only
"""What every job works with: settings, a way to start programs, a screen, and an open run."""

from __future__ import annotations

import re
import shutil
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from kzc.jobs.places import Places
from kzc.kernel.make import Shop
from kzc.proc import Runner
from kzc.results.store import OpenRun
from kzc.settings import Settings
from kzc.values import Case, Outcome


class Screen(Protocol):
    """Where a person sees what is going on; nothing is decided by it."""

    def step(self, text: str) -> None:
        """A new step has begun."""
        ...

    def progress(self, text: str, fraction: float | None) -> None:
        """How far the step is, 0 to 1, None where that is unknown."""
        ...

    def case(self, case: Case) -> None:
        """A test case has ended."""
        ...

    def outcome(self, outcome: Outcome) -> None:
        """A stage has ended."""
        ...


@dataclass(frozen=True)
class Workshop:
    """`again` is the command that does the whole run once more."""

    settings: Settings
    runner: Runner
    screen: Screen
    run: OpenRun
    again: str = ""
    places: Places = field(default_factory=Places)

    def keep(self, outcome: Outcome) -> Outcome:
        """Store an outcome and show it."""
        self.run.append(outcome)
        self.screen.outcome(outcome)
        return outcome

    def log(self, name: str) -> Path:
        """A raw log of this run, by a name that may hold anything."""
        return self.run.logs / f"{_plain(name)}.log"

    def folder(self, name: str) -> Path:
        """A folder for the several logs of a guest."""
        path = self.run.logs / _plain(name)
        path.mkdir(parents=True, exist_ok=True)
        return path

    def relative(self, path: Path) -> str:
        """A log's path as an Outcome holds it."""
        return str(path.relative_to(self.run.folder))


def shop(settings: Settings) -> Shop:
    """Where kernels are built and kept."""
    return Shop(
        store=settings.cache / "kernels",
        notes=settings.cache / "progress",
        ccache=settings.cache / "ccache",
        jobs=settings.jobs,
        vng=find_vng(),
    )


def find_vng() -> str:
    """virtme-ng: the one installed beside kzc, else the one in the PATH."""
    return find_program("vng") or "vng"


def find_program(name: str) -> str:
    """A program that comes with kzc: the one installed beside it, else the one in the PATH.

    Empty where there is none.
    """
    beside = Path(sys.executable).with_name(name)
    return str(beside) if beside.exists() else shutil.which(name) or ""


def imported_folder(settings: Settings) -> Path:
    """Where `kzc import` keeps its series."""
    return settings.data / "series"


def stopwatch() -> Callable[[], float]:
    """Seconds since this call."""
    began = time.monotonic()
    return lambda: time.monotonic() - began


def touch(path: Path) -> None:
    """Note that something in the cache was used."""
    with suppress(OSError):
        path.touch()


def _plain(name: str) -> str:
    return re.sub(r"[^\w.-]+", "-", name).strip("-.") or "log"
