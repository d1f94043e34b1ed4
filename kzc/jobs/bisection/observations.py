# SPDX-License-Identifier: GPL-2.0-only
"""The log of a bisection, `bisect.jsonl` in its run's folder: what was asked, then every run.

Each line is on disk before the next run begins, so that a kill loses only the run in flight. The
log alone gives the answer: what cannot be read back from it does not count.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from statistics import median
from types import TracebackType
from typing import Any, Self

from kzc.errors import UsageError
from kzc.jobs.bisection.belief import Evidence, Goal, Tally
from kzc.jobs.bisection.sightings import Seen, Sighting, Sought, Worse
from kzc.results import disk

FILE = "bisect.jsonl"
_FORMAT = 1
_TRIES = 3
_SKIPS = 10
_DAMAGED = (ValueError, KeyError, TypeError, AttributeError)


@dataclass(frozen=True)
class Suspect:
    """A patch; `commit` is the commit of the range that was asked for, empty for a mail."""

    number: int
    subject: str
    author: str
    commit: str = ""


@dataclass(frozen=True)
class Question:
    """What is asked: which of the suspects, on which base of which tree, and what for.

    `key` names the content of the series on its base: another one cannot go on with this log.
    """

    series: str
    tree: str
    base: str
    key: str
    suspects: tuple[Suspect, ...]
    sought: Sought
    goal: Goal


@dataclass(frozen=True)
class Observation:
    """One run of a point: what it showed, on which image, seconds it took, where its log is."""

    point: int
    image: str
    sighting: Sighting
    seconds: float = 0.0
    log: str = ""


class Log:
    """The open log. `observations` are those that are on disk."""

    def __init__(self, path: Path, question: Question, known: Sequence[Observation] = ()) -> None:
        self.question = question
        self.observations: tuple[Observation, ...] = ()
        with disk.blamed(path):
            self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        self._path = path
        self._write({"format": _FORMAT, **asdict(question)})
        for observation in known:
            self.append(observation)

    def append(self, observation: Observation) -> None:
        """Keep a run. Raises HostError where the disk refuses; the file stays whole then."""
        self._write(asdict(observation))
        self.observations = (*self.observations, observation)

    def _write(self, values: dict[str, Any]) -> None:
        with disk.blamed(self._path):
            disk.append(self._file, json.dumps(values).encode() + b"\n")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        os.close(self._file)


def read_log(path: Path) -> tuple[Question, tuple[Observation, ...]]:
    """What a log holds; what a kill left of the last line is passed over.

    Raises UsageError where it is no such log, or damaged before its end.
    """
    try:
        lines = path.read_bytes().split(b"\n")
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}", f"name a run's {FILE}") from None
    found: list[Observation] = []
    try:
        question = _question(json.loads(lines[0]))
    except _DAMAGED:
        raise UsageError(f"{path} is no log of a bisection", f"name a run's {FILE}") from None
    for number, line in enumerate(lines[1:], 2):
        try:
            found += [_observation(json.loads(line), len(question.suspects))] if line else []
        except _DAMAGED:
            if number < len(lines):
                raise UsageError(f"{path}: line {number} is damaged") from None
    return question, tuple(found)


def learnt(sought: Sought, observations: Sequence[Observation]) -> Sought:
    """What is looked for once a first failure has given it a name."""
    if sought.signature or sought.worse:
        return sought
    first = next((o.sighting for o in observations if o.sighting.seen is Seen.BAD), None)
    return replace(sought, signature=first.signature) if first else sought


def evidence_of(question: Question, observations: Sequence[Observation]) -> Evidence:
    """What the runs say of the points; a point that never says anything is excluded."""
    tallies: dict[int, Tally] = {}
    skips: Counter[int] = Counter()
    excluded: set[int] = set()
    limit = _limit(question.sought.worse, observations)
    for seen in observations:
        bad = _bad(seen.sighting, question.sought.worse, limit)
        if seen.sighting.seen is Seen.UNBUILDABLE:
            excluded.add(seen.point)
        if bad is None:
            skips[seen.point] += 1
        else:
            more = Tally(bad=1) if bad else Tally(good=1)
            tallies[seen.point] = tallies.get(seen.point, Tally()) + more
    for point, count in skips.items():
        runs = tallies.get(point, Tally()).runs
        if (count >= _TRIES and not runs) or count >= _SKIPS + runs:
            excluded.add(point)
    images = {seen.point: seen.image for seen in observations if seen.image}
    patches = len(question.suspects)
    return Evidence(patches, tallies, frozenset(excluded), images, sum(skips.values()))


def _limit(worse: Worse | None, observations: Sequence[Observation]) -> float | None:
    """The value beyond which a sample is worse, None as long as the base has none."""
    base = [o.sighting.value for o in observations if o.point == 0]
    values = [value for value in base if value is not None]
    if worse is None or not values:
        return None
    change = worse.percent / 100 if worse.up else -worse.percent / 100
    return median(values) * (1 + change)


def _bad(sighting: Sighting, worse: Worse | None, limit: float | None) -> bool | None:
    """Whether a run was bad; None where it says nothing."""
    if worse and limit is not None and sighting.value is not None:
        return sighting.value > limit if worse.up else sighting.value < limit
    return {Seen.GOOD: False, Seen.BAD: True}.get(sighting.seen)


def _question(values: dict[str, Any]) -> Question:
    if values.pop("format") != _FORMAT:
        raise ValueError("another format")
    sought = dict(values.pop("sought"))
    worse = sought.pop("worse")
    found = Sought(**sought, worse=Worse(**worse) if worse else None)
    suspects = tuple(Suspect(**each) for each in values.pop("suspects"))
    goal = Goal(**values.pop("goal"))
    return Question(**values, suspects=suspects, sought=found, goal=goal)


def _observation(values: dict[str, Any], patches: int) -> Observation:
    sighting = dict(values.pop("sighting"))
    seen = Sighting(**{**sighting, "seen": Seen(sighting["seen"])})
    found = Observation(**values, sighting=seen)
    if not 0 <= found.point <= patches:
        raise ValueError("no such point")
    return found
