# SPDX-License-Identifier: GPL-2.0-only
"""The report in Markdown, for a cover letter or the summary page of a CI job.

Rule: names, paths and commands stand in code, sentences are escaped (see clean.py); nothing from
a log becomes markup, a table cell of its own or HTML.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from kzc.results import summary, zerocopy
from kzc.results.cells import cells
from kzc.results.clean import block, code, sentence
from kzc.results.grid import grid
from kzc.results.mark import Mark
from kzc.results.words import label, plural, some, span
from kzc.values import Run, Verdict

STEP_SUMMARY = 1 << 20
"""Bytes that GitHub takes as the summary of a step; of a larger one it shows nothing at all."""


def markdown(run: Run, folder: Path) -> str:
    """The whole report as one text; paths of logs are relative to the run's folder."""
    parts = [_verdicts(run), _stages(run), *_checks(run), *_warnings(run), *_failures(run)]
    parts += [*_transfers(run), *_skipped(run), _provenance(run)]
    return "\n\n".join(parts) + "\n"


def step_summary(run: Run, folder: Path, limit: int = STEP_SUMMARY) -> str:
    """The report for the summary of a CI step: what failed comes first, logs are named and not
    linked, and it has at most `limit` bytes; what does not fit is left out, and that is said."""
    last = ["The rest is left out here for its size; it is in the other reports.", _provenance(run)]
    rows = (*_failures(run), _stages(run), *_checks(run, linked=False), *_warnings(run))
    parts, room = [_verdicts(run)], limit - sum(len(part.encode()) + 4 for part in last)
    room -= len(parts[0].encode()) + 4
    for part in (*rows, *_transfers(run), *_skipped(run), ""):
        room -= len(part.encode()) + 4
        if room < 0:
            break
        parts += [part] if part else [last.pop()]
    return "\n\n".join(parts if len(last) < 2 else [*parts, *last]) + "\n"


def _verdicts(run: Run) -> str:
    parts = [
        f"## {summary.word(run)}: {sentence(summary.headline(run))}",
        *([f"**Not clean**: {sentence(said)}."] if (said := summary.caveat(run)) else []),
        *([] if run.finished else [f"**Unfinished**: {summary.UNFINISHED}."]),
        *_cells(run),
    ]
    return "\n\n".join(parts)


def _grid(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    marks = ["---:" if name in _RIGHT else "---" for name in head]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (head, marks, *rows))


_RIGHT = frozenset({"Time", "Sent MB", "Received MB", "Completions"})


def _stages(run: Run) -> str:
    rows = (
        (
            each.stage,
            sentence(each.subject),
            _verdict(each.verdict),
            sentence(each.found),
            span(each.seconds),
        )
        for each in summary.rows(run)
    )
    return _grid(("Stage", "Subject", "Verdict", "Found", "Time"), rows)


def _cells(run: Run) -> Iterator[str]:
    found = cells(run)
    if found:
        head = ("Tree", "Series", "Topology", *map(sentence, found.columns))
        rows = (
            (
                *map(sentence, (row.tree, row.series, row.topology or "-")),
                *(_mark(mark, linked=False) for mark in row.marks),
            )
            for row in found.rows
        )
        yield _grid(head, rows)


def _checks(run: Run, linked: bool = True) -> Iterator[str]:
    found = grid(run)
    if found:
        yield "### Checks"
        rows = (
            (sentence(row.subject), *(_mark(mark, linked=linked) for mark in row.marks))
            for row in found.rows
        )
        yield _grid(("Patch", *map(sentence, found.columns)), rows)
        if found.notes:
            notes = [f"- {sentence(note)}" for note in found.notes[: summary.CASES]]
            yield "\n".join((*notes, *(f"- {text}" for text in _more(len(found.notes)))))


def _mark(mark: Mark | None, *, linked: bool) -> str:
    if mark is None:
        return "-"
    word = mark.word if mark.verdict.good else f"**{mark.word}**"
    return f"[{word}]({mark.log})" if mark.log and linked else word


def _warnings(run: Run) -> Iterator[str]:
    found = summary.warnings(run)
    if found:
        yield "### Warnings"
        yield block([*(text for _, text in found[: summary.CASES]), *_more(len(found))])


def _failures(run: Run) -> Iterator[str]:
    found = summary.failures(run)
    if found:
        yield "### What failed"
    for failure in found:
        yield from _evidence(failure.whole, f"{failure.stage} ")
        for case in failure.cases:
            yield from _evidence(case)
        yield from _more(failure.number)
        for group in failure.not_run[: summary.CASES]:
            names = ", ".join(code(name) for name in group.names[:6])
            number = plural(len(group.names), "case")
            tail = f" and {len(group.names) - 6:,} more" if len(group.names) > 6 else ""
            why = f" ({sentence(group.reason)})" if group.reason else ""
            yield f"**{label(group.verdict).upper()}** {number}: {names}{tail}{why}"
        yield from _more(len(failure.not_run))


def _evidence(evidence: summary.Evidence, before: str = "") -> Iterator[str]:
    reason = f": {sentence(evidence.reason)}" if evidence.reason else ""
    yield f"**{label(evidence.verdict).upper()}** {before}{code(evidence.name)}{reason}"
    points = [f"- {sentence(name)}: {code(value)}" for name, value in evidence.facts]
    points += [f"- log: {code(evidence.log)}"] if evidence.log else []
    points += [f"- next: {sentence(evidence.hint)}"] if evidence.hint else []
    if points:
        yield "\n".join(points)
    if evidence.repeat:
        yield block(evidence.repeat.splitlines(), "sh")
    for name, lines in evidence.blocks:
        if name:
            yield f"The {sentence(name)}:"
        yield block(lines)


def _transfers(run: Run) -> Iterator[str]:
    for found in zerocopy.tables(run):
        gains = any(row.gain for row in found.transfers)
        between = any(row.direction for row in found.transfers)
        head = ["Proto", "IP", "Mode", "Verdict", "Sent MB", "Received MB", "Completions", "Data"]
        yield f"### Zerocopy, {sentence(found.suite)}"
        yield _grid(
            [
                *(["Direction"] if between else []),
                *head,
                *(["Against copy"] if gains else []),
            ],
            (
                (
                    *([row.direction or "-"] if between else []),
                    *map(sentence, (row.proto, row.ip, row.mode)),
                    _verdict(row.verdict),
                    *("-" if n < 0 else f"{n:,}" for n in (row.tx_mb, row.rx_mb, row.completions)),
                    row.way if row.way in ("copy", "zerocopied") else f"**{row.way}**",
                    *([f"x {row.gain:.2f}" if row.gain else "-"] if gains else []),
                )
                for row in found.transfers
            ),
        )
        yield from found.notes


def _skipped(run: Run) -> Iterator[str]:
    found = summary.skipped(run)
    if found:
        yield "### Skipped"
        points = [
            f"- {label(group.verdict)}, {plural(len(group.names), 'case')}: "
            f"{sentence(group.reason or 'no reason given')} ({sentence(some(group.names))})"
            for group in found[: summary.CASES]
        ]
        yield "\n".join((*points, *(f"- {text}" for text in _more(len(found)))))


def _provenance(run: Run) -> str:
    pairs = summary.provenance(run)
    return "### Made with\n\n" + "\n".join(
        f"- {sentence(key)}: {code(text)}" for key, text in pairs
    )


def _verdict(verdict: Verdict) -> str:
    return label(verdict) if verdict.good else f"**{label(verdict)}**"


def _more(number: int) -> Iterator[str]:
    if number > summary.CASES:
        yield f"and {number - summary.CASES:,} more in the JSON report"
