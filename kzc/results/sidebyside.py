# SPDX-License-Identifier: GPL-2.0-only
"""Two runs side by side: each case with its verdict and its numbers then and now. Pure.

Rule: only a case that was good and is not any more regressed. What the host broke says nothing
about the code, and what one of the runs has not is told as new or gone, never as good.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from statistics import median

from kzc.results.verdicts import judge
from kzc.values import Case, Run, Stage, Verdict, worst

SERIES_KEY = "series_key"
"""The key of `Run.environment` that names the content of the series."""

_WITH_CASES = frozenset({Stage.TEST, Stage.BENCH})


class Change(StrEnum):
    """What became of a case. SAME: good both times; UNKNOWN: the host broke in one of the runs;
    OTHER: good both times in another way (passed, and is skipped now)."""

    REGRESSED = "regressed"
    FIXED = "fixed"
    FAILING = "still failing"
    NEW = "new"
    GONE = "gone"
    UNKNOWN = "no verdict"
    OTHER = "otherwise"
    SAME = "same"


@dataclass(frozen=True)
class Number:
    """One number of a case, the median where the run has several; None where it has none."""

    name: str
    old: float | None
    new: float | None


@dataclass(frozen=True)
class Row:
    """A case; `case` is empty for what was found about a whole suite or stage."""

    subject: str
    case: str
    change: Change
    old: Verdict | None
    new: Verdict | None
    numbers: tuple[Number, ...] = ()


@dataclass(frozen=True)
class _Seen:
    verdict: Verdict
    numbers: Mapping[str, float]


_Key = tuple[str, str]


def side_by_side(old: Run, new: Run) -> tuple[Row, ...]:
    """A row per stage, suite and case of either run, in the order of the newer one.

    A suite has a row of its own where it has no cases, or is worse than they are (a splat in the
    kernel's log).
    """
    own = _worse_than_cases(old) | _worse_than_cases(new)
    before, after = _seen(old, own), _seen(new, own)
    return tuple(
        _row(key, before.get(key), after.get(key)) for key in dict.fromkeys((*after, *before))
    )


def differences(old: Run, new: Run, names: Iterable[str]) -> tuple[tuple[str, str, str], ...]:
    """What of that the runs were made with is not the same: name, then, now."""
    pairs = ((name, old.environment.get(name, ""), new.environment.get(name, "")) for name in names)
    return tuple(each for each in pairs if each[1] != each[2])


def newest_pair(runs: Sequence[Run], old: str, new: str) -> tuple[Run | None, Run | None]:
    """The newest finished runs with tests of the series with these keys; `runs`: newest first.

    Of the older series rather one on the same tree with the same profile than a newer one.
    """
    before, after = (
        [run for run in runs if run.environment.get(SERIES_KEY) == key and _tested(run)]
        for key in (old, new)
    )
    if not before or not after:
        return next(iter(before), None), next(iter(after), None)
    made = _made_with(after[0])
    return next((run for run in before if _made_with(run) == made), before[0]), after[0]


def _tested(run: Run) -> bool:
    return bool(run.finished) and any(each.stage in _WITH_CASES for each in run.outcomes)


def _made_with(run: Run) -> tuple[str, ...]:
    return tuple(run.environment.get(name, "") for name in ("tree_id", "profile"))


def regressed(rows: Iterable[Row]) -> bool:
    """Whether any case that was good is not any more."""
    return any(row.change is Change.REGRESSED for row in rows)


def judge_change(old: Verdict | None, new: Verdict | None) -> Change:
    """What a pair of verdicts says; None where the run has no such case."""
    if old is None:
        return Change.NEW
    if new is None:
        return Change.GONE
    if Verdict.INFRA in (old, new):
        return Change.UNKNOWN
    if old.good and new.good:
        return Change.SAME if old is new else Change.OTHER
    if old.good:
        return Change.REGRESSED
    return Change.FIXED if new.good else Change.FAILING


def _row(key: _Key, old: _Seen | None, new: _Seen | None) -> Row:
    verdicts = (old.verdict if old else None, new.verdict if new else None)
    then, now = (seen.numbers if seen else {} for seen in (old, new))
    numbers = tuple(
        Number(name, then.get(name), now.get(name)) for name in dict.fromkeys((*now, *then))
    )
    return Row(*key, judge_change(*verdicts), *verdicts, numbers)


def _worse_than_cases(run: Run) -> set[str]:
    suites = [outcome for outcome in run.outcomes if outcome.stage in _WITH_CASES]
    return {
        suite.subject
        for suite in suites
        if not suite.cases or judge(suite) is not worst(case.verdict for case in suite.cases)
    }


def _seen(run: Run, own: set[str]) -> dict[_Key, _Seen]:
    verdicts: dict[_Key, list[Verdict]] = {}
    cases: dict[_Key, list[Case]] = {}
    for outcome in run.outcomes:
        if outcome.stage not in _WITH_CASES:
            verdicts.setdefault((outcome.stage.value, ""), []).append(judge(outcome))
            continue
        if outcome.subject in own:
            verdicts.setdefault((outcome.subject, ""), []).append(outcome.verdict)
        for case in outcome.cases:
            cases.setdefault((outcome.subject, case.name), []).append(case)
    found = {key: _Seen(worst(values), {}) for key, values in verdicts.items()}
    for key, same in cases.items():
        found[key] = _Seen(worst(case.verdict for case in same), _numbers(same))
    return found


def _numbers(cases: Sequence[Case]) -> dict[str, float]:
    found: dict[str, list[float]] = {}
    for case in cases:
        for name, value in case.detail.items():
            if isinstance(value, int | float) and not isinstance(value, bool):
                found.setdefault(name, []).append(value)
    return {name: median(values) for name, values in found.items()}
