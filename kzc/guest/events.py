# SPDX-License-Identifier: GPL-2.0-only
"""What a kernel console says, as events: pure, a line in, at most one event out."""

from __future__ import annotations

import re
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
