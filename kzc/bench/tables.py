# SPDX-License-Identifier: GPL-2.0-only
"""Measured cells as tables of texts, which each format shows in its own way.

A value is a median and, behind ±, how far its 95 % interval reaches; (!) marks a value whose rounds
have outliers. Footnotes [1] say why there is no ratio.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from kzc.bench.breakeven import break_even
from kzc.bench.counts import Counts, counts
from kzc.bench.figures import TITLES, UNEVEN, UNEVEN_NOTE
from kzc.bench.measured import Measured, measured, ratio, reference
from kzc.bench.order import column_name, load_of, name_of, path_of
from kzc.bench.plan import Figure, show_size
from kzc.bench.result import Bench
from kzc.bench.statistics import Summary
from kzc.bench.values import Cell, Mode


@dataclass(frozen=True)
class Table:
    """Texts; the first `left` columns are aligned to the left."""

    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...] = ()
    left: int = 1


@dataclass
class _Notes:
    """Footnotes of one table, numbered in the order they are first needed."""

    texts: list[str] = field(default_factory=list)

    def mark(self, texts: Iterable[str]) -> str:
        marks = []
        for text in texts:
            if text not in self.texts:
                self.texts.append(text)
            marks.append(f"[{self.texts.index(text) + 1}]")
        return "".join(marks)

    def all(self) -> tuple[str, ...]:
        return tuple(f"[{number}] {text}" for number, text in enumerate(self.texts, 1))


def number(value: float) -> str:
    """Four digits that count, and all of the larger ones."""
    size = abs(value)
    places = 0 if size >= 1000 else 1 if size >= 100 else 2 if size >= 10 else 3
    return f"{value:,.{places}f}"


def percent(part: float) -> str:
    """A share with as many digits as it bears: 117 %, 0.4 %."""
    value = part * 100
    return f"{value:.0f} %" if abs(value) >= 10 or value == 0 else f"{value:.1f} %"


def shown(summary: Summary) -> str:
    """`27.61 ±0.4 %`."""
    reach = max(summary.high - summary.median, summary.median - summary.low)
    part = abs(reach / summary.median) if summary.median else 0.0
    outliers = " (!)" if summary.outliers else ""
    return f"{number(summary.median)} ±{percent(part)}{outliers}"


def cover_tables(bench: Bench) -> tuple[Table, ...]:
    """The plan's own tables, one for each figure, kernel and path, and the break-even."""
    layout = _by_size if bench.plan.layout == "sizes" else _by_mode
    found = [
        table
        for figure in bench.plan.figures
        for kernel in bench.kernels
        for table in layout(bench, _of(bench, figure, kernel.label), _behind(bench, kernel.label))
    ]
    if bench.plan.counts:
        found += [_counted(bench, kernel.label) for kernel in bench.kernels]
    if len(bench.plan.sizes) > 1 and bench.plan.layout == "sizes":
        found += _break_evens(bench)
    return tuple(found)


def _of(bench: Bench, figure: Figure, kernel: str) -> list[Measured]:
    return [each for each in measured(bench, figure) if each.kernel == kernel]


def _behind(bench: Bench, kernel: str) -> str:
    return f", {kernel}" if len(bench.kernels) > 1 else ""


_Cells = dict[Cell, Measured]
_Column = tuple[Mode, int]


def _by_size(bench: Bench, all_cells: Sequence[Measured], behind: str) -> Iterable[Table]:
    for path, group in groupby(all_cells, lambda each: path_of(each.cell)):
        cells = {each.cell: each for each in group}
        columns = list(dict.fromkeys((cell.mode, cell.interval) for cell in cells))
        others = [column for column in columns if column[0] is not bench.plan.against]
        first = next(iter(cells.values()))
        notes = _Notes()
        heads = ["" if first.cell.channels else "message", *map(_column, columns)]
        for column in others:
            heads += [f"{_column(column)} / {bench.plan.against}", "copied"]
        loads = sorted({(cell.size, cell.channels) for cell in cells})
        rows = [_row_of(bench, cells, load, (columns, others), notes) for load in loads]
        uneven = first.figure in UNEVEN and others and bench.plan.against is Mode.COPY
        told = (*notes.all(), *([UNEVEN_NOTE] if uneven else []))
        yield Table(_title(path, first, behind), tuple(heads), tuple(rows), told)


