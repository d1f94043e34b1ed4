# SPDX-License-Identifier: GPL-2.0-only
"""What a go of a job left becomes outcomes of the CI run, named after the job. Pure.

A go that ended badly and does not say why gets an outcome that does: guilty until proven innocent.
What may fail stays told in full, as xfail; a machine's failure that was made good, as skip.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, replace
from typing import Any

from kzc.errors import describe_status
from kzc.jobs.ci.attempt import LOG, told
from kzc.jobs.ci.executor import Go
from kzc.jobs.ci.local import slug
from kzc.jobs.ci.values import Attempt, Job, Kind
from kzc.results.verdicts import judge
from kzc.results.words import label
from kzc.values import Case, Outcome, Stage, Verdict, worst

_STAGES = {Kind.BUILD: Stage.BUILD, Kind.TEST: Stage.TEST, Kind.BENCH: Stage.BENCH}
_EARLY = {Stage.TREE, Stage.APPLY, Stage.BUILD}
_STATUS = {1: Verdict.FAIL, 2: Verdict.NOT_RUN}


def outcomes_of(go: Go, attempt: Attempt, cut: str = "") -> tuple[Outcome, ...]:
    """All that a go found out; `cut` says why it was ended before its end."""
    found = tuple(_named(each, go, attempt) for each in _own(go.job, attempt))
    missing = _unexplained(go.job, attempt, found, cut)
    return found if missing is None else (*found, _named(missing, go, attempt))


def not_run(job: Job, why: str) -> Outcome:
    """A job that never began."""
    outcome = Outcome(_STAGES[job.kind], job.name, Verdict.NOT_RUN, reason=why)
    return replace(outcome, detail=_detail({}, Go(job), ""))


def excused(outcome: Outcome) -> Outcome:
    """An outcome of a job that may fail: it counts for nothing, and says what it was."""
    return _turned(outcome, "may fail", {Verdict.NOT_RUN: Verdict.SKIP}, Verdict.XFAIL)


def made_good(outcome: Outcome) -> Outcome:
    """An outcome of a go in which the machine broke, and after which there was another."""
    return _turned(outcome, "done again, as the machine failed", {}, Verdict.SKIP)


def with_flaky(outcome: Outcome, bad_before: Iterable[str]) -> Outcome:
    """The outcome of a second go: cases that are good now and were bad before are flaky."""
    good = {case.name for case in outcome.cases if case.verdict.good}
    flaky = sorted(good.intersection(bad_before))
    if not flaky:
        return outcome
    said = f"flaky, as bad in the first go, which counts: {', '.join(flaky[:5])}"
    said += f" and {len(flaky) - 5} more" if len(flaky) > 5 else ""
    reason = "; ".join(filter(None, (outcome.reason, said)))
    return replace(outcome, reason=reason, detail={**outcome.detail, "flaky": flaky})


def bad_cases(outcomes: Iterable[Outcome]) -> frozenset[str]:
    """Names of the cases that speak against the code."""
    return frozenset(
        case.name for outcome in outcomes for case in outcome.cases if not case.verdict.good
    )


def verdict_of(outcomes: Iterable[Outcome]) -> Verdict:
    """The worst of all."""
    return worst(map(judge, outcomes))


def _own(job: Job, attempt: Attempt) -> tuple[Outcome, ...]:
    """What the job's own build has told already is left out."""
    outcomes = attempt.run.outcomes if attempt.run else ()
    if job.kind is Kind.BUILD:
        return outcomes
    return tuple(each for each in outcomes if each.stage not in _EARLY or not judge(each).good)


