# SPDX-License-Identifier: GPL-2.0-only
"""Jobs that take their time only on a clock of their own: what a plan will come to.

The same driver and schedule as for real ones, so a forecast says what they do.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from kzc.jobs.ci.drive import Drive, Rules, State
from kzc.jobs.ci.executor import Go
from kzc.jobs.ci.local import Capacity
from kzc.jobs.ci.values import Attempt, Job


@dataclass(frozen=True)
class Forecast:
    """Jobs with the seconds at which they begin, in that order, and when the last one ends."""

    starts: tuple[tuple[Job, float], ...]
    seconds: float


@dataclass
class SimulatedExecutor:
    """A machine of that capacity on which a job takes `duration(job)` seconds of `now`."""

    capacity: Capacity
    duration: Callable[[Job], float]
    now: float = 0.0
    _running: list[tuple[float, str, Go]] = field(default_factory=list)
    _cpus: int = 0
    _memory: int = 0

    def clock(self) -> float:
        return self.now

    def refuses(self, job: Job) -> str:
        return ""

    def fits(self, job: Job) -> bool:
        cpus, memory = self._cpus + job.wants.cpus, self._memory + job.wants.memory
        room = cpus <= self.capacity.cpus and memory <= self.capacity.memory
        return not self._running or room

    def start(self, go: Go) -> None:
        self._cpus += go.job.wants.cpus
        self._memory += go.job.wants.memory
        heapq.heappush(self._running, (self.now + self.duration(go.job), go.job.name, go))

    def ended(self, timeout: float) -> list[tuple[Go, Attempt]]:
        end, _, go = heapq.heappop(self._running)
        self.now = end
        self._cpus -= go.job.wants.cpus
        self._memory -= go.job.wants.memory
        return [(go, Attempt(0))]

    def stop(self) -> list[tuple[Go, Attempt]]:
        gone = [(go, Attempt(None)) for _, _, go in self._running]
        self._running.clear()
        return gone


class Watch:
    """Notes when jobs begin; all end well."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self.starts: list[tuple[Job, float]] = []

    def began(self, go: Go) -> None:
        self.starts.append((go.job, self._clock()))

    def ended(self, go: Go, attempt: Attempt, last: bool) -> State:
        return State.GOOD

    def cut(self, go: Go, attempt: Attempt, why: str) -> None:
        return

    def never(self, job: Job, why: str) -> None:
        return


def forecast(jobs: Iterable[Job], capacity: Capacity) -> Forecast:
    """When each job begins and all is over, if all take as long as expected and end well."""
    executor = SimulatedExecutor(capacity, lambda job: job.expected)
    watch = Watch(executor.clock)
    Drive(tuple(jobs), executor, watch, executor.clock, Rules()).run()
    return Forecast(tuple(watch.starts), executor.now)
