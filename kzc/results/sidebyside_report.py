# SPDX-License-Identifier: GPL-2.0-only
"""Two runs side by side, shown: for a terminal, in Markdown, as an object for JSON. Pure.

Rule: what says nothing (the same verdict and numbers, a new case that is good) is only counted.
Names are cleaned here; numbers stand side by side without a ratio; that something got slower is
said only where samples tell it from chance.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from kzc.results.clean import paired, sentence, short
from kzc.results.pace import Pace
from kzc.results.sidebyside import Change, Number, Row, differences
from kzc.results.summary import PROVENANCE, caveat
from kzc.results.words import label, plural
from kzc.values import Run, Verdict, worst

_MADE_WITH = ("tree", "tree_id", "profile", "compiler", "guest", "accelerator", "qemu", "machine")
_STYLES = {
    Change.REGRESSED: "bold red",
    Change.FIXED: "green",
    Change.FAILING: "red",
    Change.UNKNOWN: "magenta",
    Change.GONE: "yellow",
    Change.OTHER: "yellow",
    Change.FLAKY: "yellow",
}
_HEAD = ("Then", "Now", "What", "Case")


def table(old: Run, new: Run, rows: Sequence[Row]) -> RenderableType:
    """What changed between the runs, for a terminal."""
    head = Text(f"runs {short(old.id)} and {short(new.id)}: {tally(rows)}", "bold")
    notes = [Text(short(note), "yellow") for note in _notes(old, new)]
    told = [row for row in _folded(rows) if _telling(row)]
    if not told:
        return Group(head, *notes)
    found = Table(box=None, pad_edge=False, header_style="bold")
    for name in _HEAD:
        found.add_column(name.lower(), overflow="fold")
    for row in told:
        numbers = "".join(f"\n  {short(said)}" for said in _details(row))
        found.add_row(
            _verdict(row.old),
            _verdict(row.new),
            Text(row.change.value, _STYLES.get(row.change, "")),
            Text(short(_name(row)) + numbers),
        )
    return Group(head, *notes, found)


def markdown(old: Run, new: Run, rows: Sequence[Row]) -> str:
    """The same in Markdown."""
    parts = [f"Tests, run {sentence(new.id)} against {sentence(old.id)}: {tally(rows)}."]
    parts += [f"{sentence(note)}." for note in _notes(old, new)]
    told = [row for row in _folded(rows) if _telling(row)]
    if told:
        lines = [
            (
                _verdict(row.old),
                _verdict(row.new),
                f"**{row.change.value}**" if row.change is Change.REGRESSED else row.change.value,
                "; ".join(map(sentence, (_name(row), *_details(row)))),
            )
            for row in told
        ]
        grid = [_HEAD, ["---"] * len(_HEAD), *lines]
        parts.append("\n".join(f"| {' | '.join(map(str, cells))} |" for cells in grid))
    return "\n\n".join(parts) + "\n"


def as_object(old: Run, new: Run, rows: Iterable[Row]) -> dict[str, Any]:
    """All rows, the same ones too."""
    return {
        "old": old.id,
        "new": new.id,
        "unfinished": [run.id for run in (old, new) if not run.finished],
        "caveats": {run.id: said for run in (old, new) if (said := caveat(run))},
        "differences": [list(map(paired, each)) for each in differences(old, new, _MADE_WITH)],
        "rows": [
            {
                "subject": paired(row.subject),
                "case": paired(row.case),
                "change": row.change.value,
                "old": row.old.value if row.old else None,
                "new": row.new.value if row.new else None,
                "rates": [{"bad": rate.bad, "of": rate.of} for rate in row.rates],
                "paces": [{**asdict(each), "name": paired(each.name)} for each in row.paces],
                "numbers": {paired(each.name): [each.old, each.new] for each in row.numbers},
            }
            for row in rows
        ],
    }


def tally(rows: Sequence[Row]) -> str:
    """`1 regressed, 2 fixed, 24 same`."""
    counts = Counter(row.change for row in rows)
    told = [f"{counts[change]:,} {change.value}" for change in Change if counts[change]]
    paces = Counter(word for row in rows for word in {pace.word for pace in row.paces})
    told += [f"{paces[word]:,} {word}" for word in sorted(paces)]
    return ", ".join(told) or "nothing to compare"


def _notes(old: Run, new: Run) -> list[str]:
    found = [f"run {run.id} was cut short" for run in (old, new) if not run.finished]
    found += [f"run {run.id} is {said}" for run in (old, new) if (said := caveat(run))]
    return found + [
        f"not the same {PROVENANCE.get(name, name)}: {then or 'none'}, now {now or 'none'}"
        for name, then, now in differences(old, new, _MADE_WITH)
    ]


def _folded(rows: Sequence[Row]) -> Iterator[Row]:
    """A suite that one of the runs did not have is one row."""
    there = {row.subject for row in rows if row.change is not Change.GONE}
    gone: dict[str, list[Row]] = {}
    for row in rows:
        if row.subject in there:
            yield row
        else:
            gone.setdefault(row.subject, []).append(row)
    for subject, same in gone.items():
        cases = f"all {plural(len(same), 'case')}" if len(same) > 1 else same[0].case
        yield Row(subject, cases, Change.GONE, worst(row.old for row in same if row.old), None)


def _telling(row: Row) -> bool:
    if row.change is Change.NEW:
        return row.new is not None and not row.new.good
    return row.change is not Change.SAME or bool(_differing(row) or row.paces)


def _details(row: Row) -> list[str]:
    """How often it was bad, where several runs tell; what got faster or slower; other numbers."""
    found = []
    if max(rate.of for rate in row.rates) > 1 and any(rate.bad for rate in row.rates):
        then, now = (f"{rate.bad:,} of {rate.of:,}" for rate in row.rates)
        found.append(f"bad in {then} runs, now in {now}")
    claimed = {pace.name for pace in row.paces}
    found += map(_pace, row.paces)
    return found + [_number(each) for each in _differing(row) if each.name not in claimed]


def _pace(pace: Pace) -> str:
    share = f" ({pace.new / pace.old - 1:+.1%})" if pace.old else ""
    samples = f"{pace.samples[0]:,} and {pace.samples[1]:,} samples"
    figures = f"{pace.name} {pace.old:,.6g}, now {pace.new:,.6g}{share}"
    return f"{pace.word}: {figures}, p = {pace.chance:.2g} of {samples}"


def _differing(row: Row) -> list[Number]:
    if row.old is None or row.new is None:
        return []
    return [number for number in row.numbers if number.old != number.new]


def _number(number: Number) -> str:
    then, now = ("-" if value is None else f"{value:,.6g}" for value in (number.old, number.new))
    return f"{number.name} {then}, now {now}"


def _name(row: Row) -> str:
    return f"{row.subject}: {row.case}" if row.case else row.subject


def _verdict(verdict: Verdict | None) -> str:
    return label(verdict) if verdict else "-"
