# SPDX-License-Identifier: GPL-2.0-only
"""What runs jobs, as the one who drives them sees it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from kzc.jobs.ci.values import Attempt, Job


@dataclass(frozen=True)
class Go:
    """One go of a job: the first, or another because that one failed."""

    job: Job
    number: int = 1


class Executor(Protocol):
    """Jobs somewhere. None outlives `stop`."""

    def refuses(self, job: Job) -> str:
        """Why this executor can never run a job; empty where it can."""
        ...

    def fits(self, job: Job) -> bool:
        """Whether there is room for it now."""
        ...

    def start(self, go: Go) -> None:
        """Begin; what comes of it is told by `ended`."""
        ...

    def ended(self, timeout: float) -> list[tuple[Go, Attempt]]:
        """What ended since the last call; waits for the first, but no longer than `timeout`
        seconds."""
        ...

    def stop(self) -> list[tuple[Go, Attempt]]:
        """End all that runs, and wait for its end: what was seen by then."""
        ...
