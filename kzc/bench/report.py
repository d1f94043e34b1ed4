# SPDX-License-Identifier: GPL-2.0-only
"""A bench as a report in plain values: marks that must be seen, setup, tables, the command.

No format and no escapes: whoever shows it cleans its texts, as kernels and guests wrote some.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from kzc.bench.compare import Change, Comparison, Word
from kzc.bench.figures import unit_of
from kzc.bench.order import name_of, path_of
from kzc.bench.plan import show_size
from kzc.bench.result import Bench
from kzc.bench.statistics import CONFIDENCE, RULE
from kzc.bench.tables import Table, cover_tables, detail_tables, number
from kzc.bench.values import Clock

NOT_FOR_POSTING = (
    "NOT FOR POSTING: wall time without KVM is the time of an emulator on a shared machine"
)
_CLOCKS = {
    Clock.WALL: "wall time",
    Clock.INSTRUCTIONS: (
        "instructions that the guest executed (QEMU's TCG with icount): they count work, no time"
    ),
}


@dataclass(frozen=True)
class Report:
    """`marks` stand before all figures in every format."""

    title: str
    about: str
    marks: tuple[str, ...]
    setup: tuple[tuple[str, str], ...]
    tables: tuple[Table, ...]
    details: tuple[Table, ...]
    notes: tuple[str, ...]
    command: str


def report(bench: Bench, comparison: Comparison | None = None) -> Report:
    """All of it; with a comparison its table comes first."""
    ahead = (comparison_table(comparison, bench),) if comparison else ()
    return Report(
        f"{bench.name}: {bench.plan.title}",
        " ".join(bench.plan.about.split()),
        tuple(marks(bench)),
        tuple(_setup(bench)),
        (*ahead, *cover_tables(bench)),
        detail_tables(bench),
        tuple(_notes(bench)),
        bench.command,
    )


def marks(bench: Bench) -> Iterator[str]:
    """What must be seen before any figure."""
    if not bench.posting:
        yield NOT_FOR_POSTING
    if bench.unclean:
        yield f"NOT CLEAN: the kernel has {bench.unclean}, which is for measurement only"
    if not bench.whole:
        yield f"CUT SHORT: {len(bench.rounds):,} of {bench.wanted:,} rounds were measured"


def _setup(bench: Bench) -> Iterator[tuple[str, str]]:
    yield "clock", _CLOCKS[bench.clock]
    yield "topology", bench.topology
    for kernel in bench.kernels:
        words = ", ".join(filter(None, (kernel.what, kernel.release, kernel.key)))
        yield f"kernel {kernel.label}" if len(bench.kernels) > 1 else "kernel", words
    plan = bench.plan
    over = "one boot" if plan.boots == 1 else f"{plan.boots} boots"
    yield "rounds", f"{plan.rounds} of each cell over {over}, interleaved"
    knobs = [f"{key} {value:,}" for key, value in plan.settings if value is not None]
    if knobs:
        yield "settings", ", ".join(knobs)
    yield from bench.setup.items()


def _notes(bench: Bench) -> Iterator[str]:
    yield (
        f"Values are medians; ± is how far the {CONFIDENCE:.0%} interval (bootstrap) reaches, and "
        "spread the interquartile range as a part of the median."
    )
    yield f"{RULE[0].upper()}{RULE[1:]}; none is dropped."
    reasons: dict[str, dict[str, dict[str, None]]] = {}
    for missing in bench.missing:
        sizes = reasons.setdefault(missing.reason, {}).setdefault(path_of(missing.cell), {})
        sizes[show_size(missing.cell.size)] = None
    for reason, paths in reasons.items():
        names = "; ".join(f"{path} {', '.join(sizes)}" for path, sizes in paths.items())
        yield f"Not measured, as {reason}: {names}."


def comparison_table(comparison: Comparison, bench: Bench) -> Table:
    """Before and after, a row for each figure of each cell."""
    heads = ("cell", "figure", "before", "after", "change", "interval", "p", "")
    title = f"Before ({comparison.before}) and after ({comparison.after})"
    rows = tuple(_change(change, bench) for change in comparison.changes)
    lost = [each for each in comparison.changes if each.word in {Word.ONLY_AFTER, Word.ONLY_BEFORE}]
    notes = (
        "p: Mann-Whitney, two-sided, adjusted for the number of cells (Benjamini and Hochberg).",
        f"Worse counts from {comparison.tolerance:g} % on, if significant.",
        *(f"{name_of(each.cell)}, {each.figure}: {each.word}" for each in lost),
        *comparison.notes,
    )
    return Table(title, heads, rows, tuple(dict.fromkeys(notes)), left=2)


def _change(change: Change, bench: Bench) -> tuple[str, ...]:
    unit = unit_of(change.figure, bench.clock, bench.plan.unit)
    figures = [
        number(side.summary.median) if side and side.summary else "-"
        for side in (change.old, change.new)
    ]
    found = change.difference
    if found is None:
        return (name_of(change.cell), unit, *figures, "-", "-", "-", _word(change))
    low, high = (f"{(bound - 1) * 100:+.1f}" for bound in (found.low, found.high))
    percent = f"{(found.ratio - 1) * 100:+.1f} %"
    told = (percent, f"{low} .. {high} %", f"{change.p:.2g}")
    return (name_of(change.cell), unit, *figures, *told, _word(change))


def _word(change: Change) -> str:
    return change.word.value.upper() if change.word is Word.WORSE else change.word.value
