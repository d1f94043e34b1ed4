# SPDX-License-Identifier: GPL-2.0-only
"""The one run that a CI run is: what each job found is kept in it as soon as the job has ended.

A go in which the machine broke is held back until it is known whether there will be another: what
was made good counts for nothing, and is told all the same.
"""

from __future__ import annotations

from collections.abc import Iterable

from kzc.jobs.ci.drive import State
from kzc.jobs.ci.durations import Durations
from kzc.jobs.ci.executor import Go
from kzc.jobs.ci.outcomes import (
    bad_cases,
    excused,
    made_good,
    not_run,
    outcomes_of,
    verdict_of,
    with_flaky,
)
from kzc.jobs.ci.values import Attempt, Job
from kzc.jobs.workshop import Workshop
from kzc.results.verdicts import MEASUREMENT_ONLY
from kzc.values import Outcome, Verdict

_FACTS = ("compiler", "accelerator", "qemu", "virtme_ng", "machine", MEASUREMENT_ONLY)


class Book:
    """Keeps what is told by `Drive`."""

    def __init__(self, shopfloor: Workshop, total: int, durations: Durations) -> None:
        self._shopfloor = shopfloor
        self._total = total
        self._durations = durations
        self._running: dict[str, Go] = {}
        self._over = 0
        self._held: dict[str, tuple[Job, tuple[Outcome, ...]]] = {}
        self._bad: dict[str, frozenset[str]] = {}
        self._facts: dict[str, set[str]] = {}

    def began(self, go: Go) -> None:
        self._running[go.job.name] = go
        self._show()

    def ended(self, go: Go, attempt: Attempt, last: bool) -> State:
        self._running.pop(go.job.name, None)
        self._note(attempt)
        found = outcomes_of(go, attempt)
        verdict = verdict_of(found)
        self._resolve(go.job)
        if verdict is Verdict.INFRA and not last:
            self._held[go.job.name] = (go.job, found)
            self._show()
            return State.BROKE
        before = self._bad.pop(go.job.name, frozenset())
        found = tuple(with_flaky(each, before) for each in found)
        self._keep(go.job, found)
        if verdict.good:
            self._durations.add(go.job.name, attempt.seconds)
        self._bad[go.job.name] = bad_cases(found)
        self._over += 1
        self._show()
        if verdict.good:
            return State.GOOD
        states = {Verdict.INFRA: State.BROKE, Verdict.NOT_RUN: State.HOPELESS}
        return states.get(verdict, State.FAILED)

    def cut(self, go: Go, attempt: Attempt, why: str) -> None:
        self._running.pop(go.job.name, None)
        self._note(attempt)
        self._resolve(go.job)
        self._keep(go.job, outcomes_of(go, attempt, why))

    def never(self, job: Job, why: str) -> None:
        self._over += 1
        self._keep(job, (not_run(job, why),))

    def close(self) -> None:
        """Keep what was held back, as it was the last after all, and what was noted."""
        for name in list(self._held):
            job, found = self._held.pop(name)
            self._keep(job, found)
        self._durations.save()
        facts = {key: ", ".join(sorted(values)) for key, values in self._facts.items()}
        if facts:
            self._shopfloor.run.note(facts)

    def _resolve(self, job: Job) -> None:
        """There was another go after the one that is held back."""
        _, found = self._held.pop(job.name, (job, ()))
        self._keep(job, map(made_good, found))

    def _keep(self, job: Job, outcomes: Iterable[Outcome]) -> None:
        for outcome in outcomes:
            self._shopfloor.keep(outcome if job.required else excused(outcome))

    def _note(self, attempt: Attempt) -> None:
        environment = attempt.run.environment if attempt.run else {}
        for key in _FACTS:
            if environment.get(key):
                self._facts.setdefault(key, set()).add(environment[key])

    def _show(self) -> None:
        now = ", ".join(self._running)
        text = f"{self._over} of {self._total} jobs" + (f": {now}" if now else "")
        self._shopfloor.screen.step(text)
