# SPDX-License-Identifier: GPL-2.0-only
"""What keeping runs costs: `python bench/store.py`. CPU time on SQLite, in milliseconds.

Measured: the first run of a store, a run with its eight outcomes and 250 KB of logs, an outcome of
10,000 cases kept and loaded, the list of 500 runs, and the history of a case over them.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from machine import keep

from kzc.results.store import Store
from kzc.results.wanted import Wanted
from kzc.values import Case, Outcome, Run, Stage, Verdict

RUNS, CASES = 500, 10_000
OUTCOMES = 8


def outcome(cases: int) -> Outcome:
    found = (Case(f"case {at}", Verdict.PASS, 0.1, detail={"tx": at}) for at in range(cases))
    return Outcome(Stage.TEST, "vsock", Verdict.PASS, 1.0, "logs/a.log", tuple(found))


def a_run(store: Store, cases: int = 30, outcomes: int = OUTCOMES) -> Run:
    with store.create(("kzc", "run"), {"tree": "6.12", "series": "s"}, "0") as run:
        (run.logs / "a.log").write_text(f"{run.run.id} a line of a log\n" * 6000)
        for _ in range(outcomes):
            run.append(outcome(cases))
    return run.run


def cost(work: Callable[[], object]) -> float:
    """Milliseconds of CPU time."""
    begin = time.process_time()
    work()
    return round((time.process_time() - begin) * 1000, 1)


def main() -> int:
    """Keep the figures."""
    with tempfile.TemporaryDirectory() as folder:
        store = Store(Path(folder))
        a_run(Store(Path(folder) / "other"))  # loads SQLAlchemy
        figures = {"the first run": cost(lambda: a_run(store))}
        figures["a run"] = cost(lambda: [a_run(store) for _ in range(10)]) / 10
        figures["a run of 10,000 cases"] = cost(lambda: a_run(store, CASES, 1))
        figures["loading it"] = cost(store.load)
        for _ in range(RUNS - 12):
            a_run(store, outcomes=1)
        figures[f"the list of {RUNS} runs"] = cost(store.list)
        figures["the last 20 of a tree"] = cost(lambda: store.list(Wanted(tree="6.12", last=20)))
        figures["a case's history"] = cost(lambda: store.past("vsock:case 7"))
    keep("store", {"milliseconds of CPU": {name: round(ms, 1) for name, ms in figures.items()}})
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
