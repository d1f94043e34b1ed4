# SPDX-License-Identifier: GPL-2.0-only
"""Searches a kernel log for what a healthy kernel does not say. Pure but for reading its rules.

What to look for, what to let pass and which frames only report are data:
selftests/kernel-log.toml. A line that matches opens a finding, which takes the lines that belong
to its splat; a panic or an Oops that follows from a finding is part of that finding.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from kzc.errors import UsageError
from kzc.suites.fault_log import reports
from kzc.suites.words import first_problem

_LINES = 160
_UNTRACED = 4
_FRAMES = 5
_FRAME = re.compile(
    r"(?:kmemleak:)?\s*(?:\[<\w+>\] )?(\? )?([A-Za-z_][\w.]*)\+0x[0-9a-f]+/0x[0-9a-f]+"
    r"(?: \[[^\]]+\])?\s*$"
)
_POINTER = re.compile(r"(?:RIP: 0010:|pc : )([A-Za-z_][\w.]*)\+0x")
_TRACE = re.compile(r"Call [Tt]race:|(?:kmemleak:)?\s*backtrace(?: \(|:)")
# what a tty still had to print may stand in front of it, and no timestamp between them
_MARK = re.compile(r"kzc: (begin|end) (\S.*)$")
_CUT_HERE = "[ cut here ]"
_SPLIT_OFF = re.compile(r"(?:\.(?:isra|constprop|part|cold|llvm)(?:\.\d+)*)+$")
_OVER = re.compile(r"---\[ end |={40,}$")
# what a splat still prints after its trace
_TAIL = re.compile(
    r"\s*$| ?</?(?:TASK|IRQ|NMI|SOFTIRQ|EXCEPTION|#DF)>|Call [Tt]race:|\s*(?:\? )?(?:[\w.]+\+)?0x"
    r"|---\[|Modules linked in|Code: |(?:RIP|RSP|RAX|RBP|R1\d|R0\d|RDX|FS|CS|CR2|DR\d|PKRU|CPU): ?"
    r"|Kernel Offset|Hardware name|RIP |ORIG_|Allocated by|Freed by|The buggy|Memory state"
    r"|Last potentially|Second to last|page dumped|page:|flags: |raw: |[ >][0-9a-f]{12,}:"
    r"|\s+\^|Dumping ftrace|Rebooting|irq event|hardirqs last|softirqs last|Showing all locks"
    r"|\d+ locks? held| #\d+: |Tainted: |Workqueue: |Sending NMI|NMI backtrace|rcu: |task:"
    r"|Stopper: |INFO: NMI handler"
)
_VARIABLE = re.compile(r"0x[0-9a-f]+|\b[0-9a-f]{8,}\b|\b\d+(?:\.\d+)?\b|(?<=\w)#\d+|\+0x\S+")


class Deny(BaseModel):
    """A kind of line that is a fault; up to `follows` lines below a finding (of the kind `after`,
    if it is said) part of that one. One that `announces` is none where as many as it says, in the
    pattern's group, are told below it while the same command runs."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    kind: str = Field(min_length=1)
    pattern: re.Pattern[str]
    why: str = Field(min_length=1)
    follows: int = Field(default=0, ge=0)
    after: str = ""
    announces: bool = False


class Allow(BaseModel):
    """A line that is none, though a deny pattern matches it."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    pattern: re.Pattern[str]
    why: str = Field(min_length=1)


class Known(BaseModel):
    """A fault of the kernel's that is known, by what its splat says: the pattern is searched in
    its lines, joined by newlines. `why` says whose it is; it is one no more in trees that show the
    marks of the carried series `mended_by`."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$")
    kind: str = Field(min_length=1)
    pattern: re.Pattern[str]
    why: str = Field(min_length=1)
    mended_by: str = Field(min_length=1)


