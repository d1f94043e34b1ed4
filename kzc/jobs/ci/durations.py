# SPDX-License-Identifier: GPL-2.0-only
"""How long jobs took before: the last few times of each, in one file of the data folder.

Nothing depends on it but the order of jobs and what is expected, so a damaged file is an empty one.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from statistics import median
from typing import Any

from filelock import FileLock

from kzc.results import disk

_KEPT = 5


class Durations:
    """Seconds of jobs by name."""

    def __init__(self, data: Path) -> None:
        self._path = data / "ci" / "durations.json"
        self._new: list[tuple[str, float]] = []

    def expected(self) -> Mapping[str, float]:
        """The median of the last times of each job."""
        return {name: median(times) for name, times in self._read().items()}

    def add(self, name: str, seconds: float) -> None:
        """A job took so long."""
        self._new.append((name, seconds))

    def save(self) -> None:
        """Write down what was added, beside what others have written meanwhile."""
        if not self._new:
            return
        with disk.blamed(self._path):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with FileLock(self._path.with_suffix(".lock")):
                times = self._read()
                for name, seconds in self._new:
                    times[name] = [*times.get(name, ()), round(seconds, 1)][-_KEPT:]
                disk.replace(self._path, json.dumps(times, indent=1).encode() + b"\n")
        self._new.clear()

    def _read(self) -> dict[str, list[float]]:
        value: Any = None
        with suppress(OSError, ValueError):
            value = json.loads(self._path.read_bytes())
        found = value if isinstance(value, dict) else {}
        return {
            name: times
            for name, times in found.items()
            if isinstance(times, list) and times and all(isinstance(t, int | float) for t in times)
        }
