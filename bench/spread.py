# SPDX-License-Identifier: GPL-2.0-only
"""How far the figures of two runs of one plan are apart, cell by cell.

    kzc bench --plan PLAN ...; kzc bench --plan PLAN ...
    python bench/spread.py RUN RUN

Of each figure of each cell: the two medians and their difference. Holds that in instruction time
none differs by more than one percent; wall time is shown for what it is.
"""

from __future__ import annotations

import sys
from pathlib import Path
from statistics import median
from typing import Any

from machine import keep

from kzc.bench.compare import Comparison, Side, compared
from kzc.bench.order import name_of
from kzc.bench.result import Bench, load
from kzc.bench.values import Clock
from kzc.results.store import Store
from kzc.settings import load_settings

LIMIT = 1.0  # percent


def bench_of(store: Store, name: str) -> Bench:
    """The bench of a run."""
    found = load(store.folder_of(store.load(name)))
    if found is None:
        raise SystemExit(f"run {name} has no bench")
    return found


def apart(comparison: Comparison, figure: str) -> dict[str, dict[str, Any]]:
    """By cell: the two medians, and their difference in percent of the first."""
    return {
        name_of(change.cell): {
            "first": round(change.old.summary.median, 4),
            "second": round(change.new.summary.median, 4),
            "percent": round(abs(change.percent), 3),
        }
        for change in comparison.changes
        if change.figure == figure and change.percent is not None
        if change.old and change.old.summary and change.new and change.new.summary
    }


def main() -> int:
    if len(sys.argv) != 3:
        raise SystemExit(__doc__)
    store = Store.of(load_settings({}, Path.cwd()))
    first, second = (bench_of(store, name) for name in sys.argv[1:])
    if first.name != second.name:
        raise SystemExit(f"two plans: {first.name} and {second.name}")
    sides = [Side(bench, bench.kernels[-1].label) for bench in (first, second)]
    comparison = compared(sides[0], sides[1])
    figures = {figure.value: apart(comparison, figure) for figure in second.plan.figures}
    percents = {
        figure: [cell["percent"] for cell in cells.values()] for figure, cells in figures.items()
    }
    largest = {figure: max(found, default=0.0) for figure, found in percents.items()}
    counted = first.clock is Clock.INSTRUCTIONS
    keep(
        f"spread-{first.name}-{first.topology}-{first.clock}",
        {
            "plan": first.name,
            "clock": first.clock.value,
            "topology": first.topology,
            "rounds": first.plan.rounds,
            "largest": largest,
            "median": {figure: median(found or [0.0]) for figure, found in percents.items()},
            "limit": LIMIT if counted else None,
            "cells": figures,
        },
    )
    return int(counted and max(largest.values()) > LIMIT)


if __name__ == "__main__":
    sys.exit(main())
