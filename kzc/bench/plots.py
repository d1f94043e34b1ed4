# SPDX-License-Identifier: GPL-2.0-only
"""Plots as SVG: the figure against size, gain and break-even, ratio against interval.

Rule: the same bench gives the same bytes: no date, ids from a fixed salt and the plot's name. Text
and axes take the colour of what is around them (currentColor), which alone follows the reader's
light or dark scheme. matplotlib is imported when something is drawn, and without pyplot, so that
nothing global is changed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from io import StringIO
from itertools import groupby
from typing import TYPE_CHECKING, Any

from kzc.bench.breakeven import break_even
from kzc.bench.measured import Measured, measured, ratio, reference
from kzc.bench.order import column_name, path_of
from kzc.bench.plan import Figure, show_size
from kzc.bench.report import marks
from kzc.bench.result import Bench
from kzc.bench.tables import gains
from kzc.bench.values import Mode

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_INK = "#123456"  # stands for currentColor until the file is written
_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#8a7a00", "#56a0d3")
_MARKERS = "os^Dvx"
_SIZE = (7.0, 4.0)
_STYLE = "<style>svg{color:#1f2328}@media(prefers-color-scheme:dark){svg{color:#e6edf3}}</style>"


@dataclass(frozen=True)
class Plot:
    """A plot by a name that is good for a file; `svg` is a whole document."""

    name: str
    title: str
    svg: str

    @property
    def inline(self) -> str:
        """The same for inside of HTML: the page says the colour of text."""
        return self.svg[self.svg.index("<svg") :].replace(_STYLE, "")


@dataclass(frozen=True)
class _Line:
    """One line: points with the reach of their intervals below and above."""

    label: str
    x: tuple[float, ...]
    y: tuple[float, ...]
    below: tuple[float, ...] = ()
    above: tuple[float, ...] = ()


@dataclass(frozen=True)
class _Chart:
    title: str
    x: str
    y: str
    lines: tuple[_Line, ...]
    sizes: bool = True
    level: float | None = None
    points: tuple[float, ...] = ()


def plots(bench: Bench, only: str = "") -> tuple[Plot, ...]:
    """All plots that the bench has points for, or the one of that name."""
    warned = "; ".join(mark.partition(":")[0] for mark in marks(bench))
    return tuple(
        Plot(name, chart.title, _svg(name, chart, warned))
        for name, chart in _charts(bench)
        if only in {"", name}
    )


def _charts(bench: Bench) -> Iterator[tuple[str, _Chart]]:
    for kernel in bench.kernels:
        behind = f", {kernel.label}" if len(bench.kernels) > 1 else ""
        for figure in bench.plan.figures:
            cells = [each for each in measured(bench, figure) if each.kernel == kernel.label]
            if len(bench.plan.sizes) > 1:
                for path, group in groupby(cells, lambda each: path_of(each.cell)):
                    chart = _against_size(f"{path}{behind}", list(group))
                    if chart.lines:
                        yield _name(figure, path, kernel.label), chart
                chart = _gain(bench, figure, kernel.label, behind)
                if chart.lines:
                    yield _name(figure, "gain", kernel.label), chart
            if len(bench.plan.intervals) > 1:
                chart = _against_interval(bench, figure, cells, behind)
                if chart.lines:
                    yield _name(figure, "interval", kernel.label), chart


def _name(figure: Figure, *parts: str) -> str:
    return re.sub(r"[^\w.-]+", "-", "-".join((figure, *parts))).strip("-")


def _against_size(title: str, cells: Sequence[Measured]) -> _Chart:
    columns: dict[str, list[Measured]] = {}
    for each in cells:
        if each.summary:
            copied = " (copied)" if each.copied and not each.zerocopy else ""
            name = column_name(each.cell.mode, each.cell.interval)
            columns.setdefault(f"{name}{copied}", []).append(each)
    lines = tuple(_line(label, group, _size) for label, group in columns.items())
    first = cells[0]
    return _Chart(f"{title}: {first.figure}", "message size (bytes)", first.unit, lines)


def _size(each: Measured) -> float:
    return float(each.cell.size)


def _line(label: str, cells: Sequence[Measured], at: Callable[[Measured], float]) -> _Line:
    points = [(at(each), each.summary) for each in cells if each.summary]
    return _Line(
        label,
        tuple(x for x, _ in points),
        tuple(summary.median for _, summary in points),
        tuple(summary.median - summary.low for _, summary in points),
        tuple(summary.high - summary.median for _, summary in points),
    )


def _gain(bench: Bench, figure: Figure, kernel: str, behind: str) -> _Chart:
    lines, crossings = [], []
    for (path, column), points in gains(bench, figure, kernel).items():
        if points:
            sizes, values = zip(*sorted(points), strict=True)
            lines.append(_Line(f"{path} {column_name(*column)}", sizes, values))
            found = break_even(points).size
            crossings += [found] if found else []
    title = f"gain over copying by {figure}{behind}; above 1 zerocopy wins"
    where = "message size (bytes)"
    return _Chart(title, where, "gain", tuple(lines), level=1.0, points=tuple(crossings))


def _against_interval(
    bench: Bench, figure: Figure, all_cells: Sequence[Measured], behind: str
) -> _Chart:
    cells = {each.cell: each for each in all_cells}
    against = bench.plan.against
    found: dict[str, list[tuple[int, float, float, float]]] = {}
    for cell, each in cells.items():
        base = cells.get(reference(cell, against))
        if cell.mode in {Mode.COPY, against} or base is None:
            continue
        part = ratio(each, base)
        if part:
            label = f"{path_of(cell)} {show_size(cell.size)} {cell.mode}"
            bounds = (part.ratio - part.low, part.high - part.ratio)
            found.setdefault(label, []).append((cell.interval, part.ratio, *bounds))
    lines = []
    for label, points in found.items():
        x, y, below, above = zip(*sorted(points), strict=True)
        lines.append(_Line(label, x, y, below, above))
    title = f"ratio to {against} by {figure}{behind}"
    return _Chart(title, "sends between two collections", "ratio", tuple(lines), False, 1.0)


def _svg(name: str, chart: _Chart, warned: str) -> str:
    from matplotlib import rc_context
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure as Canvas

    inked = ("text.color", "axes.labelcolor", "axes.edgecolor", "xtick.color", "ytick.color")
    look: dict[Any, Any] = dict.fromkeys((*inked, "legend.labelcolor"), _INK)
    with rc_context(
        {**look, "svg.hashsalt": name, "svg.fonttype": "none", "font.family": "sans-serif"}
    ):
        canvas = Canvas(figsize=_SIZE, layout="constrained")
        FigureCanvasSVG(canvas)
        axes = canvas.add_subplot()
        _draw(axes, chart)
        if warned:
            canvas.suptitle(warned, color="#d1242f", fontsize=9)
        file = StringIO()
        metadata = {"Date": None, "Creator": None, "Title": chart.title}
        canvas.savefig(file, format="svg", transparent=True, metadata=metadata)
    return _dressed(file.getvalue(), name)


def _draw(axes: Axes, chart: _Chart) -> None:
    from matplotlib.ticker import FixedLocator, FuncFormatter, NullFormatter, NullLocator

    for place, line in enumerate(chart.lines):
        style = {
            "color": _COLOURS[place % len(_COLOURS)],
            "marker": _MARKERS[place % len(_MARKERS)],
            "label": line.label,
        }
        reach = (line.below, line.above) if line.below else None
        axes.errorbar(line.x, line.y, yerr=reach, capsize=3, markersize=5, **style)  # type: ignore[arg-type]
    if chart.level is not None:
        axes.axhline(chart.level, color=_INK, linewidth=0.8, linestyle="--")
    for point in chart.points:
        axes.axvline(point, color=_INK, linewidth=0.6, linestyle=":")
    axes.set_xscale("log", base=2)
    ticks = sorted({x for line in chart.lines for x in line.x})
    axes.xaxis.set_major_locator(FixedLocator(ticks))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: show_size(round(value))))
    axes.xaxis.set_minor_formatter(NullFormatter())
    if chart.level is None:
        axes.set_ylim(bottom=0)
    elif chart.sizes:
        # on both axes as break-even is interpolated, so that it stands where the lines cross
        axes.set_yscale("log", base=2)
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.set(title=chart.title, xlabel=chart.x, ylabel=chart.y)
    axes.grid(visible=True, color=_INK, alpha=0.15)
    axes.legend(frameon=False, fontsize=8)


def _dressed(svg: str, name: str) -> str:
    """The colour of text from around, ids of this plot only, and no addresses to be loaded."""
    svg = svg[svg.index("<svg") :].replace(_INK, "currentColor")
    svg = re.sub(r'\b(id="|xlink:href="#|href="#|url\(#)', rf"\g<1>{name}-", svg)
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    # matplotlib's style for everything would be one for all of a page
    svg = re.sub(r"<style type=.text/css.>.*?</style>", "", svg, flags=re.DOTALL)
    svg = svg.replace("<svg ", '<svg stroke-linejoin="round" ', 1)
    head = svg.index(">") + 1
    return f'<?xml version="1.0" encoding="utf-8"?>\n{svg[:head]}\n{_STYLE}{svg[head:]}'
