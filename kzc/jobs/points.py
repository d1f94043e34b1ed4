# SPDX-License-Identifier: GPL-2.0-only
"""The machine of a bisection: a point's kernel, built on demand, in a fresh guest for every run.

The test programs are those of the last patch for all points, so that only the kernel differs from
one point to the next. A suite is cut down to the command that has the case, and where its manifest
knows how (`pick`) to the case itself.
"""

from __future__ import annotations

import hashlib
import json
import shlex
from dataclasses import dataclass
from pathlib import Path

from kzc.errors import HostError, UsageError
from kzc.jobs import guests, kernels
from kzc.jobs.guests import Plan
from kzc.jobs.kernels import Source, Wanted
from kzc.jobs.observations import Observation
from kzc.jobs.sightings import BOOT, Seen, Sighting, Sought, sighting
from kzc.jobs.workshop import Workshop, stopwatch
from kzc.kernel.pvh import direct
from kzc.suites import binaries
from kzc.suites.manifest import Command, Suite
from kzc.values import KernelBuild, Outcome, Stage, Verdict


@dataclass(frozen=True)
class Line:
    """The points of a series: `commits[i]` is the kernel after i patches. `suite` is what runs in
    each, none for a boot."""

    source: Source
    commits: tuple[str, ...]
    wanted: Wanted
    plan: Plan
    suite: Suite | None = None


class Points:
    """Runs points; `programs` are the suite's."""

    def __init__(self, shopfloor: Workshop, line: Line) -> None:
        self._shopfloor = shopfloor
        self._line = line
        self._suite = line.suite or _boot_only()
        self._programs = self._made()
        self._kernels: dict[str, tuple[KernelBuild | None, str]] = {}
        self._command: Command | None = None

    def run(self, point: int, sought: Sought, number: int) -> Observation:
        """Build the point's kernel if need be, boot it, run the suite or its one case.

        Raises HostError where this machine broke, UsageError where no command has the case.
        """
        watch = stopwatch()
        name = f"point-{point}-run-{number}"
        kernel, image = self._kernel(point)
        if kernel is None:
            log = self._shopfloor.relative(self._build_log(point))
            reason = f"see {log} of run {self._shopfloor.run.run.id}"
            return Observation(point, "", Sighting(Seen.UNBUILDABLE, reason), watch(), log)
        commands = (self._command,) if self._command else self._suite.commands
        for command in commands:
            only = self._suite.model_copy(
                update={"name": name, "commands": _cut(commands, command, sought)}
            )
            outcomes = guests.test(
                self._shopfloor,
                kernel,
                only,
                self._programs,
                self._line.plan,
                repo=self._line.source.tree.repo,
            )
            if not sought.case or len(outcomes) == 1:
                break
            if any(case.name == sought.case for case in outcomes[1].cases):
                self._command = command
                break
        else:
            raise UsageError(
                f"{self._suite.name} has no case {sought.case!r}",
                "`kzc report` of a run of that suite shows what its cases are called",
            )
        found = sighting(outcomes, sought)
        return Observation(point, image, found, watch(), outcomes[-1].log)

    def _kernel(self, point: int) -> tuple[KernelBuild | None, str]:
        """The point's kernel, None if it does not build, and a name of its image's content."""
        commit = self._line.commits[point]
        if commit not in self._kernels:
            self._shopfloor.screen.step(f"the kernel of point {point}")
            source, wanted = self._line.source, self._line.wanted
            kernel = kernels.kernel_of(self._shopfloor, source, commit, wanted)
            image = _digest(direct(kernel)) if kernel else ""
            self._kernels[commit] = kernel, image
            if kernel is None:
                where = self._shopfloor.relative(self._build_log(point))
                subject = f"point {point}: kernel"
                reason = "does not build"
                self._shopfloor.keep(
                    Outcome(Stage.BUILD, subject, Verdict.FAIL, log=where, reason=reason)
                )
        return self._kernels[commit]

    def _build_log(self, point: int) -> Path:
        return self._shopfloor.log(f"build-{self._line.commits[point][:12]}")

    def _made(self) -> Path:
        if self._line.suite is None:
            folder = self._shopfloor.folder("no-programs")
            (folder / binaries.ABSENT).write_text(json.dumps({}))
            return folder
        made = kernels.make_tests(self._shopfloor, self._line.source, [self._line.suite])
        if self._line.suite.name not in made:
            last = self._shopfloor.run.run.outcomes[-1]
            raise HostError(
                f"the programs of {self._line.suite.name} do not build at the last patch: "
                f"{last.reason}",
                f"the log is {self._shopfloor.run.folder / last.log}",
            )
        return made[self._line.suite.name]


def narrowed(command: Command, case: str) -> Command:
    """The command with all cases but one left out, as far as its manifest knows how."""
    if not case or not command.pick:
        return command
    text = f"export KZC_CASE={shlex.quote(case)}\n{command.pick}\n{command.run}"
    return command.model_copy(update={"run": text})


def _cut(commands: tuple[Command, ...], command: Command, sought: Sought) -> tuple[Command, ...]:
    return (narrowed(command, sought.case),) if sought.case else commands


def _boot_only() -> Suite:
    command = {"name": BOOT, "run": "true", "parser": "exit"}
    title = "the kernel boots"
    return Suite.model_validate(
        {"name": BOOT, "title": title, "guest": "mini", "commands": [command]}
    )


def _digest(image: Path) -> str:
    """Of the file that the guest starts, a vmlinux as a rule: nothing else decides a run."""
    with image.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:16]
