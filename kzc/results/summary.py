# SPDX-License-Identifier: GPL-2.0-only
"""A run folded into what every report shows, in plain values: no format, no colour, no file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from kzc.results.clean import LONG, cut, lines, printable, short
from kzc.results.verdicts import MEASUREMENT_ONLY, judge, verdict_of
from kzc.results.words import label, phrase, plural, span
from kzc.values import Case, Outcome, Run, Stage, Verdict

PROVENANCE = {
    "tree": "tree",
    "tree_id": "tree id",
    "series": "series",
    MEASUREMENT_ONLY: "for measurement only",
    "profile": "profile",
    "config_hash": "config",
    "release": "kernel",
    "compiler": "compiler",
    "guest": "guest",
    "accelerator": "accelerator",
    "qemu": "QEMU",
    "virtme_ng": "virtme-ng",
    "machine": "machine",
}
"""Keys of `Run.environment` in the order they are shown, with their labels."""

UNFINISHED = "this run was cut short: what it had not reached by then is not in this report"
CASES = 25
"""How many of a kind the reports for people show."""

_FACTS = 40
_SHOWN_ELSEWHERE = frozenset({"repeat", "hint", "warnings", "log", "excerpt", "decoded", "job"})


@dataclass(frozen=True)
class Row:
    """A line of the table of stages."""

    stage: str
    subject: str
    verdict: Verdict
    found: str
    seconds: float


@dataclass(frozen=True)
class Evidence:
    """What speaks about one failing subject: one-line facts, longer blocks, and the way on."""

    verdict: Verdict
    name: str
    reason: str
    facts: tuple[tuple[str, str], ...]
    blocks: tuple[tuple[str, tuple[str, ...]], ...]
    log: str
    repeat: str
    hint: str


@dataclass(frozen=True)
class Group:
    """Cases that share a verdict and a reason."""

    verdict: Verdict
    reason: str
    names: tuple[str, ...]


@dataclass(frozen=True)
class Failure:
    """An outcome that is not good: itself, the first `CASES` of its `number` bad cases, and those
    that never ran."""

    stage: str
    whole: Evidence
    cases: tuple[Evidence, ...]
    number: int
    not_run: tuple[Group, ...]


def word(run: Run) -> str:
    """The verdict in capitals; a run that was cut short, or is for measurement only, never reads as
    a pass."""
    verdict = verdict_of(run)
    if run.finished:
        return "NOT CLEAN" if verdict.good and caveat(run) else label(verdict).upper()
    return "UNFINISHED" if verdict.good or not run.outcomes else f"{label(verdict).upper()} (CUT)"


def headline(run: Run) -> str:
    """What was put to the test and how much of it, in one line without the verdict."""
    series = short(run.environment.get("series", ""))
    release = short(run.environment.get("release", "") or run.environment.get("tree", ""))
    what = " on ".join(filter(None, (series, release))) or short(" ".join(run.command))
    return f"{what}: {_amounts(run)} in {span(seconds_of(run))}"


def caveat(run: Run) -> str:
    """Why a good verdict is not to be taken for one; empty where it is."""
    names = short(run.environment.get(MEASUREMENT_ONLY, ""))
    return f"for measurement only: not clean (it has {names})" if names else ""


def seconds_of(run: Run) -> float:
    """From start to finish; of an unfinished run the sum of its steps."""
    try:
        begin, end = datetime.fromisoformat(run.started), datetime.fromisoformat(run.finished)
        return (end - begin).total_seconds()
    except (ValueError, TypeError):
        return sum(outcome.seconds for outcome in run.outcomes)


def provenance(run: Run) -> tuple[tuple[str, str], ...]:
    """Label and value of all that is recorded about what the verdicts are of."""
    environment = run.environment
    known = [(PROVENANCE[key], environment[key]) for key in PROVENANCE if environment.get(key)]
    other = [(key, value) for key, value in environment.items() if key not in PROVENANCE]
    pairs = [*known, *other, ("kzc", run.kzc), ("run", f"{run.id} ({run.started[:19]} UTC)")]
    return tuple((short(name), short(value)) for name, value in pairs)


def rows(run: Run) -> tuple[Row, ...]:
    """The table of stages, in the order things happened; of a CI job, which has many, the patches
    that apply are one row."""
    found: list[Row] = []
    applied: dict[str, int] = {}
    for each in run.outcomes:
        row = Row(each.stage.value, short(each.subject), judge(each), _found(each), each.seconds)
        if each.stage is not Stage.APPLY or not row.verdict.good or "job" not in each.detail:
            found.append(row)
            continue
        job = short(each.subject.partition(": ")[0])
        place = applied.setdefault(job, len(found))
        before = found[place].seconds if place < len(found) else 0.0
        found[place:] = [
            Row(row.stage, job, Verdict.PASS, "all apply", before + row.seconds),
            *found[place + 1 :],
        ]
    return tuple(found)


def tally(cases: Iterable[Case]) -> str:
    """`24 pass, 1 fail, 3 skip`, in the order of the verdicts."""
    numbers = Counter(case.verdict for case in cases)
    return ", ".join(f"{numbers[each]:,} {label(each)}" for each in Verdict if numbers[each])


def failures(run: Run) -> tuple[Failure, ...]:
    """Every outcome that is not good, in the order things happened."""
    return tuple(_failure(each) for each in run.outcomes if not judge(each).good)


def warnings(run: Run) -> tuple[tuple[str, str], ...]:
    """Subject and text of each compiler warning of the stages."""
    return tuple(
        (short(outcome.subject), short(phrase(item)))
        for outcome in run.outcomes
        for item in _items(outcome.detail.get("warnings"))
    )


def skipped(run: Run) -> tuple[Group, ...]:
    """What was passed over or was expected to fail, by reason."""
    quiet = (Verdict.SKIP, Verdict.XFAIL)
    whole = [
        Case(each.subject, each.verdict, reason=each.reason)
        for each in run.outcomes
        if each.verdict in quiet and not each.cases
    ]
    cases = [case for each in run.outcomes for case in each.cases if case.verdict in quiet]
    return grouped((*whole, *cases))


def grouped(cases: Iterable[Case]) -> tuple[Group, ...]:
    """Cases put together by verdict and reason, in order of first appearance."""
    groups: dict[tuple[Verdict, str], list[str]] = {}
    for case in cases:
        groups.setdefault((case.verdict, short(case.reason)), []).append(short(case.name))
    return tuple(Group(*key, tuple(names)) for key, names in groups.items())


def _amounts(run: Run) -> str:
    # the numbers that a series adds are judged once for all of its patches
    counted = [outcome for outcome in run.outcomes if "collisions" not in outcome.detail]
    stages = Counter(outcome.stage for outcome in counted)
    nouns = {Stage.APPLY: "patch", Stage.BUILD: "kernel", Stage.TEST: "suite", Stage.BENCH: "bench"}
    amounts = [plural(stages[stage], noun) for stage, noun in nouns.items() if stages[stage]]
    cases = sum(len(outcome.cases) for outcome in run.outcomes)
    amounts += [plural(cases, "case")] if cases else []
    return ", ".join(amounts) or "nothing was done"


def _found(outcome: Outcome) -> str:
    count = len(_items(outcome.detail.get("warnings")))
    parts = [tally(outcome.cases), plural(count, "warning") if count else ""]
    if outcome.reason and (not outcome.cases or outcome.verdict.good):
        parts.append(short(printable(outcome.reason).strip().partition("\n")[0]))
    return ", ".join(filter(None, parts))


def _failure(outcome: Outcome) -> Failure:
    bad = [case for case in outcome.cases if not case.verdict.good]
    ran = [case for case in bad if case.verdict is not Verdict.NOT_RUN]
    whole = _evidence(judge(outcome), outcome.subject, outcome.reason, outcome.detail, outcome.log)
    first = ran[:CASES]
    cases = tuple(_evidence(each.verdict, each.name, each.reason, each.detail) for each in first)
    rest = grouped(case for case in bad if case.verdict is Verdict.NOT_RUN)
    return Failure(outcome.stage.value, whole, cases, len(ran), rest)


def _evidence(
    verdict: Verdict, name: str, reason: str, detail: Mapping[str, Any], log: str = ""
) -> Evidence:
    first, _, rest = printable(reason).strip().partition("\n")
    facts, blocks = [], [("", lines(rest))] if rest else []
    for key, value in detail.items():
        title = short(key).replace("_", " ")
        if key in _SHOWN_ELSEWHERE or value in (None, "", [], {}):
            continue
        if _long(value):
            blocks.append((title, _block(value)))
        else:
            facts.append((title, short(phrase(value))))
    if excerpt := detail.get("decoded") or detail.get("excerpt"):
        blocks.append(("", _block(excerpt)))
    return Evidence(
        verdict=verdict,
        name=short(name),
        reason=short(first),
        facts=tuple(facts[:_FACTS]),
        blocks=tuple(blocks[:_FACTS]),
        log=short(log or detail.get("log", ""), LONG),
        repeat=cut(printable(detail.get("repeat", "")).strip(), LONG),
        hint=short(detail.get("hint", "")),
    )


def _long(value: Any) -> bool:
    if isinstance(value, str):
        return "\n" in value.strip()
    return isinstance(value, list | tuple) and any(isinstance(item, str | dict) for item in value)


def _block(value: Any) -> tuple[str, ...]:
    return lines(value if isinstance(value, str) else "\n".join(map(_text, value)))


def _text(item: Any) -> str:
    return item if isinstance(item, str) else phrase(item)


def _items(value: Any) -> tuple[Any, ...]:
    return tuple(value) if isinstance(value, list | tuple) else ()
