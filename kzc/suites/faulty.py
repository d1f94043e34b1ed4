# SPDX-License-Identifier: GPL-2.0-only
"""Runs a command of a suite under faults, round by round, and says which failures are allowed.

A case that ends with an error that a fault explains has failed as it may (XFAIL). A splat, a leak,
a hang, wrong data and a failure without a reason are failures as ever; a case in whose time no
fault was injected has shown nothing (SKIP).
"""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from kzc.suites import faults, fold
from kzc.suites.fault_log import places
from kzc.suites.faults import Faults, Said
from kzc.suites.fold import Log, Part
from kzc.suites.kernel_log import Rules
from kzc.suites.manifest import Command
from kzc.suites.parsers import PARSERS
from kzc.values import Answer, Case, Ended, Limits, Outcome, Verdict, worst

_PICKED = 20.0  # seconds for one case, at KVM's speed
_WHOLE = 60.0  # and for a whole command that does not say how long it takes
_FAILED = frozenset({Verdict.FAIL, Verdict.CRASH})
_PLACES = 12
NONE = "no fault was injected"
NOTHING_LEFT = "nothing was left to judge: no case got through any round"
_ANOTHER = (
    "take another --fault-every: a larger one where all cases failed, a smaller where none did"
)


@dataclass(frozen=True)
class Ground:
    """Where a command is run: `run` and `take` (the log up to a mark) are the guest's, `path` is
    SUITE/COMMAND, `enter` shell text before the command's, `factor` is on time limits."""

    run: Callable[[str, Limits], Answer]
    take: Callable[[str], tuple[str, ...]]
    path: str
    enter: str
    factor: float
    faults: Faults


def run_command(
    command: Command, planned: Sequence[str], ground: Ground
) -> tuple[Part, Counter[str]]:
    """All rounds of a command, case by case where it can pick one; how many faults of each kind."""
    injected: Counter[str] = Counter()
    opened = ground.run(f"{fold.CLEAR_LEAKS}\n{_mark('begin', ground)}", _limits(_WHOLE, ground))
    found: dict[str, list[tuple[int, Case]]] = {}
    ended, seconds = opened.ended, 0.0
    names = planned if command.pick else ()
    trials = [(every, name) for every in ground.faults.rounds for name in names or ("",)]
    for every, name in trials:
        if ended is not Ended.EXIT:
            break
        answer, said, cases = _trial(command, name, planned, every, ground)
        injected.update(said.counts or {})
        ended, seconds = answer.ended, seconds + answer.seconds
        for case in cases:
            found.setdefault(case.name, []).append((every, case))
    if ended is Ended.EXIT:
        look = f"{fold.FIND_LEAKS}\n{fold.FIND_FULL}\n{_mark('end', ground)}"
        ended = ground.run(look, _limits(_WHOLE, ground)).ended
    mark = fold.mark("end", ground.path)
    log = Log("", ground.take(mark if ended is Ended.EXIT else ""), mark)
    cases = tuple(_folded(rounds) for rounds in found.values())
    if ended is not Ended.EXIT:
        cases += fold.not_run([name for name in planned if name not in found], ended)
    return Part(cases, (log,), ended, seconds), injected


def _trial(
    command: Command, name: str, planned: Sequence[str], every: int, ground: Ground
) -> tuple[Answer, Said, tuple[Case, ...]]:
    patience = (_PICKED if name else command.timeout or _WHOLE) * ground.factor
    pick = f"export KZC_CASE={shlex.quote(name)}\n{command.pick}\n" if name else ""
    tried = faults.trial(f"{pick}{command.run}", every, patience, ground.faults.kinds)
    text = f"{ground.enter}\n{tried}"
    # what is there still is killed by then; a program may have a patience of its own, and a say
    # when that is over
    later = 2 * _PICKED * ground.factor
    answer = ground.run(text, Limits(patience + later, patience + 2 * later))
    said = faults.read(answer.output)
    cases = PARSERS[command.parser](
        said.lines, status=answer.status, planned=(name,) if name else planned
    )
    cases = fold.blame(cases, answer.ended, answer.seconds)
    if name:  # the others were left out, unless something came of them all the same
        cases = tuple(case for case in cases if case.name == name or not case.verdict.good)
    judged = judge(cases, said, ground.faults)
    if not judged:
        reason = f"`{command.name}` ran no case at all"
        judged = (Case(name or command.name, Verdict.FAIL, reason=reason),)
    return answer, said, judged


