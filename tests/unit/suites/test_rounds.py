# SPDX-License-Identifier: GPL-2.0-only
"""What a further round may say, and what it must not take back."""

from __future__ import annotations

import pytest

from kzc.suites.fold import Part
from kzc.suites.rounds import left_over, merged
from kzc.values import Case, Ended, Verdict

RACY = {"shut": "its wire may be slow"}


def part(ended: Ended = Ended.EXIT, **verdicts: Verdict) -> Part:
    cases = (Case(name, verdict, reason=str(verdict)) for name, verdict in verdicts.items())
    return Part(tuple(cases), (), ended, 1.0)


@pytest.mark.parametrize(
    ("now", "after"),
    [
        (Verdict.PASS, Verdict.PASS),
        (Verdict.FAIL, Verdict.FAIL),
        (Verdict.CRASH, Verdict.CRASH),
        (Verdict.NOT_RUN, Verdict.FAIL),
    ],
)
def test_a_failure_is_taken_back_only_by_a_round_that_ran_it(now: Verdict, after: Verdict) -> None:
    found = merged(part(shut=Verdict.FAIL), part(shut=now), ["shut"], RACY)
    assert [case.verdict for case in found.cases] == [after]


def test_what_never_ran_gets_the_next_rounds_verdict() -> None:
    first = part(a=Verdict.FAIL, b=Verdict.NOT_RUN)
    names = left_over(first, {})
    assert names == ("b",)
    found = merged(first, part(a=Verdict.PASS, b=Verdict.PASS), names, {})
    assert [case.verdict for case in found.cases] == [Verdict.FAIL, Verdict.PASS]


@pytest.mark.parametrize("ended", [ended for ended in Ended if ended is not Ended.EXIT])
def test_there_is_no_other_round_with_a_dead_end(ended: Ended) -> None:
    assert left_over(part(ended, shut=Verdict.FAIL, b=Verdict.NOT_RUN), RACY) == ()
