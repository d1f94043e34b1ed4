# SPDX-License-Identifier: GPL-2.0-only
"""What runs of n patches say of who broke it: Bayes' rule, nothing of the world.

Point i is the kernel after i patches, point 0 the base. One hypothesis per patch, one that the base
fails already, one that nothing fails. A kernel without the fault fails at `false_rate`, one with it
at a rate that nobody has told: every hypothesis carries its own weights over a grid of rates. Every
run counts, in whatever order they came.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import accumulate, pairwise

from kzc.errors import UsageError

_RATES = 16
_SURE = 1 - 1e-9  # for one who says always, and is wrong: runs must not rule out everything
_BASE_PRIOR, _NOTHING_PRIOR = 0.1, 0.05
_GIVE_UP, _HELD_BACK = 0.1, 0.1

Rates = tuple[tuple[float, float], ...]
"""Failure rates, each with its prior."""


@dataclass(frozen=True)
class Goal:
    """What is asked: a `confidence`, the smallest failure rate (`rate_min`) that has to be noticed,
    the failure rate itself where somebody knows it (0: nobody does), the rate of good kernels that
    look bad, and the most runs that may be spent (`cap`)."""

    confidence: float = 0.99
    rate_min: float = 0.05
    rate: float = 0.0
    false_rate: float = 0.0
    cap: int = 1000

    def __post_init__(self) -> None:
        if not 0.5 < self.confidence < 1:
            raise UsageError(f"a confidence of {self.confidence:g}", "between 0.5 and 1, like 0.99")
        if not 0 < self.rate_min <= 1:
            raise UsageError(f"a smallest rate of {self.rate_min:g}", "above 0 and up to 1")
        if not 0 <= self.rate <= 1:
            raise UsageError(f"a failure rate of {self.rate:g}", "above 0 and up to 1, like 0.3")
        if not 0 <= self.false_rate < self.least:
            raise UsageError(f"a false rate of {self.false_rate:g}", "below the failure rate")

    @property
    def least(self) -> float:
        """The smallest rate that is thought of."""
        return self.rate or self.rate_min

    @property
    def enough(self) -> float:
        """The probability at which a search ends: part of the wrong answers allowed is held back
        for giving up too early, and for what a grid of rates and its prior leave out."""
        return 1 - (1 - self.confidence) * (1 - _HELD_BACK)

    @property
    def fruitless(self) -> int:
        """Good runs of the last patch after which a fault would have been seen: giving up is to
        add little to the wrong answers that the confidence allows."""
        if self.least == 1:
            return 1
        return math.ceil(math.log(_GIVE_UP * (1 - self.confidence)) / math.log1p(-self.least))

    @property
    def rates(self) -> Rates:
        """Rates with their prior: any is as likely as any other, on a grid that is alike per
        factor, since rare failures are what takes many runs."""
        if self.least == 1 or self.rate:
            return ((min(self.least, _SURE), 1.0),)
        step = -math.log(self.rate_min) / (_RATES - 1)
        rates = [self.rate_min * math.exp(step * i) for i in range(_RATES - 1)] + [1.0]
        return tuple((rate, rate / math.fsum(rates)) for rate in rates)


@dataclass(frozen=True)
class Tally:
    """Runs of one point that said something."""

    good: int = 0
    bad: int = 0

    def __add__(self, other: Tally) -> Tally:
        return Tally(self.good + other.good, self.bad + other.bad)

    @property
    def runs(self) -> int:
        """All of them."""
        return self.good + self.bad


@dataclass(frozen=True)
class Evidence:
    """All that is known of a series of `patches`: runs by point, points that can say nothing, and
    a name of the image's content by point, as far as they are known; and the runs that said
    nothing."""

    patches: int
    tallies: Mapping[int, Tally] = field(default_factory=dict)
    excluded: frozenset[int] = frozenset()
    images: Mapping[int, str] = field(default_factory=dict)
    skipped: int = 0

    @property
    def runs(self) -> int:
        """All runs that were spent."""
        return sum(tally.runs for tally in self.tallies.values()) + self.skipped


@dataclass(frozen=True)
class Block:
    """Points that count as one, since first and last of them have the same image, or just one."""

    first: int
    last: int
    tally: Tally


@dataclass(frozen=True)
class Belief:
    """`weights[j]` is the probability that block j is the first bad one, in order; one weight more
    at the end says that none is. `bad[j]` is what then a run of a bad kernel shows `bad` with."""

    blocks: tuple[Block, ...]
    weights: tuple[float, ...]
    bad: tuple[float, ...]

    @property
    def rate(self) -> float:
        """The failure rate expected of a bad kernel."""
        return math.fsum(w * b for w, b in zip(self.weights, self.bad, strict=True))


def blocks_of(evidence: Evidence) -> tuple[Block, ...]:
    """The points that can be told apart, in order. Points with the same image are one block with
    all between: whoever broke it, it was not there."""
    usable = [i for i in range(evidence.patches + 1) if i not in evidence.excluded]
    last_of: dict[str, int] = {}
    for point in usable:
        if image := evidence.images.get(point):
            last_of[image] = point
    found: list[Block] = []
    reach = -1
    for point in usable:
        tally = evidence.tallies.get(point, Tally())
        if point <= reach:
            block = found.pop()
            found.append(Block(block.first, point, block.tally + tally))
        else:
            found.append(Block(point, point, tally))
        reach = max(reach, last_of.get(evidence.images.get(point, ""), point))
    return tuple(found)


def believe(evidence: Evidence, goal: Goal) -> Belief:
    """The posterior over what broke it; the rate is integrated out on a grid."""
    blocks = blocks_of(evidence)
    rates = goal.rates
    behind = list(accumulate((b.tally for b in reversed(blocks)), initial=Tally()))[::-1]
    whole = behind[0]
    logs: list[float] = []
    bad: list[float] = []
    for tally in behind:
        log, expected = fit(rates, tally.bad, tally.good)
        log += _log_power(goal.false_rate, whole.bad - tally.bad)
        log += _log_power(1 - goal.false_rate, whole.good - tally.good)
        logs.append(log)
        bad.append(expected)
    top = max(logs)
    prior = _prior(blocks, evidence.patches)
    weights = [p * math.exp(log - top) for p, log in zip(prior, logs, strict=True)]
    total = math.fsum(weights)
    return Belief(blocks, tuple(w / total for w in weights), tuple(bad))


def _prior(blocks: Sequence[Block], patches: int) -> list[float]:
    """Every patch alike; that the base fails already is believed more of than any patch, since
    nobody looked for that."""
    each = (1 - _BASE_PRIOR - _NOTHING_PRIOR) / patches
    steps = [b.first - a.last for a, b in pairwise(blocks)]
    return [_BASE_PRIOR, *(each * step for step in steps), _NOTHING_PRIOR]


@lru_cache(maxsize=1 << 16)
def fit(rates: Rates, bad: int, good: int) -> tuple[float, float]:
    """Logarithm of how likely such runs of bad kernels are, and the failure rate they suggest."""
    logs = [
        math.log(prior) + _log_power(rate, bad) + _log_power(1 - rate, good)
        for rate, prior in rates
    ]
    top = max(logs)
    if top == -math.inf:
        return -math.inf, 0.0
    terms = [math.exp(log - top) for log in logs]
    total = math.fsum(terms)
    rate = math.fsum(term * rate for term, (rate, _) in zip(terms, rates, strict=True)) / total
    return top + math.log(total), min(rate, 1.0)


def _log_power(base: float, times: int) -> float:
    if not times:
        return 0.0
    return times * math.log(base) if base > 0 else -math.inf
