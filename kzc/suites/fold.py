# SPDX-License-Identifier: GPL-2.0-only
"""What came of a suite's commands, folded into one outcome; for one guest and for a pair.

Every command is marked in the kernel logs before and after, so a log can be searched for what
happened in between; one without the closing mark was not read to its end and is no evidence.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from kzc.suites import kernel_log
from kzc.suites.lines import with_exit
from kzc.values import Case, Ended, Outcome, Stage, Verdict, worst

_LEAKS = "leaks=/sys/kernel/debug/kmemleak"
CLEAR_LEAKS = f"{_LEAKS}; [ -w $leaks ] && echo clear > $leaks"
# a leak shows only when it is looked for, and twice: the first scan may see it live;
# line by line, because /dev/kmsg takes no more in one write
FIND_LEAKS = f"""{_LEAKS}; [ -w $leaks ] && {{
echo scan > $leaks; echo scan > $leaks
while read -r line; do echo "kmemleak: $line" > /dev/kmsg; done < $leaks; }}"""
FULL = "kzc: no space left on /tmp"
# the fourth column of the second line
FIND_FULL = f"""df -P /tmp | {{ read -r line; read -r line line line free line
[ "$free" = 0 ] && echo '{FULL}' > /dev/kmsg; }}"""
SETTLES = 5
_FULL_KIND = "disk-full"
_UNREADABLE = "as root there, or after `sysctl kernel.dmesg_restrict=0`, it can be read"

DIED = {
    Ended.PANIC: "guest",
    Ended.GONE: "guest",
    Ended.KILLED: "guest",
    Ended.STALLED: "guest",
    Ended.SILENCE: "guest",
    Ended.TOTAL: "guest",
    Ended.HOST: "host",
    Ended.LOST: "connection to the host",
}
"""Who is not there any more after a command ended so."""
UNTESTED = frozenset({Ended.KILLED, Ended.STALLED, Ended.LOST})
"""Ends that say nothing about the code under test."""
GONE = frozenset({Ended.PANIC, Ended.GONE, Ended.HOST}) | UNTESTED
_ELSEWHERE = {
    Ended.KILLED: "a signal ended the guest's QEMU here, and no guest can send one",
    Ended.STALLED: "the guest's QEMU stood still here: it did not answer on its monitor either",
    Ended.LOST: "the connection to the host was lost here",
}


@dataclass(frozen=True)
class Log:
    """A kernel's log of the time of a command: its `end` (guest or host), its lines (None: it
    cannot be read), and the closing mark that has to be in it, empty if none could be written."""

    end: str
    lines: tuple[str, ...] | None
    mark: str = ""

    @property
    def whole(self) -> bool:
        """True when it was read to its end."""
        lines = self.lines or ()
        return not self.mark or any(line.endswith(self.mark) for line in lines)


@dataclass(frozen=True)
class Part:
    """What came of one command. Unless `ended` is EXIT, nothing more can be run after it."""

    cases: tuple[Case, ...]
    logs: tuple[Log, ...]
    ended: Ended
    seconds: float


def mark(word: str, path: str) -> str:
    """The line for the kernel log; `word` is begin or end."""
    return f"kzc: {word} {path}"


def write_mark(word: str, path: str) -> str:
    """The shell text for it; `path` has no quotes (names of manifests have none)."""
    return f"echo '{mark(word, path)}' > /dev/kmsg"


def settle(factor: float) -> str:
    """Shell text to wait for a mark that is late: a console is printed by whichever CPU holds its
    lock, and a busy machine may not run that one for a while. Done up to SETTLES times."""
    return f"sleep {0.5 * factor:.2f}"


def not_run(names: Sequence[str], ended: Ended) -> tuple[Case, ...]:
    """Cases of a command that nothing was left for."""
    reason = f"the {DIED[ended]} was gone before ({ended})"
    return tuple(Case(name, Verdict.NOT_RUN, reason=reason) for name in names)


def blame(cases: Sequence[Case], ended: Ended, seconds: float, who: str = "") -> tuple[Case, ...]:
    """Cases of a command that did not end by itself: the one that was cut says by what.

    A hang is a TIMEOUT, what no guest did is INFRA; when no case shows it, one named `exit` does.
    `who` names the end that did not answer, if not the guest.
    """
    if ended is Ended.EXIT:
        return tuple(cases)
    verdict, reason = _cut(ended, seconds, who)
    left = not_run(("",), ended)[0].reason if ended in GONE else ""
    found = []
    for case in cases:
        if case.verdict is Verdict.CRASH:
            case = replace(case, verdict=verdict, reason=reason)
        elif case.verdict is Verdict.NOT_RUN and left:
            case = replace(case, reason=left)
        found.append(case)
    return with_exit(found, reason, verdict)


def _cut(ended: Ended, seconds: float, who: str) -> tuple[Verdict, str]:
    if ended in _ELSEWHERE:
        return Verdict.INFRA, _ELSEWHERE[ended]
    if ended in {Ended.SILENCE, Ended.TOTAL}:
        words = {Ended.SILENCE: "nothing was heard any more", Ended.TOTAL: "its time was up"}
        where = f" on the {who}" if who else ""
        return Verdict.TIMEOUT, f"{words[ended]}{where} after {seconds:.0f} s; tasks are in the log"
    return Verdict.CRASH, f"the {DIED[ended]} died here ({ended})"


def fold(name: str, parts: Sequence[Part], rules: kernel_log.Rules) -> Outcome:
    """The outcome of a suite. A pair's findings say in front which end's log they are in."""
    died = next((part.ended for part in parts if part.ended is not Ended.EXIT), Ended.EXIT)
    found = _findings(parts, rules, died)
    findings = [finding for finding in found if not finding.known]
    cases = tuple(case for part in parts for case in part.cases)
    verdicts = [case.verdict for case in cases]
    said: list[str] = []
    hint = ""
    for end in _unread(parts, died):
        unreadable = any(log.lines is None for part in parts for log in part.logs if log.end == end)
        words = "cannot be read" if unreadable else "was not read to its end"
        said.append(f"{_whose(end)} {words}")
        hint = _UNREADABLE if unreadable else hint
        verdicts.append(Verdict.INFRA)
    if all(case.verdict in {Verdict.SKIP, Verdict.NOT_RUN} for case in cases):
        verdicts.append(Verdict.INFRA if died in UNTESTED else Verdict.FAIL)
        said.append("no case was executed")
    if findings:
        verdicts.append(_judge(findings, died))
        said.append(f"kernel log: {findings[0].text}")
    detail: dict[str, Any] = {
        **_signature(cases, died),
        **kernel_log.evidence(findings),
        **({} if died is Ended.EXIT else {"ended": died.value, "died": DIED[died]}),
        **({"hint": hint} if hint else {}),
    }
    seconds = sum(part.seconds for part in parts)
    reason = "; ".join(said)
    cases += _known(found)
    return Outcome(Stage.TEST, name, worst(verdicts), seconds, "", cases, detail, reason)


def _known(findings: Sequence[kernel_log.Finding]) -> tuple[Case, ...]:
    """A case for each fault of the kernel's that was met and is known."""
    met = {known.name: (known, each) for each in findings if (known := each.known)}
    return tuple(
        Case(
            f"kernel-log/{name}",
            Verdict.XFAIL,
            reason=known.why,
            detail={"signature": finding.signature, "said": finding.text},
        )
        for name, (known, finding) in met.items()
    )


