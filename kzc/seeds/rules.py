# SPDX-License-Identifier: GPL-2.0-only
"""The rules of seeds/*.toml: whether a measured figure bears out a posted one. Pure.

Rule: a figure counts with its interval. Where the interval lies on both sides of a bound, the
figure says neither yes nor no.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from kzc.seeds.values import Found, Word

EVEN = 100.0
_WRITTEN = re.compile(r"(same side|above|below|at least|at most|within)(?: (\d+(?:\.\d+)?))?")


class Kind(StrEnum):
    """How a figure is compared.

    SAME_SIDE: it is on that side of 100 percent on which the posted one is. WITHIN: it is at most
    so many percent off the posted one. The others compare it with a bound of their own.
    """

    SAME_SIDE = "same side"
    ABOVE = "above"
    BELOW = "below"
    AT_LEAST = "at least"
    AT_MOST = "at most"
    WITHIN = "within"


@dataclass(frozen=True)
class Rule:
    """A kind and its bound, which SAME_SIDE has not."""

    kind: Kind
    bound: float = 0.0

    @property
    def of_posted(self) -> bool:
        """Whether it takes a posted figure."""
        return self.kind in {Kind.SAME_SIDE, Kind.WITHIN}

    def __str__(self) -> str:
        return self.kind if self.kind is Kind.SAME_SIDE else f"{self.kind} {self.bound:g}"


def parse_rule(text: object) -> object:
    """The rule of "below 100" or "same side"; no text is returned as it is. Raises ValueError."""
    if not isinstance(text, str):
        return text
    match = _WRITTEN.fullmatch(text)
    if not match or (match[1] == Kind.SAME_SIDE) == bool(match[2]):
        raise ValueError("is no rule: same side, or above, below, at least, at most, within NUMBER")
    return Rule(Kind(match[1]), float(match[2] or 0))


def judge(rule: Rule, found: Found, posted: float | None) -> tuple[Word, str]:
    """What a figure says, and why where it does not hold."""
    if found.value is None:
        return Word.UNTOLD, found.reason or "there is no such figure"
    if rule.of_posted and posted is None:
        return Word.UNTOLD, f"the rule {rule} wants a posted figure, and there is none"
    return _compared(_bounds(rule, posted or 0.0), found)


@dataclass(frozen=True)
class _Range:
    low: float | None
    high: float | None
    with_ends: bool

    def has(self, value: float) -> bool:
        over = self.low is None or value > self.low or (self.with_ends and value == self.low)
        under = self.high is None or value < self.high or (self.with_ends and value == self.high)
        return over and under

    def __str__(self) -> str:
        if self.low is not None and self.high is not None:
            return f"{self.low:g} to {self.high:g}"
        if self.low is not None:
            return f"{'at least' if self.with_ends else 'above'} {self.low:g}"
        return f"{'at most' if self.with_ends else 'below'} {self.high:g}"


def _bounds(rule: Rule, posted: float) -> _Range:
    if rule.kind is Kind.SAME_SIDE:
        return _Range(EVEN, None, False) if posted > EVEN else _Range(None, EVEN, False)
    if rule.kind is Kind.WITHIN:
        reach = posted * rule.bound / 100
        return _Range(posted - reach, posted + reach, True)
    upward = rule.kind in {Kind.ABOVE, Kind.AT_LEAST}
    ends = rule.kind in {Kind.AT_LEAST, Kind.AT_MOST}
    return _Range(rule.bound, None, ends) if upward else _Range(None, rule.bound, ends)


def _compared(wanted: _Range, found: Found) -> tuple[Word, str]:
    assert found.value is not None
    inside = [wanted.has(each) for each in (found.low, found.value, found.high)]
    if all(inside):
        return Word.HOLDS, ""
    beyond = wanted.low is not None and wanted.has(found.high) is False and found.high <= wanted.low
    before = wanted.high is not None and not wanted.has(found.low) and found.low >= wanted.high
    if beyond or before:
        return Word.NOT, f"{found.value:.4g} is not {wanted}"
    return Word.UNTOLD, f"the interval {found.low:.4g} to {found.high:.4g} is not all {wanted}"
