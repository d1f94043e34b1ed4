# SPDX-License-Identifier: GPL-2.0-only
"""What a bisection looks for, and what one run of a point says of it.

Rule: only the very failure that is looked for counts as bad. A case or suite that fails in another
way, is skipped or was never reached says nothing, and a number says something only beside those of
the base. What the failure is called is learnt from the first one, unless a signature was given.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from kzc.errors import UsageError
from kzc.results.verdicts import judge
from kzc.values import Case, Outcome, Stage, Verdict

BOOT = "boot"
_WORSE = re.compile(r"([\w.-]+)=(\+?)(\d+(?:\.\d+)?)%")


class Seen(StrEnum):
    """What one run of a point showed. MEASURED has a number, and means what the base's say."""

    GOOD = "good"
    BAD = "bad"
    MEASURED = "measured"
    OTHER = "another failure"
    UNBOOTABLE = "does not boot"
    UNBUILDABLE = "does not build"


@dataclass(frozen=True)
class Worse:
    """A sample `name` that gets worse by more than `percent`: smaller, or larger if `up`."""

    name: str
    percent: float
    up: bool = False


@dataclass(frozen=True)
class Sought:
    """What is looked for: a suite (or `boot`), perhaps one case of it, perhaps a signature (part
    of it is enough), or a sample getting worse."""

    suite: str
    case: str = ""
    signature: str = ""
    worse: Worse | None = None


@dataclass(frozen=True)
class Sighting:
    """What a run showed; `signature` names the failure, `value` is the sample if one is sought."""

    seen: Seen
    reason: str = ""
    signature: str = ""
    value: float | None = None


def sought(test: str, signature: str = "", worse: str = "") -> Sought:
    """What SUITE[:CASE], a signature and NAME=X% (NAME=+X%: larger is worse) mean.

    Raises UsageError where they are not well formed.
    """
    suite, _, case = test.partition(":")
    if not suite:
        raise UsageError("nothing to look for", "--test SUITE[:CASE], or --test boot")
    if not worse:
        return Sought(suite, case.strip(), signature)
    found = _WORSE.fullmatch(worse)
    if not found or suite == BOOT:
        raise UsageError(f"--worse {worse}", "like tx=10%, or seconds=+10% where less is better")
    return Sought(suite, case.strip(), signature, Worse(found[1], float(found[3]), bool(found[2])))


def sighting(outcomes: Sequence[Outcome], wanted: Sought) -> Sighting:
    """What the boot outcome and, if there is one, the test outcome of a run say."""
    boot = next(outcome for outcome in outcomes if outcome.stage is Stage.BOOT)
    test = next((outcome for outcome in outcomes if outcome.stage is Stage.TEST), None)
    if wanted.signature and _shows(outcomes, wanted.signature):
        return Sighting(Seen.BAD, boot.reason if test is None else test.reason, wanted.signature)
    if boot.verdict is Verdict.INFRA:
        return Sighting(Seen.OTHER, boot.reason)
    if wanted.suite == BOOT:
        return _of_outcome(boot, wanted)
    if test is None:
        return Sighting(Seen.UNBOOTABLE, boot.reason, _signature(boot))
    if wanted.worse:
        return _of_sample(test, wanted)
    case = next((case for case in test.cases if case.name == wanted.case), None)
    if wanted.case and case is None:
        return Sighting(Seen.OTHER, f"there was no case {wanted.case!r}")
    return _of_case(case, test, wanted) if case else _of_outcome(test, wanted)


def _of_case(case: Case, test: Outcome, wanted: Sought) -> Sighting:
    if case.verdict in {Verdict.PASS, Verdict.XFAIL}:
        return Sighting(Seen.GOOD)
    if case.verdict in {Verdict.SKIP, Verdict.NOT_RUN, Verdict.INFRA}:
        return Sighting(Seen.OTHER, f"{case.verdict}: {case.reason}".rstrip(": "))
    splat = test.detail.get("signature", "") if test.detail.get("findings") else ""
    name = f"{case.verdict}: {case.name}" + (f"; {splat}" if splat else "")
    return _failed(name, case.reason or test.reason, wanted)


def _of_outcome(outcome: Outcome, wanted: Sought) -> Sighting:
    verdict = judge(outcome)
    if verdict.good:
        return Sighting(Seen.GOOD)
    if verdict in {Verdict.INFRA, Verdict.NOT_RUN}:
        return Sighting(Seen.OTHER, outcome.reason)
    return _failed(_signature(outcome), outcome.reason, wanted)


def _failed(name: str, reason: str, wanted: Sought) -> Sighting:
    same = not wanted.signature or wanted.signature in name
    return Sighting(Seen.BAD if same else Seen.OTHER, reason or name, name)


def _of_sample(test: Outcome, wanted: Sought) -> Sighting:
    assert wanted.worse is not None
    for case in test.cases:
        value = case.detail.get(wanted.worse.name)
        fits = not wanted.case or case.name == wanted.case
        if fits and isinstance(value, int | float) and case.verdict is Verdict.PASS:
            return Sighting(Seen.MEASURED, f"{wanted.worse.name} {value:g}", value=float(value))
    return Sighting(Seen.OTHER, f"no case that passed measured {wanted.worse.name}")


def _shows(outcomes: Sequence[Outcome], signature: str) -> bool:
    return any(
        signature in text
        for outcome in outcomes
        for text in (str(outcome.detail.get("signature", "")), *_findings(outcome))
    )


def _findings(outcome: Outcome) -> list[str]:
    return [str(found) for found in outcome.detail.get("findings", ())]


def _signature(outcome: Outcome) -> str:
    """The outcome's own, or that of its first case that is to blame."""
    if known := outcome.detail.get("signature"):
        return str(known)
    blamed = next((case for case in outcome.cases if not case.verdict.good), None)
    return f"{blamed.verdict}: {blamed.name}" if blamed else str(outcome.verdict)
