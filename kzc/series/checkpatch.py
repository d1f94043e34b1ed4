# SPDX-License-Identifier: GPL-2.0-only
"""What a tree's scripts/checkpatch.pl says of a mail. Pure: its output in, values out.

Only its own last line, which counts, proves that it came to the end.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

ARGV = ("perl", "scripts/checkpatch.pl", "--strict", "--show-types", "--color=never", "-")
"""How it is called at the top of a tree, the mail on stdin."""

_HEAD = re.compile(r"^(?P<kind>ERROR|WARNING|CHECK):(?:(?P<type>[A-Z0-9_]+):)? (?P<text>.*)$")
_PLACE = re.compile(r"^#\d+: FILE: (?P<file>.+):(?P<line>\d+):$")
_TOTAL = re.compile(r"^total: (\d+) errors?, (\d+) warnings?, (?:(\d+) checks?, )?\d+ lines")


@dataclass(frozen=True)
class Remark:
    """One remark: `kind` is error, warning or check; `file` is empty for the commit message."""

    kind: str
    type: str
    text: str
    file: str = ""
    line: int = 0


@dataclass(frozen=True)
class Checked:
    """All remarks in order, and what checkpatch counted; it counts one remark for each place."""

    remarks: tuple[Remark, ...]
    errors: int
    warnings: int
    checks: int

    @property
    def words(self) -> str:
        """`1 error, 0 warnings, 2 checks`."""
        amounts = ((self.errors, "error"), (self.warnings, "warning"), (self.checks, "check"))
        return ", ".join(f"{number} {noun}{'' if number == 1 else 's'}" for number, noun in amounts)


def parse(lines: Iterable[str]) -> Checked | None:
    """What it found, None where it did not come to its end."""
    remarks: list[Remark] = []
    for line in lines:
        if match := _HEAD.match(line):
            kind = match["kind"].lower()
            remarks.append(Remark(kind, match["type"] or "", match["text"]))
        elif remarks and not remarks[-1].file and (match := _PLACE.match(line)):
            last = remarks.pop()
            place = (match["file"], int(match["line"]))
            remarks.append(Remark(last.kind, last.type, last.text, *place))
        elif match := _TOTAL.match(line):
            numbers = (int(number or 0) for number in match.groups())
            return Checked(tuple(remarks), *numbers)
    return None
