# SPDX-License-Identifier: GPL-2.0-only
"""Jobs through an executor, to the end, the end of the time, or Ctrl-C: nothing goes untold.

A failed test is done again in a fresh guest, and a machine that broke elsewhere or later, as often
as is allowed. Both goes are told; only a machine's failure is made good by the second one.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from kzc.jobs.ci.executor import Executor, Go
from kzc.jobs.ci.schedule import Schedule
from kzc.jobs.ci.values import Attempt, Job, Kind
from kzc.results.words import span

_POLL = 1.0  # seconds in which a deadline is noticed


class State(Enum):
    """What a go came to. BROKE: a machine failed, and nothing is known of the code. HOPELESS: what
    is asked for is not there, and will not be."""

    GOOD = "good"
    FAILED = "failed"
    BROKE = "broke"
    HOPELESS = "hopeless"


class Teller(Protocol):
    """Who is told what happens, keeps it, and judges it."""

    def began(self, go: Go) -> None:
        """A go was started."""
        ...

    def ended(self, go: Go, attempt: Attempt, last: bool) -> State:
        """A go is over, and was the last of its job where nothing can be better by another."""
        ...

    def cut(self, go: Go, attempt: Attempt, why: str) -> None:
        """A go was ended before its end."""
        ...

    def never(self, job: Job, why: str) -> None:
        """A job does not run."""
        ...


@dataclass(frozen=True)
class Rules:
    """`budget` are seconds for all, 0 for no limit; `retries` how often a job is done again."""

    budget: float = 0.0
    retries: int = 1


class Drive:
    """All jobs of one CI run; `clock` gives seconds."""

    def __init__(
        self,
        jobs: Sequence[Job],
        executor: Executor,
        teller: Teller,
        clock: Callable[[], float],
        rules: Rules,
    ) -> None:
        self.executor = executor
        self.teller = teller
        self.clock = clock
        self.budget, self.retries = rules.budget, rules.retries
        self.running: dict[str, Go] = {}
        self._schedule = Schedule(jobs)
        self._again: list[Go] = []
        self._deadline = clock() + self.budget if self.budget else math.inf

    def run(self) -> None:
        """Until nothing is left. KeyboardInterrupt goes on after all was ended and told."""
        try:
            self._refuse()
            while self._busy():
                if self.clock() >= self._deadline:
                    self._over(f"the time budget of {span(self.budget)} was over")
                    return
                self._start()
                if self.running:
                    for go, attempt in self.executor.ended(self._patience()):
                        self._ended(go, attempt)
        except BaseException:
            self._over("kzc ci was interrupted")
            raise

    def _busy(self) -> bool:
        return bool(self.running or self._again or self._schedule.waiting)

    def _patience(self) -> float:
        return max(0.0, min(_POLL, self._deadline - self.clock()))

    def _refuse(self) -> None:
        for job in self._schedule.waiting:
            why = self.executor.refuses(job)
            if why and job in self._schedule.waiting:
                self._never(job, why)

    def _start(self) -> None:
        """All that there is room for; what is known to take longer than there is time, never."""
        left = self._deadline - self.clock()
        for go in [*self._again, *map(Go, self._schedule.ready())]:
            if go.job.known and go.job.expected > left:
                self._too_long(go, left)
            elif self.executor.fits(go.job):
                self._begin(go)

    def _begin(self, go: Go) -> None:
        if go in self._again:
            self._again.remove(go)
        else:
            self._schedule.begin(go.job)
        self.running[go.job.name] = go
        self.teller.began(go)
        self.executor.start(go)

    def _too_long(self, go: Go, left: float) -> None:
        if go in self._again:
            self._again.remove(go)
            return
        took = f"it took {span(go.job.expected)} before, and {span(left)} of the time budget"
        self._never(go.job, f"{took} ({span(self.budget)}) were left")

    def _ended(self, go: Go, attempt: Attempt) -> None:
        del self.running[go.job.name]
        last = go.number > self.retries
        state = self.teller.ended(go, attempt, last)
        # what does not build will not build the second time
        again = state is State.BROKE or (state is State.FAILED and go.job.kind is not Kind.BUILD)
        if state is State.GOOD:
            self._schedule.done(go.job)
        elif again and not last:
            self._again.append(Go(go.job, go.number + 1))
        else:
            self._lose(go.job, f"{go.job.name} did not end well")

    def _never(self, job: Job, why: str) -> None:
        self._schedule.begin(job)
        self.teller.never(job, why)
        self._lose(job, f"{job.name} was not run: {why}")

    def _lose(self, job: Job, why: str) -> None:
        for each in self._schedule.failed(job):
            self.teller.never(each, why)

    def _over(self, why: str) -> None:
        for go, attempt in self.executor.stop():
            del self.running[go.job.name]
            self.teller.cut(go, attempt, why)
        for go in self.running.values():
            self.teller.never(go.job, why)
        self.running.clear()
        for job in self._schedule.waiting:
            self._schedule.begin(job)
            self.teller.never(job, why)