def starved(cases: Sequence[Case], console: Sequence[str]) -> tuple[Case, ...]:
    """Cases of a command after which no space was left to write to: one that failed says nothing.

    That is the guest's lack, not the code's; but nothing passes by it.
    """
    if not any(line.endswith(FULL) for line in console):
        return tuple(cases)
    why = FULL.removeprefix("kzc: ")
    return tuple(
        replace(case, verdict=Verdict.INFRA, reason=f"{why}; {case.reason}".rstrip("; "))
        if case.verdict is Verdict.FAIL
        else case
        for case in cases
    )


def _judge(findings: Sequence[kernel_log.Finding], died: Ended) -> Verdict:
    if all(finding.kind == _FULL_KIND for finding in findings):
        return Verdict.INFRA
    return Verdict.CRASH if died in GONE - UNTESTED else Verdict.FAIL


def _signature(cases: Sequence[Case], died: Ended) -> dict[str, str]:
    """Of what no kernel log tells about: how it ended, and in which case."""
    blamed = [c for c in cases if c.verdict in {Verdict.CRASH, Verdict.TIMEOUT, Verdict.INFRA}]
    if died is not Ended.EXIT:
        return {"signature": f"{died}: {blamed[-1].name if blamed else ''}"}
    return {"signature": f"{blamed[0].verdict}: {blamed[0].name}"} if blamed else {}


def _whose(end: str) -> str:
    return f"the {end}'s kernel log" if end else "the kernel log"


def _ends(parts: Sequence[Part]) -> list[str]:
    return sorted({log.end for part in parts for log in part.logs})


def _unread(parts: Sequence[Part], died: Ended) -> list[str]:
    """Ends whose log was not read, though they were there to the last."""
    gone = DIED.get(died)
    if died is Ended.LOST or gone == "host":
        return []
    logs = [log for part in parts for log in part.logs if log.lines is None or not log.whole]
    found = sorted({log.end for log in logs})
    return [end for end in found if gone is None or end not in {"", gone}]


def _findings(
    parts: Sequence[Part], rules: kernel_log.Rules, died: Ended
) -> tuple[kernel_log.Finding, ...]:
    """Of every end's log, that of the one that died first."""
    found: list[kernel_log.Finding] = []
    for end in sorted(_ends(parts), key=lambda end: end != DIED.get(died)):
        logs = [log for part in parts for log in part.logs if log.end == end]
        findings = kernel_log.scan([line for log in logs for line in log.lines or ()], rules)
        found += [_of(end, finding) for finding in findings] if end else findings
    return tuple(found)


def _of(end: str, finding: kernel_log.Finding) -> kernel_log.Finding:
    return replace(finding, text=f"{end}: {finding.text}", signature=f"{end}: {finding.signature}")
