# SPDX-License-Identifier: GPL-2.0-only
"""The checks of patches as b4 reads them from a command of `review-perpatch-check-cmd`. Pure.

A list of objects with tool, status (pass, warn or fail), summary, url and details, all texts. b4
passes over other keys, so `patch` says which patch it is of where there are several.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from kzc.results.clean import line, lines, printable
from kzc.results.summary import caveat
from kzc.results.words import label, phrase
from kzc.values import Case, Outcome, Run, Stage, Verdict

_FAILED = frozenset({Verdict.FAIL, Verdict.CRASH, Verdict.TIMEOUT})
_BAD = ("errors", "new", "problems")
_MILD = ("remarks", "hints")


def b4_checks(run: Run, folder: Path) -> list[dict[str, str]]:
    """One object for each check of each patch; `details` ends with where the log is."""
    found = [_entry(outcome, case, folder) for outcome in run.outcomes for case in _cases(outcome)]
    return [*found, *([_caveat(said)] if (said := caveat(run)) else [])]


def terse(run: Run) -> list[str]:
    """A line for each thing found and nothing else, as b4's other check commands print it: one
    with `ERROR:` is a failure there, any other a warning, and no line at all a success."""
    found = []
    for outcome in run.outcomes:
        for case in _cases(outcome):
            status = _status(case)
            bad = [*_findings(case, _BAD)] or ([case.reason] if status == "fail" else [])
            mild = [*_findings(case, _MILD)] or ([case.reason] if status == "warn" else [])
            found += [f"ERROR: {line(case.name)}: {line(text)}" for text in bad]
            found += [f"WARNING: {line(case.name)}: {line(text)}" for text in mild]
    return [*found, *([f"WARNING: {said}"] if (said := caveat(run)) else [])]


def _caveat(said: str) -> dict[str, str]:
    return {"tool": "kzc", "status": "warn", "summary": said, "url": "", "details": ""}


def _cases(outcome: Outcome) -> Iterator[Case]:
    """An outcome's cases, or itself; applying is a check too."""
    if outcome.stage is Stage.APPLY:
        yield Case("apply", outcome.verdict, reason=outcome.reason, detail=outcome.detail)
    elif outcome.stage is Stage.CHECK:
        yield from outcome.cases or [Case("check", outcome.verdict, reason=outcome.reason)]


def _entry(outcome: Outcome, case: Case, folder: Path) -> dict[str, str]:
    details = [printable(text) for text in _findings(case)]
    log = case.detail.get("log") or outcome.log
    details += [f"log: {folder / str(log)}"] if log else []
    return {
        "tool": f"kzc {line(case.name)}",
        "status": _status(case),
        "summary": line(case.reason) or label(case.verdict),
        "url": "",
        "details": "\n".join(lines("\n".join(details), 200)) if details else "",
        "patch": line(outcome.subject),
    }


def _status(case: Case) -> str:
    if case.verdict in _FAILED:
        return "fail"
    if case.verdict in (Verdict.INFRA, Verdict.NOT_RUN) or _findings(case):
        return "warn"
    return "pass"


def _findings(case: Case, keys: Sequence[str] = (*_BAD, *_MILD)) -> list[str]:
    found: list[Any] = []
    for key in keys:
        value = case.detail.get(key)
        found += value if isinstance(value, list | tuple) else []
    return [phrase(item) for item in found]
