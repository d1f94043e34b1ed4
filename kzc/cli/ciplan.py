# SPDX-License-Identifier: GPL-2.0-only
"""`kzc ci --plan`: the jobs in the order in which they begin, and how long all of it may take."""

from __future__ import annotations

import json
import shlex
from dataclasses import asdict
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from kzc.jobs.ci.local import Capacity
from kzc.jobs.ci.matrix import Matrix
from kzc.jobs.ci.simulated import Forecast, forecast
from kzc.jobs.ci.values import Job
from kzc.results.clean import short
from kzc.results.words import plural, span


def show(jobs: tuple[Job, ...], matrix: Matrix, capacity: Capacity, *, as_json: bool) -> int:
    """Print the plan; nothing is run."""
    expected = forecast(jobs, capacity)
    ordered = [job for job, _ in expected.starts]
    if as_json:
        print(json.dumps(_object(ordered, expected, matrix), indent=2))
        return 0
    console = Console(width=None if Console().is_terminal else 120)
    table = Table("begins", "takes", "job", "wants", "failure", box=None)
    for job, begin in expected.starts:
        takes = span(job.expected) + ("" if job.known else " ?")
        texts = (span(begin), takes, job.name, _wants(job), "counts" if job.required else "is told")
        table.add_row(*(Text(short(text), overflow="fold") for text in texts))
    console.print(table)
    known = sum(job.known for job in ordered)
    guess = "" if known == len(ordered) else f" ({len(ordered) - known} never seen: ?)"
    limit = f", of {span(matrix.budget)}" if matrix.budget else ""
    took = span(expected.seconds)
    console.print(Text(f"\n{plural(len(ordered), 'job')}{guess}, about {took}{limit}"))
    return 0


def _wants(job: Job) -> str:
    wants = job.wants
    return ", ".join((plural(wants.cpus, "CPU"), f"{wants.memory} MiB", *wants.devices))


def _object(jobs: list[Job], expected: Forecast, matrix: Matrix) -> dict[str, Any]:
    begins = {job.name: begin for job, begin in expected.starts}
    return {
        "seconds": expected.seconds,
        "budget": matrix.budget,
        "retries": matrix.retries,
        "jobs": [
            {
                **asdict(job),
                "kind": job.kind.value,
                "begins": begins[job.name],
                "command": shlex.join(("kzc", *job.argv)),
            }
            for job in jobs
        ],
    }