def _unexplained(
    job: Job, attempt: Attempt, found: tuple[Outcome, ...], cut: str
) -> Outcome | None:
    stage = _STAGES[job.kind]
    whole = Outcome(stage, job.name, Verdict.INFRA, attempt.seconds)
    if attempt.lost:
        return replace(whole, reason=attempt.lost)
    if cut:
        reason = f"{cut} while it ran, for {attempt.seconds:.0f} s"
        return replace(whole, verdict=Verdict.NOT_RUN, reason=reason)
    good = verdict_of(found).good
    if attempt.status == 0:
        if good and any(each.stage is stage for each in found):
            return None
        return replace(whole, reason="it ended with status 0 and did not say what it found")
    if attempt.status in (1, 3) and found and not good:
        return None
    message, hint = _message(attempt.tail)
    ended = "was ended" if attempt.status is None else describe_status(attempt.status)
    verdict = _STATUS.get(attempt.status or 0, Verdict.INFRA)
    detail = {"hint": hint} if hint else {}
    return replace(whole, verdict=verdict, reason=message or f"kzc: {ended}", detail=detail)


def _message(tail: str) -> tuple[str, str]:
    """What kzc said last, and what it said to do next."""
    _, _, said = f"\n{tail}".rpartition("\nkzc: ")
    message, _, hint = said.partition("\nnext: ")
    return message.strip(), hint.strip()


def _named(outcome: Outcome, go: Go, attempt: Attempt) -> Outcome:
    cell = go.job.cell
    names = {go.job.name, cell.suite, f"{cell.suite} {cell.topology}", cell.plan} - {""}
    own = outcome.subject in names
    subject = go.job.name if own else f"{go.job.name}: {outcome.subject}"
    subject += f" (go {go.number})" if go.number > 1 else ""
    return replace(
        outcome,
        subject=subject,
        log=_log(outcome.log, go) or f"logs/{slug(go)}/{LOG}",
        cases=tuple(_case(case, go) for case in outcome.cases),
        detail=_detail(outcome.detail, go, attempt.where, "" if own else _boot(outcome, go.job)),
    )


def _boot(outcome: Outcome, job: Job) -> str:
    """What a further boot of the job's suite is called, as the suite's manifest calls it."""
    if outcome.stage is not Stage.TEST or not job.cell.suite:
        return ""
    further = outcome.subject.removeprefix(f"{job.cell.suite} ")
    return further.removesuffix(f" {job.cell.topology}")


def _case(case: Case, go: Go) -> Case:
    if not {"log", "repeat"}.intersection(case.detail):
        return case
    return replace(case, detail=_moved(case.detail, go))


def _detail(detail: Mapping[str, Any], go: Go, where: str, boot: str = "") -> dict[str, Any]:
    job = {"name": go.job.name, **asdict(go.job.cell), "go": go.number}
    if boot:
        job["boot"] = boot
    machine = {"where": where} if where else {}
    again = " ".join(("kzc", *go.job.argv))
    return {"repeat": again, **_moved(detail, go), "job": job, **machine}


def _moved(detail: Mapping[str, Any], go: Go) -> dict[str, Any]:
    changed = dict(detail)
    if isinstance(changed.get("log"), str):
        changed["log"] = _log(changed["log"], go)
    if isinstance(changed.get("repeat"), str):
        changed["repeat"] = told(changed["repeat"])
    return changed


def _log(log: str, go: Go) -> str:
    return f"logs/{slug(go)}/{log.removeprefix('logs/')}" if log else ""


def _turned(
    outcome: Outcome, why: str, others: Mapping[Verdict, Verdict], usual: Verdict
) -> Outcome:
    def turned(verdict: Verdict, reason: str) -> tuple[Verdict, str]:
        if verdict.good:
            return verdict, reason
        return others.get(verdict, usual), f"{why}: {label(verdict)}: {reason}".rstrip(": ")

    verdict, reason = turned(outcome.verdict, outcome.reason)
    cases = []
    for case in outcome.cases:
        new, said = turned(case.verdict, case.reason)
        cases.append(case if new is case.verdict else replace(case, verdict=new, reason=said))
    detail = {**outcome.detail, "was": judge(outcome).value}
    if judge(outcome).good:
        return outcome
    return replace(outcome, verdict=verdict, reason=reason, cases=tuple(cases), detail=detail)
