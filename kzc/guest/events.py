# SPDX-License-Identifier: GPL-2.0-only
"""What a kernel console says, as events: pure, a line in, at most one event out."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What a console line stands for."""

    BOOTED = "booted"
    BEGIN = "begin"
    END = "end"
    SPLAT = "splat"
    PANIC = "panic"


@dataclass(frozen=True)
class Event:
    """One noteworthy console line; `text` is without time stamp and caller."""

    kind: Kind
    text: str


_STAMP = re.compile(r"^(?:<\d+>)?(?:\[\s*\d+\.\d+\](?:\[\s*[TC]\d+\])?\s?)?")
_MARK = re.compile(r"^kzc: (begin|end) (.*)$")
# first match wins; the patterns are anchored so that a message that only quotes one is no event
_RULES: tuple[tuple[Kind, re.Pattern[str]], ...] = (
    (Kind.PANIC, re.compile(r"^Kernel panic - not syncing")),
    (Kind.SPLAT, re.compile(r"^(?:BUG|WARNING|KASAN|UBSAN|Oops|general protection fault)\b[:\s,]")),
    (Kind.SPLAT, re.compile(r"^INFO: (?:task .* blocked|rcu.*detected stall)")),
    (Kind.SPLAT, re.compile(r"^watchdog: BUG: ")),
    (Kind.BOOTED, re.compile(r"^Run \S+ as init process")),
)

# interrupts are off there, and the stack is the user's: a CPU delivers nothing that would use it
_NO_EVENT = re.compile(r"\bRIP: 0010:entry_(?:SYSCALL_64|SYSRETQ)\w*\+0x")


def strip_stamp(line: str) -> str:
    """The message without `[    1.234567][   T12] ` in front."""
    return _STAMP.sub("", line, count=1)


def event(line: str) -> Event | None:
    """The event that a console line is, if any."""
    text = strip_stamp(line)
    if mark := _MARK.match(text):
        return Event(Kind(mark.group(1)), mark.group(2))
    for kind, pattern in _RULES:
        if pattern.match(text):
            return Event(kind, text)
    return None


def misplaced(lines: Iterable[str]) -> bool:
    """Whether a kernel died of an event in the first or last instructions of a system call, which
    QEMU's emulated SVM delivers now and then, and no CPU does."""
    said = [strip_stamp(line) for line in lines]
    faults = [number for number, line in enumerate(said) if "PANIC: double fault" in line]
    return bool(faults) and any(_NO_EVENT.search(line) for line in said[faults[0] :])
