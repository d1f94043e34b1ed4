# SPDX-License-Identifier: GPL-2.0-only
"""The report for a terminal: verdict, provenance, stages, what failed, zerocopy, what was skipped.

Every text from outside is cleaned by summary.py (rich lets escapes pass) and goes into `Text`,
never into rich's markup. Verdicts are words, so that nothing is lost without colour.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich import box
from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.measure import Measurement
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from kzc.results import summary, zerocopy
from kzc.results.cells import Cells, cells
from kzc.results.clean import printable, short
from kzc.results.grid import grid
from kzc.results.mark import Mark
from kzc.results.pasted import Command, indented, labelled
from kzc.results.verdicts import exit_code, verdict_of
from kzc.results.words import label, plural, some, span
from kzc.values import Run, Verdict

WIDTH = 100
_GAP = 2  # between columns
_UNBOUND = 10_000
_STYLES = {
    Verdict.PASS: "green",
    Verdict.FAIL: "bold red",
    Verdict.SKIP: "cyan",
    Verdict.XFAIL: "cyan",
    Verdict.CRASH: "bold red",
    Verdict.TIMEOUT: "bold red",
    Verdict.INFRA: "bold magenta",
    Verdict.NOT_RUN: "yellow",
}
_WAYS = {"copy": "", "zerocopied": "green", "no completion": "bold red"}


def render(run: Run, folder: Path) -> RenderableType:
    """The whole report; `folder` is the run's, and is what paths of logs are shown under."""
    parts = [
        _headline(run),
        _pairs(summary.provenance(run)),
        *_cells(run),
        _stages(run),
        *_checks(run),
        *_warnings(run),
        *_failures(run, folder),
        *_transfers(run),
        *_skipped(run),
    ]
    return Group(*(each for part in parts for each in (part, Text())))


def runs(found: Iterable[Run]) -> RenderableType:
    """The table of `kzc runs`."""
    table = _table("Run", "Verdict", "What")
    for run in found:
        table.add_row(
            Text(run.id, no_wrap=True),
            Text(summary.word(run).lower(), _style(run)),
            Text(short(" ".join(run.command)) + f", {span(summary.seconds_of(run))}"),
        )
    return table


def _style(run: Run) -> str:
    verdict = verdict_of(run)
    if verdict.good and summary.caveat(run):
        return "yellow"
    return _STYLES[Verdict.INFRA if verdict.good and exit_code(run) else verdict]


def _headline(run: Run) -> RenderableType:
    text = Text.assemble(
        (summary.word(run), _style(run) + " bold"), "  ", (summary.headline(run), "bold")
    )
    notes = [summary.caveat(run), "" if run.finished else summary.UNFINISHED]
    return Group(text, *(Text(note, "yellow") for note in notes if note))


def _stages(run: Run) -> Table:
    table = _table("Stage", "Subject", "Verdict", "Found")
    table.add_column("Time", justify="right", no_wrap=True)
    rows = [
        (
            Text(row.stage),
            Text(row.subject),
            _verdict(row.verdict),
            Text(row.found),
            Text(span(row.seconds)),
        )
        for row in summary.rows(run)
    ]
    return _filled(table, rows, 3, 36)


def _cells(run: Run) -> Iterator[RenderableType]:
    found = cells(run)
    if found:
        yield _section("Jobs", _Jobs(found))


@dataclass(frozen=True)
class _Jobs:
    """One table with a column for each suite where that fits, or one for each tree and series with
    a line for each suite: a head that is folded cannot be read."""

    found: Cells

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        table = _across(self.found)
        free = options.update(width=_UNBOUND)
        if Measurement.get(console, free, table).maximum <= options.max_width:
            yield table
        else:
            yield from _down(self.found)


def _across(found: Cells) -> Table:
    table = _table("Tree", "Series", "Topology", *found.columns)
    for row in found.rows:
        where = map(Text, (row.tree, row.series, row.topology or "-"))
        table.add_row(*where, *map(_mark, row.marks))
    return table


def _down(found: Cells) -> Iterator[RenderableType]:
    grounds = dict.fromkeys((row.tree, row.series) for row in found.rows)
    for number, ground in enumerate(grounds):
        rows = [row for row in found.rows if (row.tree, row.series) == ground]
        table = _table("Suite", *(row.topology or "-" for row in rows))
        for name, *marks in zip(found.columns, *(row.marks for row in rows), strict=True):
            if any(marks):
                table.add_row(Text(name), *map(_mark, marks))
        if number:
            yield Text()
        yield Text("  ".join(filter(None, ground)), "bold")
        yield table


def _checks(run: Run) -> Iterator[RenderableType]:
    found = grid(run)
    if found:
        table = _table("Patch", *found.columns)
        rows = [(Text(row.subject), *map(_mark, row.marks)) for row in found.rows]
        table = _filled(table, rows, 0, 30)
        notes = [Text(note, "dim") for note in found.notes[: summary.CASES]]
        yield _section("Checks", table, *notes, *_more(len(found.notes), run))


def _mark(mark: Mark | None) -> Text:
    return Text(mark.word, _STYLES[mark.verdict]) if mark else Text("-", "dim")


def _warnings(run: Run) -> Iterator[RenderableType]:
    found = summary.warnings(run)
    if found:
        texts = [Text(text) for _, text in found[: summary.CASES]]
        yield _section("Warnings", *texts, *_more(len(found), run))


