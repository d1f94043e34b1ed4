# SPDX-License-Identifier: GPL-2.0-only
"""Drives a bisection: the search says what to run, a machine runs it, the log keeps it.

Rule: every decision comes from the log, so that a run cut short goes on where it was, and a log
gives its answer again without running anything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Protocol

from kzc.errors import UsageError
from kzc.jobs.bisection.belief import Evidence, Tally
from kzc.jobs.bisection.observations import (
    Log,
    Observation,
    Question,
    Suspect,
    evidence_of,
    learnt,
    read_log,
)
from kzc.jobs.bisection.search import Answer, Ending, next_point
from kzc.jobs.bisection.sightings import Seen, Sought

_BASE_SAMPLES = 5


class Machine(Protocol):
    """What runs a point once."""

    def run(self, point: int, sought: Sought, number: int) -> Observation:
        """The kernel after `point` patches in a fresh guest; `number` counts runs from 1."""
        ...


@dataclass(frozen=True)
class Found:
    """What a bisection found out: the answer and all it was made of."""

    question: Question
    observations: tuple[Observation, ...]
    answer: Answer

    @property
    def evidence(self) -> Evidence:
        """What the runs say."""
        return evidence_of(self.question, self.observations)

    @property
    def culprits(self) -> tuple[Suspect, ...]:
        """The patch that broke it, or those that cannot be told apart; empty without an answer."""
        if self.answer.ending is not Ending.FOUND:
            return ()
        return self.question.suspects[self.answer.first - 1 : self.answer.last]

    @property
    def sought(self) -> Sought:
        """What was looked for, with the name that its first failure had."""
        return learnt(self.question.sought, self.observations)

    @property
    def doubts(self) -> tuple[str, ...]:
        """What a person has to know before believing it, a sentence each."""
        return (*self._excluded(), *self._same_images(), *self._skips(), *self._noise())

    def _excluded(self) -> Iterable[str]:
        for point in sorted(self.evidence.excluded):
            last = [seen for seen in self.observations if seen.point == point][-1].sighting
            yield f"{point_name(point)} was left out: {last.seen}" + _because(last.reason)

    def _same_images(self) -> Iterable[str]:
        images = self.evidence.images
        points = sorted(images)
        for before, point in pairwise(points):
            if images[before] == images[point]:
                names = f"{point_name(before)} and {point_name(point)}"
                yield f"{names} have the same image, so their runs count as one point's"

    def _skips(self) -> Iterable[str]:
        kinds = {Seen.OTHER, Seen.UNBOOTABLE}
        for point in range(len(self.question.suspects) + 1):
            here = (seen.sighting for seen in self.observations if seen.point == point)
            skipped = [sighting for sighting in here if sighting.seen in kinds]
            if skipped and point not in self.evidence.excluded:
                why = _because(skipped[-1].reason)
                yield f"{point_name(point)}: {len(skipped)} runs said nothing{why}"

    def _noise(self) -> Iterable[str]:
        """Where the base itself is worse than its own median by as much as is asked."""
        tally = self.evidence.tallies.get(0, Tally())
        values = [o.sighting.value for o in self.observations if o.point == 0]
        known = [value for value in values if value is not None]
        if self.question.sought.worse and tally.bad:
            yield (
                f"{tally.bad} of the base's own {tally.runs} samples are worse by that much, too "
                f"({min(known):g} to {max(known):g}): a quiet machine or a larger percentage helps"
            )


def point_name(point: int) -> str:
    """How a point is called."""
    return f"patch {point}" if point else "the base"


def search(log: Log, machine: Machine, shown: Callable[[Observation], None]) -> Found:
    """Run what has to be run until there is an answer. Each run is handed to `shown`."""
    while True:
        step = next_step(log.question, log.observations)
        if isinstance(step, Answer):
            return Found(log.question, log.observations, step)
        shown(_run(log, machine, step))


def scan(log: Log, machine: Machine, runs: int, shown: Callable[[Observation], None]) -> Found:
    """Run every point `runs` times, the last patch first (the base where a sample is held against
    it), and say what that amounts to."""
    points = range(len(log.question.suspects), -1, -1)
    for point in sorted(points) if log.question.sought.worse else points:
        while _left(log, point, runs):
            shown(_run(log, machine, point))
    return told(log.question, log.observations)


def replay(path: Path) -> Found:
    """What a log's runs amount to. Raises UsageError where it is no log."""
    return told(*read_log(path))


def told(question: Question, observations: tuple[Observation, ...]) -> Found:
    """The answer of these runs as they are; undecided where more would have to be run."""
    step = next_step(question, observations)
    if isinstance(step, int):
        why = f"{point_name(step)} would have to be run next"
        step = Answer(Ending.UNDECIDED, 0.0, why=why)
    return Found(question, observations, step)


def known_from(path: Path, question: Question) -> tuple[Observation, ...]:
    """The runs of an earlier log, to go on from. Raises UsageError where it asked otherwise."""
    before, observations = read_log(path)
    if (before.key, before.sought) != (question.key, question.sought):
        test = f"{before.sought.suite}:{before.sought.case}".removesuffix(":")
        raise UsageError(
            f"{path} is of {before.series} on {before.base[:12]}, looking for {test}",
            "go on with the same series, base, config and --test, or begin anew without --resume",
        )
    return observations


def next_step(question: Question, observations: tuple[Observation, ...]) -> int | Answer:
    """The point to run next, or the answer. A sample's base is measured before all else."""
    evidence = evidence_of(question, observations)
    if question.sought.worse and 0 not in evidence.excluded:
        samples = sum(o.point == 0 and o.sighting.value is not None for o in observations)
        if samples < _BASE_SAMPLES:
            return 0
    return next_point(evidence, question.goal)


def _run(log: Log, machine: Machine, point: int) -> Observation:
    sought = learnt(log.question.sought, log.observations)
    observation = machine.run(point, sought, len(log.observations) + 1)
    log.append(observation)
    return observation


def _left(log: Log, point: int, runs: int) -> bool:
    evidence = evidence_of(log.question, log.observations)
    return point not in evidence.excluded and evidence.tallies.get(point, Tally()).runs < runs


def _because(reason: str) -> str:
    return f" ({reason})" if reason else ""
