# SPDX-License-Identifier: GPL-2.0-only
"""What became of one case from run to run: when seen, how often bad, since when. Pure.

Rule: a rate counts only runs in which the case had a verdict of its own: it passed, or the code
under test failed it. A case is flaky where the same kernel was both good and bad.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import groupby

from kzc.values import Run, Verdict

MADE_OF = ("tree_id", "series_key", "profile", "config_hash", "accelerator", "machine")
"""Keys of `Run.environment`: runs that are alike in these have tried the same."""
SILENT = frozenset({Verdict.INFRA, Verdict.NOT_RUN, Verdict.SKIP})
"""Verdicts that say nothing about how often a case fails."""


@dataclass(frozen=True)
class Sighting:
    """A case in a run. `case` is empty for a whole suite, or a stage without cases; `facts` is the
    run's environment."""

    run: str
    started: str
    subject: str
    case: str
    verdict: Verdict
    seconds: float = 0.0
    reason: str = ""
    facts: Mapping[str, str] = field(default_factory=dict)

    @property
    def counts(self) -> bool:
        """Whether it says something about the code under test."""
        return self.verdict not in SILENT


@dataclass(frozen=True)
class Past:
    """All that was seen of one case of one subject, the oldest first."""

    subject: str
    case: str
    seen: tuple[Sighting, ...]

    @property
    def told(self) -> tuple[Sighting, ...]:
        return tuple(each for each in self.seen if each.counts)

    @property
    def bad(self) -> int:
        """In how many of `told` it was bad."""
        return sum(not each.verdict.good for each in self.told)

    @property
    def rate(self) -> float | None:
        """How often it was bad, 0 to 1; None where nothing counts."""
        return self.bad / len(self.told) if self.told else None

    @property
    def first_bad(self) -> Sighting | None:
        """The run from which on it was never good again; else the first bad one there was."""
        lasting = None
        for each in reversed(self.told):
            if each.verdict.good:
                break
            lasting = each
        return lasting or next((each for each in self.told if not each.verdict.good), None)

    @property
    def last_good(self) -> Sighting | None:
        return next((each for each in reversed(self.told) if each.verdict.good), None)

    @property
    def lasting(self) -> bool:
        """Whether it is bad now."""
        return bool(self.told) and not self.told[-1].verdict.good

    @property
    def flaky(self) -> bool:
        """Whether the same kernel was both good and bad."""
        good: dict[tuple[str, ...], set[bool]] = {}
        for each in self.told:
            good.setdefault(made_of(each.facts), set()).add(each.verdict.good)
        return any(len(both) > 1 for both in good.values())


def made_of(facts: Mapping[str, str]) -> tuple[str, ...]:
    """What a run was made of, to be compared."""
    return tuple(facts.get(name, "") for name in MADE_OF)


def alike(run: Run, others: Iterable[Run]) -> tuple[Run, ...]:
    """Those of the others that are made of the same as the run, without itself."""
    made = made_of(run.environment)
    return tuple(each for each in others if each.id != run.id and made_of(each.environment) == made)


def pasts(sightings: Iterable[Sighting]) -> tuple[Past, ...]:
    """The sightings by subject and case, each in the order of time."""

    def key(each: Sighting) -> tuple[str, str]:
        return each.subject, each.case

    ordered = sorted(sightings, key=lambda each: (*key(each), each.started))
    return tuple(Past(*name, tuple(seen)) for name, seen in groupby(ordered, key))
