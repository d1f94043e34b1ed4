# SPDX-License-Identifier: GPL-2.0-only
"""Which job comes next. Knows no clock, no machine and no process: it is told what ended.

Longest first, where a job is as long as itself and the longest chain that waits for it: so a build
that much hangs on goes before a test that takes longer. What may fail comes after what is required,
as the time may be over by then. What needs a job that failed never starts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from kzc.jobs.ci.values import Job


def chains(jobs: Iterable[Job]) -> Mapping[str, float]:
    """Expected seconds from the start of each job to the end of the last that hangs on it."""
    by_name = {job.name: job for job in jobs}
    above: dict[str, list[str]] = {name: [] for name in by_name}
    for job in by_name.values():
        for name in job.needs:
            above[name].append(job.name)
    found: dict[str, float] = {}

    def chain(name: str) -> float:
        if name not in found:
            longest = max(map(chain, above[name]), default=0.0)
            found[name] = by_name[name].expected + longest
        return found[name]

    for name in by_name:
        chain(name)
    return found


class Schedule:
    """The jobs that have not ended yet, and why some never start."""

    def __init__(self, jobs: Iterable[Job]) -> None:
        jobs = tuple(jobs)
        length = chains(jobs)
        order = sorted(jobs, key=lambda job: (not job.required, -length[job.name], job.name))
        self._waiting = {job.name: job for job in order}
        self._needed_by: dict[str, list[str]] = {}
        for job in order:
            for name in job.needs:
                self._needed_by.setdefault(name, []).append(job.name)
        self._missing = {job.name: set(job.needs) for job in order}
        self._ready = {job.name: job for job in order if not job.needs}
        self._rank = {job.name: number for number, job in enumerate(order)}

    @property
    def waiting(self) -> tuple[Job, ...]:
        """What has not begun, the most urgent first."""
        return tuple(self._waiting.values())

    def ready(self) -> tuple[Job, ...]:
        """What could begin now, the most urgent first."""
        return tuple(self._ready.values())

    def begin(self, job: Job) -> None:
        """A job was started, or will never be."""
        self._ready.pop(job.name, None)
        del self._waiting[job.name]

    def done(self, job: Job) -> None:
        """A job ended well: what only waited for it is ready."""
        freed = []
        for name in self._needed_by.get(job.name, ()):
            self._missing[name].discard(job.name)
            if not self._missing[name] and name in self._waiting:
                freed.append(self._waiting[name])
        if freed:
            merged = [*self._ready.values(), *freed]
            merged.sort(key=lambda each: self._rank[each.name])
            self._ready = {each.name: each for each in merged}

    def failed(self, job: Job) -> tuple[Job, ...]:
        """A job did not end well: all that hangs on it, taken out, as it never begins."""
        lost = tuple(self._hanging_on(job.name))
        for each in lost:
            self.begin(each)
        return lost

    def _hanging_on(self, name: str) -> Iterator[Job]:
        seen: set[str] = set()
        names = list(self._needed_by.get(name, ()))
        while names:
            current = names.pop(0)
            if current in self._waiting and current not in seen:
                seen.add(current)
                yield self._waiting[current]
                names += self._needed_by.get(current, ())
