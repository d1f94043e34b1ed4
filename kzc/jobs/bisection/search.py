# SPDX-License-Identifier: GPL-2.0-only
"""Which of n patches broke it, asked of runs that may lie: a noisy search, pure arithmetic.

The next run is the one from which most is expected to be learnt of the hypotheses (mutual
information), or one of a kernel known to be bad where knowing the failure rate saves more runs
than that costs. The search ends when one hypothesis has the confidence asked for. All is a
function of the evidence as a whole: a log replays exactly.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import accumulate

from kzc.jobs.bisection.belief import Belief, Block, Evidence, Goal, Rates, believe, blocks_of, fit

_TIE = 1e-9
_LIKELY = 0.1
_FAR = 4096


class Ending(StrEnum):
    """How a search ends. FOUND names a patch, or several that cannot be told apart."""

    FOUND = "found"
    BASE_BAD = "the base fails already"
    NOT_REPRODUCED = "not reproduced"
    UNDECIDED = "undecided"


@dataclass(frozen=True)
class Answer:
    """The end of a search: the patches `first` to `last` (0 where it names none), how sure it is,
    the failure rate expected of a bad kernel, and why."""

    ending: Ending
    confidence: float
    rate: float = 0.0
    first: int = 0
    last: int = 0
    why: str = ""


def next_point(evidence: Evidence, goal: Goal) -> int | Answer:
    """The point to run next, or the answer. Both ends come first: the last patch until it has
    failed once, the base once; that the base is good is then held to the same confidence."""
    blocks = blocks_of(evidence)
    stuck = _ends_missing(evidence, blocks)
    if stuck:
        return Answer(Ending.UNDECIDED, 0.0, why=stuck)
    belief = believe(evidence, goal)
    answer = _answer(belief, evidence, goal)
    if answer:
        return answer
    if blocks[-1].tally.bad == 0:
        return blocks[-1].last
    if blocks[0].tally.runs == 0:
        return blocks[0].first
    if _rate_pays(belief, goal):
        return next(block.first for block in blocks if block.tally.bad)
    gains = informations(belief, goal.false_rate)
    best = max(gains)
    return next(b.first for b, gain in zip(blocks, gains, strict=False) if gain >= best - _TIE)


def informations(belief: Belief, false_rate: float) -> tuple[float, ...]:
    """Bits that one run of each block is expected to say about which hypothesis is right."""
    noise = _entropy(false_rate)
    terms = list(zip(belief.weights, belief.bad, strict=True))
    failing = list(accumulate(w * b for w, b in terms))
    unsure = list(accumulate(w * _entropy(b) for w, b in terms))
    share = list(accumulate(belief.weights))
    found = []
    for i in range(len(belief.blocks)):
        good = max(0.0, 1 - share[i])
        found.append(_entropy(failing[i] + good * false_rate) - unsure[i] - good * noise)
    return tuple(found)


def _ends_missing(evidence: Evidence, blocks: Sequence[Block]) -> str:
    if 0 in evidence.excluded:
        return "the base cannot be tested"
    if evidence.patches in evidence.excluded:
        return "the last patch cannot be tested"
    if len(blocks) == 1:
        return "the base and the last patch have the same image"
    return ""


def _answer(belief: Belief, evidence: Evidence, goal: Goal) -> Answer | None:
    blocks, weights = belief.blocks, belief.weights
    best = max(range(len(weights)), key=weights.__getitem__)
    sure = weights[best]
    nothing = len(blocks)
    if blocks[-1].tally.bad == 0 and blocks[-1].tally.good >= goal.fruitless:
        why = f"{blocks[-1].tally.good} runs of the last patch went well"
        return Answer(Ending.NOT_REPRODUCED, weights[nothing], why=why)
    if sure >= goal.enough and best == 0:
        return Answer(Ending.BASE_BAD, sure, belief.bad[0])
    if sure >= goal.enough and best < nothing and blocks[-1].tally.bad:
        first, last = blocks[best - 1].last + 1, blocks[best].first
        return Answer(Ending.FOUND, sure, belief.bad[best], first, last)
    if evidence.runs >= goal.cap:
        why = f"{evidence.runs} runs were spent"
        if 0 < best < nothing:
            first, last = blocks[best - 1].last + 1, blocks[best].first
            return Answer(Ending.UNDECIDED, sure, belief.bad[best], first, last, why)
        return Answer(Ending.UNDECIDED, sure, belief.bad[best], why=why)
    return None


def _rate_pays(belief: Belief, goal: Goal) -> bool:
    """Whether a run of the first block that has failed shortens what is left by more than itself.

    What is left is taken to be good runs just before the likeliest patch: the fewer failures were
    seen, the more of them it takes to rule out that those kernels are bad but seldom fail.
    """
    blocks, weights, rates = belief.blocks, belief.weights, goal.rates
    best = max(range(len(weights)), key=weights.__getitem__)
    if not 0 < best < len(blocks) or weights[best] < _LIKELY or goal.false_rate or goal.rate:
        return False
    odds = math.fsum(weights[:best]) / weights[best]
    bad = sum(block.tally.bad for block in blocks)
    good = sum(block.tally.good for block in blocks[best:])
    more = good + blocks[best - 1].tally.good
    now = _good_runs_left(rates, bad, more, odds, goal)
    p, other = fit(rates, bad, good)[1], fit(rates, bad, more)[1]
    failed = _good_runs_left(rates, bad + 1, more, odds * other / p, goal)
    if p == 1:
        return weights[best] * (now - failed) > 1
    went_well = _good_runs_left(rates, bad, more + 1, odds * (1 - other) / (1 - p), goal)
    return weights[best] * (now - p * failed - (1 - p) * went_well) > 1


def _good_runs_left(rates: Rates, bad: int, good: int, odds: float, goal: Goal) -> float:
    """Good runs, in fractions, after which `odds` against the likeliest patch are small enough;
    `bad` and `good` are the runs of bad kernels if it is not that patch but the one before."""
    enough = math.log(1 - goal.enough) - (math.log(odds) if odds > 0 else -math.inf)
    start = fit(rates, bad, good)[0]
    if enough >= 0 or start == -math.inf:
        return 0.0

    def gained(runs: int) -> float:
        return fit(rates, bad, good + runs)[0] - start

    low, high = 0, 1
    while gained(high) > enough and high < _FAR:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if gained(middle) > enough else (low, middle)
    before, after = gained(low), gained(high)
    return low + (before - enough) / (before - after) if after > -math.inf else float(high)


def _entropy(p: float) -> float:
    if not 0 < p < 1:
        return 0.0
    return -p * math.log2(p) - (1 - p) * math.log2(1 - p)
