# SPDX-License-Identifier: GPL-2.0-only
"""Rounds folded into a median with its interval, and two sides compared. By scipy throughout.

scipy is imported when something is folded, as it takes a second.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from statistics import median
from typing import Any

SEED = 20230423
CONFIDENCE = 0.95
ALPHA = 0.05
RESAMPLES = 1999
LEAST = 3
"""Below so many rounds nothing is said of an interval."""
FENCE = 1.5
SLACK = 0.005

RULE = (
    f"outliers are marked (!) and counted: more than {FENCE} interquartile ranges outside of the "
    f"quartiles (Tukey) and more than {SLACK:.1%} off the median"
)


@dataclass(frozen=True)
class Summary:
    """`low` and `high` bound the median with 95 % confidence (bootstrap, percentiles); of less than
    three values they are the smallest and the largest. `spread` is the interquartile range as a
    part of the median. `outliers` are places in `values`; they count in all the others."""

    values: tuple[float, ...]
    median: float
    low: float
    high: float
    spread: float
    outliers: tuple[int, ...]

    @property
    def n(self) -> int:
        return len(self.values)


@dataclass(frozen=True)
class Difference:
    """`ratio` of the medians, new to old, with its interval; `p` of a two-sided Mann-Whitney test.

    `tellable` is false where so few values could never be significant.
    """

    ratio: float
    low: float
    high: float
    p: float
    tellable: bool


def summarize(values: Sequence[float]) -> Summary:
    """Fold at least one value. Raises ValueError for none."""
    if not values:
        raise ValueError("no values to summarize")
    return _summarize(tuple(values))


@lru_cache(4096)  # tables, plots and formats ask for the same cells
def _summarize(values: tuple[float, ...]) -> Summary:
    middle = median(values)
    if len(values) < LEAST or min(values) == max(values):
        return Summary(values, middle, min(values), max(values), 0.0, ())
    from scipy.stats import iqr

    low, high = _interval((values,), _median)
    part = float(iqr(values)) / middle if middle else 0.0
    return Summary(values, middle, low, high, part, _outliers(values, middle))


def compare(old: Sequence[float], new: Sequence[float]) -> Difference:
    """Whether `new` differs from `old`, and by how much. Raises ValueError where one is empty."""
    if not old or not new:
        raise ValueError("nothing to compare")
    return _compare(tuple(old), tuple(new))


@lru_cache(4096)
def _compare(old: tuple[float, ...], new: tuple[float, ...]) -> Difference:
    from scipy.special import binom

    ratio = median(new) / median(old) if median(old) else float("inf")
    same = min(*old, *new) == max(*old, *new)
    single = min(len(old), len(new)) < LEAST or (min(old) == max(old) and min(new) == max(new))
    low, high = (ratio, ratio) if single else _interval((new, old), _ratio)
    # the smallest p that a two-sided test of so many values can have
    tellable = 2 / float(binom(len(old) + len(new), len(old))) < ALPHA
    return Difference(ratio, low, high, 1.0 if same else _p_of(old, new), tellable)


def adjusted(ps: Sequence[float]) -> tuple[float, ...]:
    """The same p values when that many are looked at (Benjamini and Hochberg)."""
    if not ps:
        return ()
    from scipy.stats import false_discovery_control

    return tuple(float(p) for p in false_discovery_control(list(ps), method="bh"))


def _p_of(old: Sequence[float], new: Sequence[float]) -> float:
    from scipy.stats import mannwhitneyu

    return float(mannwhitneyu(new, old, alternative="two-sided").pvalue)


def _interval(samples: tuple[Sequence[float], ...], statistic: Any) -> tuple[float, float]:
    from scipy.stats import bootstrap

    found = bootstrap(
        samples,
        statistic,
        n_resamples=RESAMPLES,
        confidence_level=CONFIDENCE,
        method="percentile",
        vectorized=True,
        rng=SEED,
    ).confidence_interval
    return float(found.low), float(found.high)


def _median(values: Any, axis: int = -1) -> Any:
    from scipy.stats import quantile

    return quantile(values, 0.5, axis=axis)


def _ratio(new: Any, old: Any, axis: int = -1) -> Any:
    return _median(new, axis) / _median(old, axis)


def _outliers(values: Sequence[float], middle: float) -> tuple[int, ...]:
    from scipy.stats import quantile

    first, third = (float(quantile(values, part)) for part in (0.25, 0.75))
    reach = FENCE * (third - first)
    return tuple(
        place
        for place, value in enumerate(values)
        if not first - reach <= value <= third + reach and abs(value - middle) > SLACK * abs(middle)
    )
