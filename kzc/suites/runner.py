# SPDX-License-Identifier: GPL-2.0-only
"""Runs a suite's commands in a guest that somebody else has booted."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

from kzc.suites import faults, faulty, fold, kernel_log
from kzc.suites.faults import Faults
from kzc.suites.fold import Log, Part
from kzc.suites.manifest import Command, Suite
from kzc.suites.parsers import PARSERS
from kzc.values import Answer, Case, Ended, Limits, Outcome, Stage, Verdict

_QUICK = Limits(20, 30)
_HINT = "faults need a kernel of the profile fault, which `--faults` takes by itself"


class Guest(Protocol):
    """A booted guest."""

    def run(self, text: str, limits: Limits) -> Answer:
        """Run a shell command and wait for its end, or the guest's."""
        ...


@dataclass
class _Heard:
    """A guest, of whose console nothing is lost between two commands."""

    guest: Guest
    factor: float
    console: tuple[str, ...] = ()

    def run(self, text: str, limits: Limits) -> Answer:
        answer = self.guest.run(text, limits)
        self.console += answer.console
        return answer

    def take(self, mark: str = "") -> tuple[str, ...]:
        """Console lines since the last call; waits some seconds for a mark that is late."""
        for _ in range(fold.SETTLES if mark else 0):
            if Log("", self.console, mark).whole:
                break
            if self.run(fold.settle(self.factor), _QUICK).ended is not Ended.EXIT:
                break
        lines, self.console = self.console, ()
        return lines


@dataclass(frozen=True)
class Setting:
    """What a suite runs with: `folder` of its programs in the guest, `factor` on its time
    limits, programs that could not be built with the reason, and the log rules. With `faults`
    socket calls of its programs fail on purpose. `variables` are of the commands' environment."""

    folder: str
    factor: float
    absent: Mapping[str, str]
    rules: kernel_log.Rules
    faults: Faults | None = None
    variables: Mapping[str, str] = field(default_factory=dict)


def run_suite(
    suite: Suite,
    guest: Guest,
    setting: Setting,
    show: Callable[[Case], None] = lambda _case: None,
) -> Outcome:
    """All commands of a suite, in order; those after a dead guest are NOT_RUN."""
    heard = _Heard(guest, setting.factor)
    ready = _prepare(suite, heard, setting)
    name = f"{suite.name} under faults" if setting.faults else suite.name
    parts: list[Part] = []
    injected: Counter[str] = Counter()
    if ready.ended is not Ended.EXIT:
        cases = fold.blame((), ready.ended, ready.seconds)
        parts.append(Part(cases, (Log("", heard.take()),), ready.ended, ready.seconds))
    elif ready.status:
        # a guest that cannot even set a sysctl is no verdict on the code under test
        reason = f"{suite.name} could not be set up: {' '.join(ready.output)}"
        hint = {"hint": _HINT} if setting.faults else {}
        return Outcome(Stage.TEST, name, Verdict.INFRA, reason=reason, detail=hint)
    if setting.faults:
        setting = replace(setting, folder=faults.FOLDER)
    for command in suite.commands:
        if parts and parts[-1].ended is not Ended.EXIT:
            part = _left_out(command, parts[-1].ended)
        else:
            part = _run(suite, command, heard, setting, injected)
        parts.append(part)
        for case in part.cases:
            show(case)
    rules = setting.rules.knowing(suite.known)
    if setting.faults is None:
        return fold.fold(name, parts, rules)
    rules = rules.without(setting.faults.rules.excused)
    return faulty.concluded(fold.fold(name, parts, rules), parts, injected, rules)


def _prepare(suite: Suite, guest: Guest, setting: Setting) -> Answer:
    """Set the sysctls, and what faults need."""
    lines = [
        f"echo '{value}' > /proc/sys/{name.replace('.', '/')} || exit 1"
        for name, value in suite.sysctls.items()
    ]
    if setting.faults:
        programs = [Path(name).name for build in suite.build for name in build.outputs]
        programs += [program.name for program in suite.programs]
        ranges = suite.fault_under, suite.fault_spares
        lines.append(faults.prepare(setting.folder, programs, *ranges))
    return guest.run("\n".join(lines) or "true", _QUICK.scaled(setting.factor))


def _run(
    suite: Suite, command: Command, guest: _Heard, setting: Setting, injected: Counter[str]
) -> Part:
    if command.needs in setting.absent:
        reason = f"{command.needs} was not built: {setting.absent[command.needs]}"
        case = Case(command.name, Verdict.SKIP, reason=reason)
        return Part((case,), (), Ended.EXIT, 0.0)
    planned = _planned(command, guest, setting)
    if isinstance(planned, Part):
        return planned
    path = f"{suite.name}/{command.name}"
    if setting.faults:
        enter, factor = _enter(setting), setting.factor
        every = setting.faults.every or suite.fault_every
        under = replace(setting.faults, every=every, kinds=suite.fault_kinds)
        ground = faulty.Ground(guest.run, guest.take, path, enter, factor, under)
        part, number = faulty.run_command(command, planned, ground)
        injected.update(number)
        return part
    limits = Limits(suite.silence, command.timeout or suite.total).scaled(setting.factor)
    text = "\n".join(
        (
            _enter(setting),
            fold.CLEAR_LEAKS,
            fold.write_mark("begin", path),
            f"( {command.run}\n)",
            "status=$?",
            fold.FIND_LEAKS,
            fold.FIND_FULL,
            fold.write_mark("end", path),
            "exit $status",
        )
    )
    answer = guest.run(text, limits)
    cases = PARSERS[command.parser](answer.output, status=answer.status, planned=planned)
    cases = fold.starved(fold.blame(cases, answer.ended, answer.seconds), answer.console)
    if not cases:
        reason = f"`{command.name}` ran no case at all"
        cases = (Case(command.name, Verdict.FAIL, reason=reason),)
    mark = fold.mark("end", path)
    log = Log("", guest.take(mark if answer.ended is Ended.EXIT else ""), mark)
    return Part(cases, (log,), answer.ended, answer.seconds)


def _planned(command: Command, guest: _Heard, setting: Setting) -> Sequence[str] | Part:
    """Names of the cases that have to appear; a Part that says why where they cannot be listed."""
    if not command.list_tests:
        return command.planned
    answer = guest.run(f"{_enter(setting)}\n{command.list_tests}", _QUICK.scaled(setting.factor))
    reason = PARSERS.unlisted(command.parser, answer.output, answer.status)
    if not reason:
        return PARSERS.names(command.parser, answer.output)
    # such as a wrong kzc.case=: no verdict on the code under test, unless the program died
    verdict = Verdict.CRASH if (answer.status or 0) > 128 else Verdict.INFRA
    case = Case(command.name, verdict, reason=f"its cases could not be listed: {reason}")
    return Part((case,), (Log("", guest.take()),), Ended.EXIT, answer.seconds)


def _enter(setting: Setting) -> str:
    known = f"export KZC_BIN='{setting.folder}' KZC_SLOWDOWN={setting.factor:.0f}"
    known += "".join(f" {name}={shlex.quote(text)}" for name, text in setting.variables.items())
    return f'{known}; cd "$KZC_BIN" || exit 1'


def _left_out(command: Command, ended: Ended) -> Part:
    return Part(fold.not_run(command.planned or (command.name,), ended), (), ended, 0.0)