def _row_of(
    bench: Bench,
    cells: _Cells,
    load: tuple[int, int],
    columns: tuple[Sequence[_Column], Sequence[_Column]],
    notes: _Notes,
) -> tuple[str, ...]:
    same = {cell: each for cell, each in cells.items() if (cell.size, cell.channels) == load}
    found = {(cell.mode, cell.interval): each for cell, each in same.items()}
    row = [load_of(next(iter(same))), *(_value(found.get(column), notes) for column in columns[0])]
    for column in columns[1]:
        each = found.get(column)
        base = cells.get(reference(each.cell, bench.plan.against)) if each else None
        row += [_ratio(each, base, notes), _copied(each)]
    return tuple(row)


def _by_mode(bench: Bench, all_cells: Sequence[Measured], behind: str) -> Iterable[Table]:
    groups: dict[tuple[str, int, int], _Cells] = {}
    for each in all_cells:
        cell = each.cell
        groups.setdefault((cell.direction, cell.size, cell.interval), {})[cell] = each
    for (direction, size, interval), cells in groups.items():
        paths = list(dict.fromkeys((cell.transport, cell.ip) for cell in cells))
        modes = list(dict.fromkeys(cell.mode for cell in cells))
        notes = _Notes()
        rows = [
            (mode.value, *(_value(_find(cells, path, mode), notes) for path in paths))
            for mode in modes
        ]
        against = bench.plan.against
        for mode in modes:
            if mode is not against:
                pairs = [(_find(cells, path, mode), _find(cells, path, against)) for path in paths]
                rows.append((f"{mode} / {against}", *(_ratio(*pair, notes) for pair in pairs)))
            if mode is not Mode.COPY:
                shares = [_copied(_find(cells, path, mode)) for path in paths]
                rows.append((f"{mode}: copied", *shares))
        heads = ("", *(f"{transport}{ip or ''}" for transport, ip in paths))
        first = next(iter(cells.values()))
        path = f"{direction}, {show_size(size)}, completions taken every {interval} sends"
        yield Table(_title(path, first, behind), heads, tuple(rows), notes.all())


_COUNTS = ("path", "message", "mode", "sent", "received", "MB", "completed", "copied")


def _counted(bench: Bench, kernel: str) -> Table:
    notes = _Notes()
    rows = tuple(_count(each, notes) for each in counts(bench, kernel))
    title = f"Messages sent, received, completed and copied, all rounds{_behind(bench, kernel)}"
    return Table(title, _COUNTS, rows, notes.all(), left=3)


def _count(each: Counts, notes: _Notes) -> tuple[str, ...]:
    cell = each.cell
    head = (path_of(cell), load_of(cell), column_name(cell.mode, cell.interval))
    if not each.sent:
        word = "refused" if each.lacks else "failed"
        return (*head, f"{word} {notes.mark([each.reason] if each.reason else [])}", *("-",) * 4)
    figures = (each.sent, each.received, each.bytes >> 20, each.completed, each.copied)
    return (*head, *(f"{figure:,}" for figure in figures))


def _find(cells: _Cells, path: tuple[str, int], mode: Mode) -> Measured | None:
    found = (each for each in cells.values() if (each.cell.transport, each.cell.ip) == path)
    return next((each for each in found if each.cell.mode is mode), None)


def _title(path: str, first: Measured, behind: str) -> str:
    return f"{path}{behind}: {TITLES[first.figure]} ({first.unit})"


def _column(column: _Column) -> str:
    return column_name(*column)


