# SPDX-License-Identifier: GPL-2.0-only
"""What a CI run's order and overhead cost: `python bench/matrix.py [JOBS]`.

Simulated: 1,000 jobs [JOBS], 50 builds with tests of log-normal durations, on 1 to 64 workers and a
clock that only moves when a job ends; the driver and the schedule are the real ones. Efficiency is
the least time that there is (all work spread evenly, or the longest chain) over the time taken:
with durations known, and with none known. `ms` is the driver's own CPU time for a job.

Real: jobs that sleep half a second as processes behind their guards, in as many slots as two cores
bear, 12 for each slot, on this machine and on a dask cluster of two worker processes; efficiency is
the time slept per slot over the time taken.

Holds: with durations known no less than 0.95; a job costs no more than 2 ms of the driver's time.
"""

from __future__ import annotations

import random
import stat
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from machine import keep

from kzc.jobs.ci.attempt import Ground
from kzc.jobs.ci.cluster import connected
from kzc.jobs.ci.drive import Drive, Rules
from kzc.jobs.ci.executor import Executor
from kzc.jobs.ci.local import Capacity, LocalExecutor
from kzc.jobs.ci.schedule import chains
from kzc.jobs.ci.simulated import SimulatedExecutor, Watch
from kzc.jobs.ci.values import Cell, Job, Kind, Wants
from kzc.proc import LocalRunner

WORKERS = (1, 2, 4, 8, 16, 32, 64)
SLOTS = (1, 2, 4, 8)
BUILDS, EACH, SLEEP = 50, 12, 0.5
LEAST, MOST_MS = 0.95, 2.0
KZC = f"""#!/bin/sh
for stream; do :; done
sleep {SLEEP}
head='"id":"1","started":"2026-01-01T00:00:00Z","finished":"","command":[],"kzc":"0"'
echo '{{"run":{{'"$head"',"environment":{{}}}},"folder":"/nonexistent"}}' >"$stream"
"""


def drawn(count: int) -> tuple[Job, ...]:
    """The random jobs, the same every time; builds take ten minutes, tests one, or many."""
    luck = random.Random(2026)
    builds = [
        Job(
            f"build-{n}",
            Kind.BUILD,
            (),
            Cell(f"t{n}"),
            expected=luck.lognormvariate(6, 0.5),
            known=True,
        )
        for n in range(BUILDS)
    ]
    tests = [
        Job(
            f"test-{n}",
            Kind.TEST,
            (),
            Cell("t"),
            (f"build-{luck.randrange(BUILDS)}",),
            expected=luck.lognormvariate(4, 1),
            known=True,
        )
        for n in range(count - BUILDS)
    ]
    return (*builds, *tests)


def simulated(jobs: Sequence[Job], workers: int, *, known: bool) -> dict[str, float]:
    """Efficiency on so many workers, and the driver's CPU time for a job in ms."""
    seconds = {job.name: job.expected for job in jobs}
    machine = SimulatedExecutor(Capacity(workers, 1 << 30), lambda job: seconds[job.name])
    asked = jobs if known else [replace(job, expected=1.0, known=False) for job in jobs]
    began = time.process_time()
    Drive(tuple(asked), machine, Watch(machine.clock), machine.clock, Rules()).run()
    spent = time.process_time() - began
    bound = max(sum(seconds.values()) / workers, *chains(jobs).values())
    return {
        "efficiency": round(bound / machine.now, 4),
        "ms": round(1000 * spent / len(jobs), 3),
    }


def sleeping(slots: int) -> tuple[Job, ...]:
    """Jobs that do nothing, for half a second."""
    cell, wants = Cell("t"), Wants(1, 1)
    return tuple(
        Job(f"sleep-{n}", Kind.TEST, ("x",), cell, wants=wants) for n in range(EACH * slots)
    )


@contextmanager
def grounds() -> Iterator[Ground]:
    """A folder for jobs that are played by a shell script."""
    with tempfile.TemporaryDirectory() as name:
        script = Path(name) / "kzc"
        script.write_text(KZC)
        script.chmod(script.stat().st_mode | stat.S_IXUSR)
        yield Ground(LocalRunner(), Path(name) / "data", Path(name), (str(script),))


def timed(slots: int, executor: Executor) -> float:
    """Efficiency of an executor that has so many slots."""
    began = time.monotonic()
    Drive(sleeping(slots), executor, Watch(time.monotonic), time.monotonic, Rules()).run()
    return round(EACH * SLEEP / (time.monotonic() - began), 3)


def local(slots: int) -> float:
    """Efficiency of processes on this machine."""
    with grounds() as ground:
        return timed(slots, LocalExecutor(ground, ground.cwd / "logs", Capacity(slots, 1 << 20)))


def dask(slots: int) -> float:
    """Efficiency of a cluster of at most two worker processes on this machine."""
    from distributed import LocalCluster

    workers = min(slots, 2)
    shape: dict[str, Any] = {"n_workers": workers, "threads_per_worker": slots // workers}
    with (
        grounds() as ground,
        LocalCluster(**shape, dashboard_address=None) as cluster,  # type: ignore[no-untyped-call]
        connected(cluster.scheduler_address, ground, ground.cwd / "logs", "bench") as executor,
    ):
        return timed(slots, executor)


def main() -> int:
    """Keep the table; 1 when a limit is missed."""
    jobs = drawn(int(sys.argv[1]) if len(sys.argv) > 1 else 1000)
    known = {workers: simulated(jobs, workers, known=True) for workers in WORKERS}
    blind = {workers: simulated(jobs, workers, known=False) for workers in WORKERS}
    found = {
        "durations known": known,
        "durations not known": blind,
        "sleeping, this machine": {slots: local(slots) for slots in SLOTS},
        "sleeping, dask": {slots: dask(slots) for slots in SLOTS},
    }
    keep("matrix", {"jobs": len(jobs), **found})
    held = all(
        each["efficiency"] >= LEAST and each["ms"] <= MOST_MS for each in known.values()
    ) and all(each["ms"] <= MOST_MS for each in blind.values())
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