def judge(cases: Sequence[Case], said: Said, under: Faults) -> tuple[Case, ...]:
    """The cases of one trial, as they count under the faults that were injected in it."""
    number = sum((said.counts or {}).values())
    wrong = under.rules.wrong_data([*said.lines, *(case.reason for case in cases)])
    if sum(case.verdict in _FAILED for case in cases) > 1:  # each has to say its own error then
        said = replace(said, lines=())
    found = []
    for case in cases:
        case = replace(case, detail={**case.detail, "injected": dict(said.counts or {})})
        if case.verdict in _FAILED:
            case = _failure(case, said, under, number, wrong)
        elif case.verdict is Verdict.PASS and not number:
            case = replace(case, verdict=Verdict.SKIP, reason=f"passed, but {NONE}")
        found.append(case)
    if any(case.verdict is Verdict.XFAIL for case in found):
        reason = "not reached: the command ends with its first failure, which was an allowed one"
        found = [
            replace(case, verdict=Verdict.SKIP, reason=reason)
            if case.verdict is Verdict.NOT_RUN
            else case
            for case in found
        ]
    return tuple(found)


def _failure(case: Case, said: Said, under: Faults, number: int, wrong: str) -> Case:
    if said.hung:
        reason = f"hung until it was killed: {'; '.join(said.hung)}"
        return replace(case, verdict=Verdict.TIMEOUT, reason=reason)
    if wrong:
        return replace(case, verdict=Verdict.FAIL, reason=f"wrong data: {wrong.strip()}")
    if not number:
        return replace(case, reason=f"{case.reason}; {NONE}")
    error = under.rules.error([case.reason, *said.lines])
    if not error:
        return replace(case, reason=f"{case.reason}; no error that a fault explains was said")
    detail = {**case.detail, "said": case.reason}
    reason = f"failed as it may under faults: {error}"
    return replace(case, verdict=Verdict.XFAIL, reason=reason, detail=detail)


def _folded(rounds: Sequence[tuple[int, Case]]) -> Case:
    """One case out of its rounds: the worst, and of good ones the one that says most."""
    verdict = worst(case.verdict for _, case in rounds)
    for said in (Verdict.XFAIL, Verdict.PASS):
        if verdict.good and any(case.verdict is said for _, case in rounds):
            verdict = said
            break
    every, shown = next((every, case) for every, case in rounds if case.verdict is verdict)
    seconds = sum(case.seconds for _, case in rounds)
    told = {f"every {at}": _told(case) for at, case in rounds}
    detail = {key: value for key, value in shown.detail.items() if key != "injected"}
    reason = shown.reason if verdict.good else f"every {every}: {shown.reason}"
    return replace(
        shown, verdict=verdict, reason=reason, seconds=seconds, detail={**detail, "rounds": told}
    )


def _told(case: Case) -> str:
    injected: Mapping[str, int] = case.detail.get("injected", {})
    return f"{case.verdict}, {sum(injected.values())} faults"


def concluded(
    outcome: Outcome, parts: Sequence[Part], injected: Counter[str], rules: Rules
) -> Outcome:
    """The outcome of a suite under faults: how many there were, where, and that some have to be."""
    lines = [line for part in parts for log in part.logs for line in log.lines or ()]
    where = places(lines, rules.helpers)
    total = sum(injected.values())
    left = "" if total or outcome.verdict is Verdict.INFRA else NONE
    if total and outcome.verdict.good and not any(map(_proved, outcome.cases)):
        left = NOTHING_LEFT
    detail: dict[str, Any] = {
        **outcome.detail,
        **({"hint": _ANOTHER} if left == NOTHING_LEFT else {}),
        "faults": dict(injected),
        "places": [f"{number} x {place}" for place, number in where.most_common(_PLACES)],
    }
    verdict = worst((outcome.verdict, Verdict.FAIL)) if left else outcome.verdict
    reason = "; ".join(filter(None, (f"{total:,} faults" if total else "", left, outcome.reason)))
    return replace(outcome, verdict=verdict, reason=reason, detail=detail)


def _proved(case: Case) -> bool:
    """Whether it passed in a round that injected a fault: only then were its data looked at."""
    return any(
        told.startswith(f"{Verdict.PASS},") for told in case.detail.get("rounds", {}).values()
    )


def _mark(word: str, ground: Ground) -> str:
    return fold.write_mark(word, ground.path)


def _limits(seconds: float, ground: Ground) -> Limits:
    return Limits(seconds, seconds).scaled(ground.factor)