def _value(each: Measured | None, notes: _Notes) -> str:
    if each is None:
        return "-"
    if each.summary is None:
        word = "not there" if each.lacks else "failed"
        return f"{word} {notes.mark([each.reason] if each.reason else [])}".rstrip()
    return shown(each.summary) + notes.mark(each.notes)


def _ratio(new: Measured | None, old: Measured | None, notes: _Notes) -> str:
    if new is None or old is None:
        return "-"
    found = ratio(new, old)
    if found is not None:
        return percent(found.ratio)
    if new.summary is None or old.summary is None:
        return "-"
    sides = [each for each in (new, old) if each.cell.mode is not Mode.COPY and not each.zerocopy]
    why = dict.fromkeys(text for each in sides for text in each.notes)
    word = "copied" if any(each.copied for each in sides) else "unproven"
    return f"{word} {notes.mark(why)}".rstrip()


def _copied(each: Measured | None) -> str:
    return "-" if each is None or each.copied is None else percent(each.copied)


def gains(
    bench: Bench, figure: Figure, kernel: str
) -> dict[tuple[str, _Column], list[tuple[int, float]]]:
    """Per path and column: size and gain over copying, of the cells that were zerocopy."""
    found: dict[tuple[str, _Column], list[tuple[int, float]]] = {}
    cells = {each.cell: each for each in _of(bench, figure, kernel)}
    for cell, each in cells.items():
        base = cells.get(reference(cell, Mode.COPY))
        if cell.mode is Mode.COPY or base is None:
            continue
        points = found.setdefault((path_of(cell), (cell.mode, cell.interval)), [])
        part = ratio(each, base)
        if part is not None and part.ratio > 0:
            points.append((cell.size, part.ratio if figure.rate else 1 / part.ratio))
    return found


def _break_evens(bench: Bench) -> Iterable[Table]:
    for kernel in bench.kernels:
        rows = [
            (path, _column(column), figure.value, break_even(points).words)
            for figure in bench.plan.figures
            for (path, column), points in gains(bench, figure, kernel.label).items()
        ]
        if rows:
            title = f"From which size zerocopy wins{_behind(bench, kernel.label)}"
            uneven = [figure for figure in bench.plan.figures if figure in UNEVEN]
            notes = (f"by {' and '.join(uneven)}: {UNEVEN_NOTE}",) if uneven else ()
            yield Table(title, ("path", "mode", "by", "break-even"), tuple(rows), notes, left=4)


_DETAIL: tuple[tuple[str, Callable[[Measured, Summary], str]], ...] = (
    ("n", lambda each, summary: str(summary.n)),
    ("median", lambda each, summary: number(summary.median)),
    ("95 % interval", lambda each, summary: f"{number(summary.low)} .. {number(summary.high)}"),
    ("spread", lambda each, summary: percent(summary.spread)),
    ("outliers", lambda each, summary: ", ".join(_outliers(summary)) or "-"),
    ("boots", lambda each, summary: ", ".join(map(number, each.boots))),
    ("copied", lambda each, summary: _copied(each)),
    ("ENOBUFS", lambda each, summary: f"{each.enobufs:,}"),
)


def _outliers(summary: Summary) -> list[str]:
    return [number(summary.values[place]) for place in summary.outliers]


def detail_tables(bench: Bench) -> tuple[Table, ...]:
    """Every cell with all that is known of its rounds, a table for each figure."""
    found = []
    for figure in bench.plan.figures:
        cells = measured(bench, figure)
        if cells:
            heads = ("cell", "kernel", *(name for name, _ in _DETAIL))
            title = f"All cells: {TITLES[figure]} ({cells[0].unit})"
            found.append(Table(title, heads, tuple(map(_detail, cells)), left=2))
    return tuple(found)


def _detail(each: Measured) -> tuple[str, ...]:
    head = (name_of(each.cell), each.kernel)
    if each.summary is None:
        return (*head, "0", each.reason or "-", *("-" for _ in _DETAIL[2:]))
    return (*head, *(tell(each, each.summary) for _, tell in _DETAIL))
