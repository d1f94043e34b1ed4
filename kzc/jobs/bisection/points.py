# SPDX-License-Identifier: GPL-2.0-only
"""The machine of a bisection: a point's kernel, built on demand, in a fresh guest for every run.

A point has the test programs of its own commit: where no patch touches what they are made of, they
are the same for all, and only the kernel differs. A point whose programs do not have the case says
nothing. With `last_programs` those of the last patch run on every kernel. A suite is cut down to
the command that has the case, and where its manifest knows how (`pick`) to the case itself.
"""

from __future__ import annotations

import hashlib
import json
import shlex
from dataclasses import dataclass
from pathlib import Path

from kzc.errors import HostError, UsageError
from kzc.git import Git
from kzc.jobs import guests, kernels
from kzc.jobs.bisection.observations import Observation
from kzc.jobs.bisection.sightings import BOOT, Seen, Sighting, Sought, sighting
from kzc.jobs.check.memory import digest_of
from kzc.jobs.check.patch import of_programs
from kzc.jobs.guests import Plan
from kzc.jobs.kernels import Source, Wanted
from kzc.jobs.workshop import Workshop, stopwatch
from kzc.kernel.pvh import direct
from kzc.suites import binaries
from kzc.suites.manifest import Command, Suite
from kzc.values import KernelBuild, Outcome, Stage, Verdict


@dataclass(frozen=True)
class Line:
    """The points of a series: `commits[i]` is the kernel after i patches. `suite` is what runs in
    each, none for a boot; `last_programs` if the last patch's programs run on all of them."""

    source: Source
    commits: tuple[str, ...]
    wanted: Wanted
    plan: Plan
    suite: Suite | None = None
    last_programs: bool = False

    @property
    def last(self) -> int:
        """The point after the last patch."""
        return len(self.commits) - 1


class Points:
    """Runs points. Raises HostError where the last one's programs do not build."""

    def __init__(self, shopfloor: Workshop, line: Line) -> None:
        self._shopfloor = shopfloor
        self._line = line
        self._suite = line.suite or _boot_only()
        self._makers = _makers(shopfloor, line)
        self._programs: dict[int, Path | None] = {}
        self._kernels: dict[str, tuple[KernelBuild | None, str]] = {}
        self._command: Command | None = None
        if self._programs_of(line.last) is None:
            last = shopfloor.run.run.outcomes[-1]
            raise HostError(
                f"the programs of {self._suite.name} do not build at the last patch: {last.reason}",
                f"the log is {shopfloor.run.folder / last.log}",
            )

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
        programs = self._programs_of(point)
        if programs is None:
            reason = f"the programs of {self._suite.name} do not"
            return Observation(point, "", Sighting(Seen.UNBUILDABLE, reason), watch())
        if len(set(self._makers)) > 1:
            image = f"{image}-{digest_of(programs)[:8]}"
        commands = (self._command,) if self._command else self._suite.commands
        for command in commands:
            only = self._suite.model_copy(
                update={"name": name, "commands": _cut(commands, command, sought)}
            )
            outcomes = guests.test(
                self._shopfloor,
                kernel,
                only,
                programs,
                self._line.plan,
                repo=self._line.source.tree.repo,
            )
            if not sought.case or len(outcomes) == 1:
                break
            if any(case.name == sought.case for case in outcomes[1].cases):
                self._command = command
                break
        else:
            if self._command or self._makers[point] != self._line.last:
                found = sighting(outcomes, sought)
                return Observation(point, image, found, watch(), outcomes[-1].log)
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

    def _programs_of(self, point: int) -> Path | None:
        """A folder with the programs that run on the point's kernel, None if they do not build."""
        maker = self._makers[point]
        if maker not in self._programs:
            self._programs[maker] = self._made(maker)
        return self._programs[maker]

    def _made(self, point: int) -> Path | None:
        if self._line.suite is None:
            folder = self._shopfloor.folder("no-programs")
            (folder / binaries.ABSENT).write_text(json.dumps({}))
            return folder
        source = kernels.at_commit(self._line.source, self._line.commits[point], self._shopfloor)
        made = kernels.make_tests(self._shopfloor, source, [self._line.suite])
        return made.get(self._line.suite.name)


def _makers(shopfloor: Workshop, line: Line) -> tuple[int, ...]:
    """For each point the one whose commit its programs are made of: the last one of those that
    have the same."""
    makers = [line.last] * len(line.commits)
    if line.last_programs or line.suite is None:
        return tuple(makers)
    git = Git(shopfloor.runner, git_dir=line.source.tree.repo)
    for point in reversed(range(line.last)):
        names = git.out("diff", "--name-only", "--no-renames", *line.commits[point : point + 2])
        makers[point] = point if of_programs(names.splitlines(), line.suite) else makers[point + 1]
    return tuple(makers)


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
