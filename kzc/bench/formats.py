# SPDX-License-Identifier: GPL-2.0-only
"""A report as plain text and Markdown, and measured cells as CSV.

`clean` makes a text fit to be shown there (kzc/results/clean.py has one for each place); every text
of the report goes through it.
"""

from __future__ import annotations

import csv
import textwrap
from collections.abc import Callable, Iterable, Sequence
from io import StringIO

from kzc.bench.measured import Measured, measured
from kzc.bench.report import Report
from kzc.bench.result import Bench
from kzc.bench.tables import Table

Clean = Callable[[str], str]
WIDTH = 75  # of text in mails; tables may be wider


def text(report: Report, clean: Clean, details: bool = True) -> str:
    """For a terminal or a mail: nothing but printable characters."""
    parts = [clean(report.title), _wrapped(clean(report.about))]
    parts += [f"*** {clean(mark)} ***" for mark in report.marks]
    wide = max((len(name) for name, _ in report.setup), default=0)
    parts.append("\n".join(f"{clean(name):<{wide}}  {clean(told)}" for name, told in report.setup))
    tables = (*report.tables, *(report.details if details else ()))
    parts += [_plain(table, clean) for table in tables]
    parts += ["\n".join(_wrapped(clean(note)) for note in report.notes)]
    parts += [f"Reproduce with\n\n  {clean(report.command)}"]
    return "\n\n".join(filter(None, parts)) + "\n"


def _wrapped(words: str) -> str:
    return textwrap.fill(words, WIDTH, break_long_words=False, break_on_hyphens=False)


def _plain(table: Table, clean: Clean) -> str:
    rows = [[clean(cell) for cell in row] for row in (table.head, *table.rows)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    rule = "+" + "+".join("-" * (width + 2) for width in widths) + "+"
    lines = [_line(row, widths, table.left) for row in rows]
    notes = [_wrapped(clean(note)) for note in table.notes]
    return "\n".join((clean(table.title), rule, lines[0], rule, *lines[1:], rule, *notes))


def _line(row: Sequence[str], widths: Sequence[int], left: int) -> str:
    cells = [
        f"{cell:<{width}}" if place < left else f"{cell:>{width}}"
        for place, (cell, width) in enumerate(zip(row, widths, strict=True))
    ]
    return f"| {' | '.join(cells)} |"


def markdown(report: Report, clean: Clean, command: Clean) -> str:
    """For a cover letter or a job's page; `command` shows a command as code."""
    parts = [f"## {clean(report.title)}", clean(report.about)]
    parts += [f"**{clean(mark)}**" for mark in report.marks]
    parts.append("\n".join(f"- {clean(name)}: {clean(told)}" for name, told in report.setup))
    parts += [_marked(table, clean) for table in report.tables]
    if report.details:
        inside = "\n\n".join(_marked(table, clean) for table in report.details)
        parts.append(f"<details><summary>All cells</summary>\n\n{inside}\n\n</details>")
    parts.append("\n".join(f"- {clean(note)}" for note in report.notes))
    parts.append(f"Reproduce with {command(report.command)}")
    return "\n\n".join(filter(None, parts)) + "\n"


def _marked(table: Table, clean: Clean) -> str:
    marks = ["---" if place < table.left else "---:" for place in range(len(table.head))]
    rows: Iterable[Sequence[str]] = (
        list(map(clean, table.head)),
        marks,
        *([clean(cell) for cell in row] for row in table.rows),
    )
    lines = "\n".join(f"| {' | '.join(row)} |" for row in rows)
    notes = "\n".join(f"- {clean(note)}" for note in table.notes)
    return "\n\n".join(filter(None, (f"### {clean(table.title)}", lines, notes)))


COLUMNS = (
    *("plan", "clock", "posting", "kernel", "transport", "ip", "direction", "mode", "size"),
    *("interval", "channels", "figure", "unit", "n", "median", "low", "high", "spread", "outliers"),
    *("copied", "zerocopy", "enobufs", "note"),
)


def table_csv(bench: Bench, clean: Clean) -> str:
    """A line for each figure of each cell and kernel, under COLUMNS; sizes in bytes."""
    file = StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(COLUMNS)
    for figure in bench.plan.figures:
        writer.writerows(_record(bench, each, clean) for each in measured(bench, figure))
    return file.getvalue()


def _record(bench: Bench, each: Measured, clean: Clean) -> tuple[object, ...]:
    cell, summary = each.cell, each.summary
    head = (bench.name, bench.clock, "yes" if bench.posting else "not for posting", each.kernel)
    path = (cell.transport, cell.ip or "", cell.direction)
    where = (*path, cell.mode, cell.size, cell.interval, cell.channels or "")
    folded: tuple[object, ...] = (0, *[""] * 5)
    if summary:
        bounds = (summary.median, summary.low, summary.high, summary.spread)
        folded = (summary.n, *(f"{value:.6g}" for value in bounds), len(summary.outliers))
    copied = "" if each.copied is None else f"{each.copied:.4g}"
    note = clean("; ".join(filter(None, (*each.notes, each.reason))))
    truth = "yes" if each.zerocopy else "no"
    return (*head, *where, each.figure, each.unit, *folded, copied, truth, each.enobufs, note)
