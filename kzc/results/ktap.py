# SPDX-License-Identifier: GPL-2.0-only
"""A run as KTAP 1, for what reads the kernel's own tests (Documentation/dev-tools/ktap.rst).

A test for each early stage, checked patch and suite, its cases one level deeper, every plan first.
What is not good is `not ok`: with the directive TIMEOUT or ERROR where it is no plain failure, and
the reason and evidence in diagnostic lines before it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from kzc.results import summary
from kzc.results.clean import short
from kzc.results.verdicts import judge, verdict_of
from kzc.results.words import label
from kzc.values import Case, Outcome, Run, Stage, Verdict, worst

_DIRECTIVES = {
    Verdict.SKIP: "SKIP",
    Verdict.XFAIL: "XFAIL",
    Verdict.TIMEOUT: "TIMEOUT",
    Verdict.CRASH: "ERROR",
    Verdict.INFRA: "ERROR",
    Verdict.NOT_RUN: "ERROR",
}


@dataclass(frozen=True)
class _Test:
    name: str
    verdict: Verdict
    cases: Sequence[Case]
    said: tuple[str, ...] = ()


def ktap(run: Run) -> str:
    """The document; its first lines say what the verdicts are of."""
    tests = list(_tests(run))
    told = [("verdict", f"{summary.word(run)}: {summary.headline(run)}")]
    told += [("caveat", said)] if (said := summary.caveat(run)) else []
    head = [f"# {_plain(key)}: {_plain(value)}" for key, value in (*told, *summary.provenance(run))]
    lines = ["KTAP version 1", *head, f"1..{len(tests)}"]
    for number, test in enumerate(tests, 1):
        lines += _lines(number, test)
    return "\n".join(lines) + "\n"


def _tests(run: Run) -> Iterator[_Test]:
    for stage in Stage:
        found = [outcome for outcome in run.outcomes if outcome.stage is stage]
        if stage in (Stage.TEST, Stage.CHECK):
            for each in found:
                yield _Test(each.subject, judge(each), each.cases, tuple(_evidence(each)))
        elif found:
            cases = [
                Case(each.subject, judge(each), each.seconds, each.reason, each.detail)
                for each in found
            ]
            yield _Test(stage.value, worst(map(judge, found)), cases)
    if not run.finished or not run.outcomes:
        yield _Test("the run came to its end", Verdict.NOT_RUN, (), (summary.UNFINISHED,))
    elif summary.caveat(run) and verdict_of(run).good:
        yield _Test("the kernel is clean", Verdict.SKIP, (), (summary.caveat(run),))


def _evidence(outcome: Outcome) -> Iterator[str]:
    if outcome.reason:
        yield outcome.reason
    if not judge(outcome).good:
        for key in ("signature", "repeat", "hint"):
            if outcome.detail.get(key):
                yield f"{key}: {outcome.detail[key]}"
        excerpt = outcome.detail.get("decoded") or outcome.detail.get("excerpt")
        yield from map(str, excerpt[:30] if isinstance(excerpt, list | tuple) else ())
        if outcome.log:
            yield f"log: {outcome.log}"


def _lines(number: int, test: _Test) -> Iterator[str]:
    if test.cases:
        yield "  KTAP version 1"
        yield f"  # Subtest: {_plain(test.name)}"
        yield f"  1..{len(test.cases)}"
        for at, case in enumerate(test.cases, 1):
            said = (case.reason,) if case.reason and case.verdict is not Verdict.PASS else ()
            yield from _result("  ", at, _Test(case.name, case.verdict, (), said))
    yield from _result("", number, test)


def _result(indent: str, number: int, test: _Test) -> Iterator[str]:
    # SKIP and XFAIL are good: kselftest prints both as ok
    directive = _DIRECTIVES.get(test.verdict, "")
    told = list(test.said)
    if not test.verdict.good:
        yield from (f"{indent}# {_plain(text)}" for text in told)
    why = told[0] if told and directive else ""
    if directive == "ERROR":
        why = ": ".join(filter(None, (label(test.verdict), why)))
    ending = f" # {directive} {_plain(why)}".rstrip() if directive else ""
    ok = "ok" if test.verdict.good else "not ok"
    yield f"{indent}{ok} {number} {_plain(test.name) or '(no name)'}{ending}"


def _plain(text: object) -> str:
    """On one line, without what would begin a directive."""
    return short(text).replace("#", "\\x23")