class Rules(BaseModel):
    """What to look for in a kernel log.

    `helpers` are whole names of functions that only report; a trace that comes out of one of
    `bystanders` is of a task or CPU that was only asked, and not the signature if there is another.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    deny: tuple[Deny, ...] = Field(min_length=1)
    allow: tuple[Allow, ...] = ()
    helpers: tuple[re.Pattern[str], ...] = ()
    bystanders: tuple[re.Pattern[str], ...] = ()
    known: tuple[Known, ...] = ()

    def knowing(self, known: Sequence[Known]) -> Rules:
        """The rules where these faults are known."""
        return self.model_copy(update={"known": (*self.known, *known)})

    def without(self, kinds: Collection[str]) -> Rules:
        """The rules for where findings of these kinds say nothing."""
        deny = tuple(rule for rule in self.deny if rule.kind not in kinds)
        return self.model_copy(update={"deny": deny})

    @field_validator("deny")
    @classmethod
    def _says_how_many(cls, rules: tuple[Deny, ...]) -> tuple[Deny, ...]:
        for rule in rules:
            if rule.announces and rule.pattern.groups != 1:
                raise ValueError(f"the pattern {rule.pattern.pattern!r} announces, without a group")
        return rules

    @field_validator("deny", "allow")
    @classmethod
    def _not_everything(cls, rules: tuple[Deny | Allow, ...]) -> tuple[Deny | Allow, ...]:
        for rule in rules:
            if rule.pattern.search(""):
                raise ValueError(f"the pattern {rule.pattern.pattern!r} matches an empty line")
        return rules


@dataclass(frozen=True)
class Finding:
    """A fault in a kernel log: the line (from 1) that tells it, the lines of its splat, and which
    suite's command was running (SUITE/COMMAND, empty if none was).

    `signature` is the same for the same fault in another boot: the kind and the top five frames
    after those that only report it; without a trace, the text without its numbers. `known` is the
    rule that knows it, if one does.
    """

    kind: str
    line_number: int
    text: str
    signature: str
    excerpt: tuple[str, ...]
    during: str = ""
    known: Known | None = None


@dataclass
class _Open:
    rule: Deny
    number: int
    text: str
    lines: list[str]
    during: str = ""
    over: bool = False
    traced: bool = False
    sealed: bool = False

    @property
    def kind(self) -> str:
        return self.rule.kind


def load_rules(path: Path) -> Rules:
    """Raises UsageError naming file and field."""
    try:
        return Rules.model_validate(tomllib.loads(path.read_text()))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(f"{path}: {error}") from None
    except ValidationError as error:
        raise UsageError(f"{path}: {first_problem(error)}") from None


def scan(lines: Iterable[str], rules: Rules) -> tuple[Finding, ...]:
    """Findings in order, the first of each signature, known or not. `lines` with or without
    timestamps."""
    sieve = re.compile("|".join(f"(?:{rule.pattern.pattern})" for rule in rules.deny))
    found: list[_Open] = []
    during = ""
    for number, (injected, text) in enumerate(reports(lines), 1):
        if injected:
            continue
        current = found[-1] if found else None
        rule = _denied(text, rules) if sieve.search(text) else None
        if "kzc: " in text and (mark := _MARK.search(text)):
            during = mark[2] if mark[1] == "begin" else ""
        if current and _CUT_HERE in text:
            current.over = current.sealed = True
        elif rule and not (current and _follows(rule, current, number)):
            found.append(_Open(rule, number, text.strip(), [text], during))
        elif current and (rule or not current.over):
            _extend(current, text, forced=rule is not None)
    first: dict[tuple[str, Known | None], Finding] = {}
    for at, entry in enumerate(found, 1):
        if entry.rule.announces and _all_told(entry, found[at:]):
            continue
        finding = _finding(entry, rules)
        first.setdefault((finding.signature, finding.known), finding)
    return tuple(first.values())


def _all_told(entry: _Open, below: Sequence[_Open]) -> bool:
    """Whether all that it announces is told: what is not may be another fault than those."""
    said = entry.rule.pattern.search(entry.text)
    alike = [each for each in below if (each.kind, each.during) == (entry.kind, entry.during)]
    return said is not None and sum(not each.rule.announces for each in alike) >= int(said[1])


def _follows(rule: Deny, current: _Open, number: int) -> bool:
    if current.sealed or rule.after not in {"", current.kind}:
        return False
    return number - current.number <= rule.follows


def _denied(text: str, rules: Rules) -> Deny | None:
    rule = next((rule for rule in rules.deny if rule.pattern.search(text)), None)
    if rule and any(allow.pattern.search(text) for allow in rules.allow):
        return None
    return rule


def _extend(entry: _Open, text: str, *, forced: bool) -> None:
    if not forced and (len(entry.lines) >= _LINES or (entry.traced and not _TAIL.match(text))):
        entry.over = True
        return
    entry.lines.append(text)
    entry.traced = entry.traced or text.strip() == "</TASK>"
    entry.over = len(entry.lines) > 3 and _OVER.match(text) is not None


def _finding(entry: _Open, rules: Rules) -> Finding:
    while len(entry.lines) > 1 and not entry.lines[-1].strip():
        entry.lines.pop()
    traced = any(_TRACE.match(line) or _FRAME.match(line) for line in entry.lines)
    # nothing marks where a finding without a trace ends
    excerpt = entry.lines if traced else entry.lines[:_UNTRACED]
    signature = f"{entry.kind}: {_signature(entry, rules)}"
    known = next((known for known in rules.known if _knows(known, entry)), None)
    return Finding(
        entry.kind, entry.number, entry.text, signature, tuple(excerpt), entry.during, known
    )


def _knows(known: Known, entry: _Open) -> bool:
    return known.kind == entry.kind and known.pattern.search("\n".join(entry.lines)) is not None


def _signature(entry: _Open, rules: Rules) -> str:
    traces = [trace for trace in _traces(entry.lines, rules.helpers) if trace]
    for trace in traces:
        if not any(name.fullmatch(frame) for name in rules.bystanders for frame in trace[:1]):
            return " < ".join(trace[:_FRAMES])
    return " < ".join(traces[0][:_FRAMES]) if traces else _VARIABLE.sub("N", entry.text)


def _traces(lines: Sequence[str], helpers: Sequence[re.Pattern[str]]) -> list[list[str]]:
    """The traces of a splat, innermost function first, without helpers and unreliable frames."""
    traces: list[list[str]] = [[]]
    tracing = False
    for line in lines:
        frame = _FRAME.match(line) if tracing else None
        if tracing and line.strip() in {"</TASK>", ""}:
            traces.append([])
            tracing = False
        elif _TRACE.match(line):
            if tracing:
                traces.append([])
            tracing = True
        elif not tracing and not traces[-1] and (pointer := _POINTER.match(line)):
            traces[-1].append(_SPLIT_OFF.sub("", pointer[1]))
        elif frame and not frame[1]:
            name = _SPLIT_OFF.sub("", frame[2])
            if traces[-1][-1:] != [name]:
                traces[-1].append(name)
    return [_without(trace, helpers) for trace in traces]


def _without(trace: Sequence[str], helpers: Sequence[re.Pattern[str]]) -> list[str]:
    first = next(
        (n for n, name in enumerate(trace) if not any(h.fullmatch(name) for h in helpers)),
        len(trace),
    )
    return list(trace[first:])


def evidence(findings: Sequence[Finding]) -> dict[str, Any]:
    """Findings as an Outcome's detail holds them; the first one is also the signature."""
    if not findings:
        return {}
    first = findings[0]
    return {
        "signature": first.signature,
        "excerpt": list(first.excerpt),
        **({"during": first.during} if first.during else {}),
        "findings": [_told(finding) for finding in findings],
    }


def _told(finding: Finding) -> str:
    where = f" during {finding.during}" if finding.during else ""
    return f"{finding.kind}{where}: {finding.text} [{finding.signature}]"
