# SPDX-License-Identifier: GPL-2.0-only
"""Jobs on this machine, as many at once as their CPUs and memory allow. A job that wants more than
there is runs alone."""

from __future__ import annotations

import re
import select
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from kzc.jobs.ci.attempt import Going, Ground, going
from kzc.jobs.ci.executor import Go
from kzc.jobs.ci.values import Attempt, Job


@dataclass(frozen=True)
class Capacity:
    """What a machine has for jobs; memory in MiB."""

    cpus: int
    memory: int


class LocalExecutor:
    """Jobs as children of this process; their logs go to `logs`/SLUG."""

    def __init__(self, ground: Ground, logs: Path, capacity: Capacity) -> None:
        self._ground = ground
        self._logs = logs
        self._capacity = capacity
        self._running: dict[Go, tuple[Going, ExitStack]] = {}

    def refuses(self, job: Job) -> str:
        lacking = [name for name in job.wants.devices if not (Path("/dev") / name).exists()]
        return f"this machine has no /dev/{lacking[0]}" if lacking else ""

    def fits(self, job: Job) -> bool:
        taken = [go.job.wants for go in self._running]
        cpus = job.wants.cpus + sum(wants.cpus for wants in taken)
        memory = job.wants.memory + sum(wants.memory for wants in taken)
        return not taken or (cpus <= self._capacity.cpus and memory <= self._capacity.memory)

    def start(self, go: Go) -> None:
        with ExitStack() as stack:
            folder = self._logs / slug(go)
            running = stack.enter_context(going(self._ground, go.job, folder))
            self._running[go] = (running, stack.pop_all())

    def ended(self, timeout: float) -> list[tuple[Go, Attempt]]:
        by_fd = {running.ended: go for go, (running, _) in self._running.items()}
        ready = select.select(list(by_fd), [], [], timeout)[0]
        return [(by_fd[fd], self._close(by_fd[fd], stop=False)) for fd in ready]

    def stop(self) -> list[tuple[Go, Attempt]]:
        return [(go, self._close(go, stop=True)) for go in list(self._running)]

    def _close(self, go: Go, *, stop: bool) -> Attempt:
        running, stack = self._running.pop(go)
        with stack:
            return running.stop() if stop else running.finished()


def slug(go: Go) -> str:
    """A folder's name for the logs of a go."""
    plain = re.sub(r"[^\w.-]+", "-", go.job.name).strip("-.")
    return plain if go.number == 1 else f"{plain}-again{go.number - 1 if go.number > 2 else ''}"
