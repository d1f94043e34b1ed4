# SPDX-License-Identifier: GPL-2.0-only
"""A run as JUnit XML, for CI systems.

Rule: the file is red exactly where kzc's exit status is not 0. So NOT_RUN is an error and no
skip (most readers show skips as green), CRASH, TIMEOUT and INFRA are errors, SKIP and XFAIL
skips. A suite whose own verdict none of its cases explains, and a run cut short, get a test case
of their own; one for measurement only gets a skip.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from junitparser import Error, Failure, JUnitXml, Skipped, TestCase, TestSuite

from kzc.results import summary
from kzc.results.clean import LONG, cut, line, printable, short
from kzc.results.verdicts import judge
from kzc.results.words import label, phrase
from kzc.values import Case, Outcome, Run, Stage, Verdict

_RESULTS = {
    Verdict.FAIL: Failure,
    Verdict.CRASH: Error,
    Verdict.TIMEOUT: Error,
    Verdict.INFRA: Error,
    Verdict.NOT_RUN: Error,
    Verdict.SKIP: Skipped,
    Verdict.XFAIL: Skipped,
}

_BODY = 1 << 16
_Facts = tuple[tuple[str, str], ...]


def junit(run: Run, folder: Path) -> str:
    """The file as text: a test suite for each early stage, checked patch and suite that ran."""
    xml: Any = JUnitXml(f"kzc {run.id}")
    for name, cases, facts in _suites(run, folder):
        suite = TestSuite(name)
        suite.timestamp = line(run.started[:19])
        for key, value in (*summary.provenance(run), *facts):
            suite.add_property(key, value)
        suite.add_testcases(cases)
        xml.add_testsuite(suite)
    xml.update_statistics()
    tree = ElementTree.fromstring(xml.tostring())
    tree.attrib.pop("skipped", None)  # Jenkins' schema has it for suites alone
    for each in tree.iter():
        if "time" in each.attrib:
            each.set("time", f"{float(each.get('time', 0)):.3f}")
    ElementTree.indent(tree)
    text = ElementTree.tostring(tree, encoding="unicode")
    return f'<?xml version="1.0" encoding="utf-8"?>\n{text}\n'


def _suites(run: Run, folder: Path) -> Iterator[tuple[str, list[TestCase], _Facts]]:
    for stage in Stage:
        outcomes = [outcome for outcome in run.outcomes if outcome.stage is stage]
        if stage in (Stage.TEST, Stage.CHECK, Stage.BENCH):
            for each in outcomes:
                yield short(each.subject), _of_suite(each, folder), _facts(each, folder)
        elif outcomes:
            yield stage.value, [_of_step(each, stage.value, folder) for each in outcomes], ()
    if said := summary.caveat(run):
        yield "kzc", [_of_case(Case("it is clean", Verdict.SKIP, reason=said), "kzc")], ()
    if not run.finished or not run.outcomes:
        lost = Case("the run came to its end", Verdict.NOT_RUN, reason=summary.UNFINISHED)
        yield "kzc", [_of_case(lost, "kzc")], ()


def _of_suite(outcome: Outcome, folder: Path) -> list[TestCase]:
    name = short(outcome.subject)
    cases = [_of_case(case, name) for case in outcome.cases]
    explained = outcome.verdict.good or outcome.verdict in {case.verdict for case in outcome.cases}
    if not cases or not explained:
        cases.append(_of_step(outcome, name, folder))
    return cases


def _facts(outcome: Outcome, folder: Path) -> _Facts:
    pairs = (
        ("reason", outcome.reason),
        ("signature", outcome.detail.get("signature", "")),
        ("log", folder / outcome.log if outcome.log else ""),
        ("repeat", outcome.detail.get("repeat", "")),
        ("next", outcome.detail.get("hint", "")),
    )
    return tuple((name, short(value)) for name, value in pairs if value)


def _of_step(outcome: Outcome, group: str, folder: Path) -> TestCase:
    case = Case(outcome.subject, judge(outcome), outcome.seconds, outcome.reason, outcome.detail)
    made = _of_case(case, group)
    doubtful = outcome.verdict.good and outcome.detail.get("warnings") and outcome.reason
    log = f"log: {folder / outcome.log}" if outcome.log else ""
    if said := [short(text, LONG) for text in (outcome.reason if doubtful else "", log) if text]:
        made.system_out = "\n".join(said)
    return made


def _of_case(case: Case, group: str) -> TestCase:
    made = TestCase(short(case.name) or "(no name)", group, round(case.seconds, 3))
    result = _RESULTS.get(case.verdict)
    if result is not None:
        known = result(f"{label(case.verdict)}: {short(case.reason)}", case.verdict.value)
        known.text = _body(case)
        made.result = [known]
    return made


def _body(case: Case) -> str:
    facts = (_fact(*item) for item in case.detail.items())
    return cut("\n".join((printable(case.reason), *facts)), _BODY)


def _fact(key: str, value: Any) -> str:
    many = isinstance(value, list | tuple)
    text = "\n".join(phrase(item) for item in value) if many else str(value)
    return printable(f"{key}:\n{text}" if "\n" in text else f"{key}: {text}")
