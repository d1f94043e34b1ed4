# SPDX-License-Identifier: GPL-2.0-only
"""Two runs side by side: each case with its verdict and its numbers then and now. Pure.

Rule: only a case that was good and is not any more regressed. What the host broke says nothing
about the code, and what one of the runs has not is told as new or gone, never as good.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from enum import StrEnum
from statistics import median

from kzc.results.pace import Pace, paces_of
from kzc.results.past import SILENT
from kzc.results.verdicts import judge
from kzc.values import Case, Run, Stage, Verdict, worst

SERIES_KEY = "series_key"
"""The key of `Run.environment` that names the content of the series."""


class Change(StrEnum):
    """What became of a case. SAME: good both times; UNKNOWN: the host broke in one of the runs;
    OTHER: good both times in another way (passed, and is skipped now). FLAKY: another verdict
    than before, as other runs of one of the kernels had it, too."""

    REGRESSED = "regressed"
    FIXED = "fixed"
    FLAKY = "flaky"
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
class Rate:
    """In how many of the runs that had a verdict of the case it was bad."""

    bad: int
    of: int

    @property
    def mixed(self) -> bool:
        return 0 < self.bad < self.of


@dataclass(frozen=True)
class Row:
    """A case; `case` is empty for what was found about a whole suite or stage. `rates` are over the
    runs on either side, `paces` what got faster or slower beyond chance."""

    subject: str
    case: str
    change: Change
    old: Verdict | None
    new: Verdict | None
    numbers: tuple[Number, ...] = ()
    rates: tuple[Rate, Rate] = (Rate(0, 0), Rate(0, 0))
    paces: tuple[Pace, ...] = ()


@dataclass(frozen=True)
class _Seen:
    verdict: Verdict
    numbers: Mapping[str, float]


TESTS = frozenset({Stage.TEST, Stage.BENCH})
"""Stages whose cases are compared one by one."""

_Key = tuple[str, str]


def side_by_side(
    old: Run, new: Run, before: Sequence[Run] = (), after: Sequence[Run] = ()
) -> tuple[Row, ...]:
    """A row per stage, suite and case of either run, in the order of the newer one.

    A suite has a row of its own where it has no cases, or is worse than they are (a splat in the
    kernel's log). `before` and `after` are other runs made of the same as `old` and as `new`.
    """
    sides = (old, *before), (new, *after)
    own = _worse_than_cases(old) | _worse_than_cases(new)
    then, now = ([_seen(run, own) for run in side] for side in sides)
    paces = paces_of(*sides)
    return tuple(
        _row(key, [each.get(key) for each in then], [each.get(key) for each in now], paces)
        for key in dict.fromkeys((*now[0], *then[0]))
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
        [run for run in runs if run.environment.get(SERIES_KEY) == key] for key in (old, new)
    )
    return fitting(before, after, ("tree_id", "profile"))


def fitting(
    before: Iterable[Run],
    after: Iterable[Run],
    names: Sequence[str],
    suites: Callable[[Run], AbstractSet[str]] | None = None,
) -> tuple[Run | None, Run | None]:
    """A finished run with tests of either, as new as can be: rather two that have a suite in
    common, and then rather two that have the same facts of these names."""
    older, newer = ([run for run in side if tested(run)] for side in (before, after))
    if not older or not newer:
        return next(iter(older), None), next(iter(newer), None)
    suites = suites or suites_of

    def facts(run: Run) -> list[str]:
        return [run.environment.get(name, "") for name in names]

    def fit(pair: tuple[Run, Run]) -> tuple[bool, bool]:
        return bool(suites(pair[0]) & suites(pair[1])), facts(pair[0]) == facts(pair[1])

    # of equals the first one is the largest
    return max(((old, new) for new in newer for old in older), key=fit)


def suites_of(run: Run) -> set[str]:
    """The names under which a run tested something."""
    ran = (each for each in run.outcomes if each.stage in TESTS)
    return {each.subject for each in ran if judge(each) is not Verdict.SKIP}


def tested(run: Run) -> bool:
    """Whether it is complete and has tests, or measurements."""
    return bool(run.finished) and any(each.stage in TESTS for each in run.outcomes)


def regressed(rows: Iterable[Row]) -> bool:
    """Whether any case that was good is not any more."""
    return any(row.change is Change.REGRESSED for row in rows)


def slowed(rows: Iterable[Row], percent: float) -> bool:
    """Whether any figure got slower beyond chance, and by more than `percent` of what it was."""
    return any(
        pace.word == "slower" and abs(pace.new - pace.old) * 100 > percent * abs(pace.old)
        for row in rows
        for pace in row.paces
    )


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


def _row(
    key: _Key,
    old: Sequence[_Seen | None],
    new: Sequence[_Seen | None],
    paces: Mapping[_Key, tuple[Pace, ...]],
) -> Row:
    verdicts = (old[0].verdict if old[0] else None, new[0].verdict if new[0] else None)
    then, now = (seen.numbers if seen else {} for seen in (old[0], new[0]))
    rates = (_rate(old), _rate(new))
    numbers = tuple(
        Number(name, then.get(name), now.get(name)) for name in dict.fromkeys((*now, *then))
    )
    change = _settled(judge_change(*verdicts), *rates)
    return Row(*key, change, *verdicts, numbers, rates, paces.get(key, ()))


def _rate(seen: Iterable[_Seen | None]) -> Rate:
    told = [each.verdict for each in seen if each and each.verdict not in SILENT]
    return Rate(sum(not verdict.good for verdict in told), len(told))


def _settled(change: Change, old: Rate, new: Rate) -> Change:
    """What was bad now and then before did not regress; nor is fixed what still may fail."""
    if change is Change.REGRESSED and old.bad:
        return Change.FLAKY
    if change is Change.FIXED and (old.mixed or new.bad):
        return Change.FLAKY
    return change


def _worse_than_cases(run: Run) -> set[str]:
    suites = [outcome for outcome in run.outcomes if outcome.stage in TESTS]
    return {
        suite.subject
        for suite in suites
        if not suite.cases or judge(suite) is not worst(case.verdict for case in suite.cases)
    }


def _seen(run: Run, own: set[str]) -> dict[_Key, _Seen]:
    verdicts: dict[_Key, list[Verdict]] = {}
    cases: dict[_Key, list[Case]] = {}
    for outcome in run.outcomes:
        if outcome.stage not in TESTS:
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
