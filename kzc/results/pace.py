# SPDX-License-Identifier: GPL-2.0-only
"""What got faster or slower from some runs to others, beyond chance. Pure.

Rule: only figures of the same clock and the same machine are compared. Wall time under TCG is none:
there a case says that it counted instructions, or nothing is claimed. A claim needs samples on both
sides that the Mann-Whitney U test tells apart, with the false discovery rate held at 5 % over all
figures of a comparison (Benjamini and Hochberg).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from kzc.values import Case, Run

LEVEL = 0.05
_ENOUGH = 4
"""Samples on either side below which the test cannot be below 5 %."""
_FASTER = ("tx", "rx", "tx_mb", "rx_mb", "txs", "loop", "rate", "throughput", "per_second")
_SLOWER = ("seconds", "send", "whole", "user", "system", "p50", "p90", "p99", "latency", "elapsed")

_Key = tuple[str, str]
_Figure = tuple[str, str, str]


@dataclass(frozen=True)
class Pace:
    """A figure of a case with its medians then and now; `chance` is the test's p, corrected."""

    name: str
    old: float
    new: float
    samples: tuple[int, int]
    chance: float
    word: str
    """slower or faster"""


def paces_of(old: Sequence[Run], new: Sequence[Run]) -> Mapping[_Key, tuple[Pace, ...]]:
    """By subject and case, the figures that differ beyond chance."""
    then, now = _samples(old), _samples(new)
    figures = [
        key
        for key in now
        if key in then and min(len(then[key]), len(now[key])) >= _ENOUGH and _varies(then, now, key)
    ]
    if not figures:
        return {}
    from scipy.stats import false_discovery_control, mannwhitneyu

    chances = [float(mannwhitneyu(then[key], now[key]).pvalue) for key in figures]
    found: dict[_Key, tuple[Pace, ...]] = {}
    for key, chance in zip(figures, false_discovery_control(chances), strict=True):
        before, after = median(then[key]), median(now[key])
        if chance < LEVEL and before != after:
            subject, case, figure = key
            name, _, _ = figure.partition("\0")
            word = "faster" if (after > before) == _more_is_faster(name) else "slower"
            counts = (len(then[key]), len(now[key]))
            pace = Pace(name, before, after, counts, float(chance), word)
            found[subject, case] = (*found.get((subject, case), ()), pace)
    return found


def _samples(runs: Iterable[Run]) -> dict[_Figure, list[float]]:
    """By subject, case and figure with its clock and machine."""
    found: dict[_Figure, list[float]] = {}
    for run in runs:
        for outcome in run.outcomes:
            for case in outcome.cases:
                clock = _clock(run, outcome.detail, case)
                for name, values in _figures(case) if clock else ():
                    key = (outcome.subject, case.name, f"{name}\0{clock}")
                    found.setdefault(key, []).extend(values)
    return found


def _figures(case: Case) -> Iterable[tuple[str, list[float]]]:
    """The figures of a case that say how fast it was: a number, or a list of samples."""
    for name, said in case.detail.items():
        values = said if isinstance(said, list | tuple) else [said]
        if _speaks(name) and values and all(map(_is_number, values)):
            yield name, [float(value) for value in values]


def _clock(run: Run, detail: Mapping[str, Any], case: Case) -> str:
    """What the case's time was taken with and where; empty where that is no measure."""
    facts = run.environment
    machine = f"{facts.get('machine', '')} {facts.get('profile', '')}"
    said = case.detail.get("clock") or detail.get("clock")
    if said and said != "wall":
        return f"{said} {machine}"
    accelerator = facts.get("accelerator", "")
    emulated = "emulated" in str(detail.get("accelerator", "")) or accelerator.startswith("tcg")
    return "" if emulated or not accelerator else f"wall {machine}"


def _speaks(name: str) -> bool:
    return name in (*_FASTER, *_SLOWER) or name.endswith(("_seconds", "_per_second"))


def _more_is_faster(name: str) -> bool:
    return name in _FASTER or name.endswith("_per_second")


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _varies(
    then: Mapping[_Figure, list[float]], now: Mapping[_Figure, list[float]], key: _Figure
) -> bool:
    return len({*then[key], *now[key]}) > 1
