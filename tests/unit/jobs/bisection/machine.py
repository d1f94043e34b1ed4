# SPDX-License-Identifier: GPL-2.0-only
"""A bisection whose machine is a function, for tests."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from kzc.jobs.bisection import culprit
from kzc.jobs.bisection.belief import Goal
from kzc.jobs.bisection.drive import Found, search
from kzc.jobs.bisection.observations import (
    Log,
    Observation,
    Question,
    Suspect,
)
from kzc.jobs.bisection.sightings import Seen, Sighting, Sought

SUSPECTS = tuple(Suspect(n, f"vsock: part {n}", "A <a@example.org>") for n in range(1, 7))
QUESTION = Question(
    "six", "6.12 (6.12.117)", "1234", "key", SUSPECTS, Sought("vsock", "peek"), Goal()
)
GOOD = Sighting(Seen.GOOD)
BAD = Sighting(Seen.BAD, "it failed", "fail: peek")
OTHER = Sighting(Seen.OTHER, "skipped")
BROKEN = Sighting(Seen.UNBUILDABLE, "its build log is in logs")


@dataclass
class Machine:
    """Shows what the function says of a point; each has an image of its own, or `images`'."""

    shows: Callable[[int], Sighting]
    images: dict[int, str] = field(default_factory=dict)
    ran: list[int] = field(default_factory=list)
    sought: list[Sought] = field(default_factory=list)

    def run(self, point: int, sought: Sought, number: int) -> Observation:
        self.ran.append(point)
        self.sought.append(sought)
        assert number == len(self.ran)
        return Observation(point, self.images.get(point, f"image {point}"), self.shows(point), 2.0)


def nothing(_: Observation) -> None:
    return


def searched(folder: Path, machine: Machine, question: Question = QUESTION) -> Found:
    with Log(folder / "log", question) as log:
        return search(log, machine, nothing)


def words(found: Found) -> str:
    return "\n".join(culprit.report(found, "R <r@example.org>"))
