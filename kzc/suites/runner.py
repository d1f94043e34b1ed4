# SPDX-License-Identifier: GPL-2.0-only
"""Runs a suite in a guest that somebody else has booted, and folds what came of it.

Every command is marked in the kernel log before and after, so the log can be searched for what
happened in between; a log without the closing mark was not read to its end and is no evidence.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from kzc.suites import kernel_log
from kzc.suites.manifest import Command, Suite
from kzc.suites.parsers import PARSERS
from kzc.values import Answer, Case, Ended, Limits, Outcome, Stage, Verdict, worst

_QUICK = Limits(20, 30)
# a leak shows only when it is looked for, and twice: the first scan may see it live;
# line by line, because /dev/kmsg takes no more in one write
_LEAKS = """[ -w $leaks ] && {
echo scan > $leaks; echo scan > $leaks
while read -r line; do echo "kmemleak: $line" > /dev/kmsg; done < $leaks; }"""


class Guest(Protocol):
    """A booted guest."""

    def run(self, text: str, limits: Limits) -> Answer:
        """Run a shell command and wait for its end, or the guest's."""
        ...


@dataclass(frozen=True)
class Setting:
    """What a suite runs with: `folder` of its programs in the guest, `factor` on its time
    limits, programs that could not be built with the reason, and the log rules."""

    folder: str
    factor: float
    absent: Mapping[str, str]
    rules: kernel_log.Rules


@dataclass(frozen=True)
class _Part:
    cases: tuple[Case, ...]
    console: tuple[str, ...]
    ended: Ended
    seconds: float


def run_suite(
    suite: Suite,
    guest: Guest,
    setting: Setting,
    show: Callable[[Case], None] = lambda _case: None,
) -> Outcome:
    """All commands of a suite, in order; those after a dead guest are NOT_RUN."""
    problem = _prepare(suite, guest, setting)
    if problem:
        # a guest that cannot even set a sysctl is no verdict on the code under test
        return Outcome(Stage.TEST, suite.name, Verdict.INFRA, reason=problem)
    parts: list[_Part] = []
    for command in suite.commands:
        dead = bool(parts) and parts[-1].ended is not Ended.EXIT
        part = _not_run(command, parts[-1]) if dead else _run(suite, command, guest, setting)
        parts.append(part)
        for case in part.cases:
            show(case)
    return _fold(suite, parts, setting.rules)


def _prepare(suite: Suite, guest: Guest, setting: Setting) -> str:
    """Set the sysctls; words on what went wrong, empty if nothing did."""
    lines = [
        f"echo '{value}' > /proc/sys/{name.replace('.', '/')} || exit 1"
        for name, value in suite.sysctls.items()
    ]
    answer = guest.run("\n".join(lines) or "true", _QUICK.scaled(setting.factor))
    if answer.status == 0:
        return ""
    return f"sysctls of {suite.name} could not be set: {' '.join(answer.output) or answer.ended}"


def _run(suite: Suite, command: Command, guest: Guest, setting: Setting) -> _Part:
    if command.needs in setting.absent:
        reason = f"{command.needs} was not built: {setting.absent[command.needs]}"
        case = Case(command.name, Verdict.SKIP, reason=reason)
        return _Part((case,), (_mark("end", suite, command),), Ended.EXIT, 0.0)
    planned = _planned(command, guest, setting)
    limits = Limits(suite.silence, command.timeout or suite.total).scaled(setting.factor)
    text = "\n".join(
        (
            _enter(setting),
            "leaks=/sys/kernel/debug/kmemleak; [ -w $leaks ] && echo clear > $leaks",
            f"echo '{_mark('begin', suite, command)}' > /dev/kmsg",
            f"( {command.run}\n)",
            "status=$?",
            _LEAKS,
            f"echo '{_mark('end', suite, command)}' > /dev/kmsg",
            "exit $status",
        )
    )
    answer = guest.run(text, limits)
    cases = PARSERS[command.parser](answer.output, status=answer.status, planned=planned)
    cases = tuple(_blame(case, answer) for case in cases)
    if not cases:
        reason = f"`{command.name}` ran no case at all"
        cases = (Case(command.name, Verdict.FAIL, reason=reason),)
    return _Part(cases, answer.console, answer.ended, answer.seconds)


def _planned(command: Command, guest: Guest, setting: Setting) -> Sequence[str]:
    if not command.list_tests:
        return command.planned
    answer = guest.run(f"{_enter(setting)}\n{command.list_tests}", _QUICK.scaled(setting.factor))
    return PARSERS.names(command.parser, answer.output)


def _enter(setting: Setting) -> str:
    known = f"export KZC_BIN='{setting.folder}' KZC_SLOWDOWN={setting.factor:.0f}"
    return f'{known}; cd "$KZC_BIN" || exit 1'


def _not_run(command: Command, before: _Part) -> _Part:
    names = command.planned or (command.name,)
    reason = f"the guest was gone before ({before.ended})"
    cases = tuple(Case(name, Verdict.NOT_RUN, reason=reason) for name in names)
    return _Part(cases, (), before.ended, 0.0)


def _blame(case: Case, answer: Answer) -> Case:
    """A case that was cut: say by what, and call a hang a timeout."""
    if case.verdict is not Verdict.CRASH or answer.ended is Ended.EXIT:
        return case
    if answer.ended in {Ended.SILENCE, Ended.TOTAL}:
        words = {Ended.SILENCE: "nothing was heard any more", Ended.TOTAL: "its time was up"}
        return replace(
            case,
            verdict=Verdict.TIMEOUT,
            reason=f"{words[answer.ended]} after {answer.seconds:.0f} s; tasks are in the log",
        )
    return replace(case, reason=f"the guest died here ({answer.ended})")


def _mark(word: str, suite: Suite, command: Command) -> str:
    return f"kzc: {word} {suite.name}/{command.name}"


def _fold(suite: Suite, parts: Iterable[_Part], rules: kernel_log.Rules) -> Outcome:
    parts = tuple(parts)
    cases = tuple(case for part in parts for case in part.cases)
    console = [line for part in parts for line in part.console]
    findings = kernel_log.scan(console, rules)
    verdict = worst(case.verdict for case in cases)
    said = []
    died = next((part.ended for part in parts if part.ended is not Ended.EXIT), Ended.EXIT)
    if died is Ended.EXIT and not _read_to_the_end(suite, parts):
        verdict = worst((verdict, Verdict.INFRA))
        said.append("the kernel log was not read to its end")
    if all(case.verdict in {Verdict.SKIP, Verdict.NOT_RUN} for case in cases):
        verdict = worst((verdict, Verdict.FAIL))
        said.append("no case was executed")
    if findings:
        dead = died in {Ended.PANIC, Ended.GONE}
        verdict = worst((verdict, Verdict.CRASH if dead else Verdict.FAIL))
        said.append(f"kernel log: {findings[0].text}")
    detail = {
        **kernel_log.evidence(findings),
        **({} if died is Ended.EXIT else {"ended": died.value}),
    }
    seconds = sum(part.seconds for part in parts)
    reason = "; ".join(said)
    return Outcome(Stage.TEST, suite.name, verdict, seconds, "", cases, detail, reason)


def _read_to_the_end(suite: Suite, parts: Sequence[_Part]) -> bool:
    for command, part in zip(suite.commands, parts, strict=True):
        mark = _mark("end", suite, command)
        if not any(line.endswith(mark) for line in part.console):
            return False
    return True
