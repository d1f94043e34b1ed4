# SPDX-License-Identifier: GPL-2.0-only
"""What is run again of a program that ends with its first failure, as vsock_test does. Pure.

Another round runs what never began, so that one failure does not hide what the other tests say, and
once more what the manifest knows to be racy. A failure that is not known stays what it is.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

from kzc.suites.fold import Part
from kzc.values import Case, Ended, Verdict

_FAILED = frozenset({Verdict.FAIL, Verdict.TIMEOUT})


def left_over(part: Part, racy: Mapping[str, str], *, apart: bool = True) -> tuple[str, ...]:
    """Names of the cases for another round; none when an end is gone or nothing had failed. Where
    cases cannot be run `apart` from others, a round is for a racy one and what waited for it."""
    if part.ended is not Ended.EXIT:
        return ()
    failed = [case.name for case in part.cases if case.verdict in _FAILED and case.name in racy]
    if not (apart or failed):
        return ()
    ran = any(case.verdict is not Verdict.NOT_RUN for case in part.cases)
    waiting = [case.name for case in part.cases if case.verdict is Verdict.NOT_RUN and ran]
    return (*failed, *waiting)


def merged(part: Part, more: Part, names: Collection[str], racy: Mapping[str, str]) -> Part:
    """A part with the cases `names` as a further round saw them; both rounds' logs count."""
    seen = {case.name: case for case in more.cases if case.name in names}
    cases = tuple(_better(case, seen.get(case.name, case), racy) for case in part.cases)
    strange = [case for case in more.cases if case.name not in {each.name for each in cases}]
    return Part(
        (*cases, *strange), (*part.logs, *more.logs), more.ended, part.seconds + more.seconds
    )


def _better(before: Case, now: Case, racy: Mapping[str, str]) -> Case:
    if before.verdict in _FAILED and now.verdict is Verdict.PASS:
        reason = f"at the second try ({racy[now.name]}); the first: {before.reason}"
        return replace(now, reason=reason)
    return before if now.verdict is Verdict.NOT_RUN else now