def _failures(run: Run, folder: Path) -> Iterator[RenderableType]:
    found = summary.failures(run)
    if found:
        blocks = [_failure(each, run, folder) for each in found]
        spaced = [each for block in blocks for each in (block, Text())]
        yield _section("What failed", *spaced[:-1])


def _failure(failure: summary.Failure, run: Run, folder: Path) -> RenderableType:
    parts: list[RenderableType] = [_evidence(failure.whole, folder, f"{failure.stage} ")]
    parts += [indented(_evidence(case, folder)) for case in failure.cases]
    parts += [Padding(each, (0, 0, 0, 2)) for each in _more(failure.number, run)]
    for group in failure.not_run[: summary.CASES]:
        text = Text.assemble(_verdict(group.verdict, True), f"  {plural(len(group.names), 'case')}")
        text.append(f": {some(group.names)}" + (f" ({group.reason})" if group.reason else ""))
        parts.append(Padding(text, (0, 0, 0, 2)))
    parts += [Padding(each, (0, 0, 0, 2)) for each in _more(len(failure.not_run), run)]
    return Group(*parts)


def _evidence(evidence: summary.Evidence, folder: Path, before: str = "") -> RenderableType:
    title = Text.assemble(_verdict(evidence.verdict, True), f"  {before}", (evidence.name, "bold"))
    if evidence.reason:
        title.append(f": {evidence.reason}")
    parts: list[RenderableType] = [title]
    if evidence.facts:
        parts.append(Padding(_pairs(evidence.facts), (0, 0, 0, 2)))
    pairs: list[tuple[str, RenderableType]] = []
    if evidence.log:
        pairs.append(("log", Text(printable(folder / evidence.log), overflow="fold")))
    if evidence.repeat:
        pairs.append(("repeat", Command(evidence.repeat)))
    if evidence.hint:
        pairs.append(("next", Text(evidence.hint, overflow="fold")))
    for name, lines in evidence.blocks:
        parts += [Padding(Text(name, "dim"), (0, 0, 0, 2))] if name else []
        parts.append(Padding(Text("\n".join(lines), overflow="fold"), (0, 0, 0, 4)))
    return Group(*parts, *([indented(labelled(pairs))] if pairs else []))


def _transfers(run: Run) -> Iterator[RenderableType]:
    for found in zerocopy.tables(run):
        gains = any(row.gain for row in found.transfers)
        between = any(row.direction for row in found.transfers)
        ip = any(row.ip for row in found.transfers)  # AF_VSOCK has none, and 80 columns are few
        heads = [*(["Direction"] if between else []), "Proto", *(["IP"] if ip else [])]
        table = _table(*heads, "Mode", "Verdict")
        for name in ("Sent MB", "Received MB", "Completions"):
            table.add_column(name, justify="right", overflow="fold")
        for name in ("Data", *(["Against copy"] if gains else [])):
            table.add_column(name)
        for row in found.transfers:
            numbers = (row.tx_mb, row.rx_mb, row.completions)
            table.add_row(
                *([row.direction or "-"] if between else []),
                *(Text(cell) for cell in (row.proto, *([row.ip] if ip else []), row.mode)),
                _verdict(row.verdict),
                *("-" if number < 0 else f"{number:,}" for number in numbers),
                Text(row.way, _WAYS.get(row.way, "yellow")),
                *([f"x {row.gain:.2f}" if row.gain else "-"] if gains else []),
            )
        notes = [Text(note, "dim") for note in found.notes]
        yield _section(f"Zerocopy, {found.suite}", table, *notes)


def _skipped(run: Run) -> Iterator[RenderableType]:
    found = summary.skipped(run)
    if found:
        yield _section(
            "Skipped",
            *(
                Text.assemble(
                    _verdict(group.verdict),
                    f"  {len(group.names):,}  {group.reason or 'no reason given'}",
                    (f": {some(group.names)}", "dim"),
                )
                for group in found[: summary.CASES]
            ),
            *_more(len(found), run),
        )


def _table(*names: str) -> Table:
    table = Table(
        box=box.SIMPLE_HEAD,
        pad_edge=False,
        show_edge=False,
        padding=(0, 1, 0, 0),
        header_style="bold",
    )
    for name in names:
        table.add_column(name, overflow="fold")
    return table


def _filled(table: Table, rows: Sequence[tuple[Text, ...]], place: int, least: int) -> Table:
    """The table with the rows. Where not all has room, the other columns are folded before the one
    at `place` is narrower than `least`; a min_width would push the last column off the edge."""
    for row in rows:
        table.add_row(*row)
    heads = [len(str(column.header)) for column in table.columns]
    widths = [max(lengths) for lengths in zip(heads, *(map(len, row) for row in rows), strict=True)]
    room = WIDTH - sum(widths) + widths[place] - _GAP * (len(widths) - 1)
    table.columns[place].width = min(widths[place], max(least, room))
    return table


def _pairs(pairs: Iterable[tuple[str, str]]) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in pairs:
        table.add_row(Text(name), Text(value))
    return table


def _section(title: str, *parts: RenderableType) -> RenderableType:
    return Group(Text(title, "bold underline"), *parts)


def _verdict(verdict: Verdict, loud: bool = False) -> Text:
    text = label(verdict)
    return Text(text.upper() if loud else text, _STYLES[verdict], no_wrap=True)


def _more(number: int, run: Run) -> Iterator[Text]:
    if number > summary.CASES:
        yield Text(
            f"and {number - summary.CASES:,} more: kzc report {run.id} --format json", "yellow"
        )
