# SPDX-License-Identifier: GPL-2.0-only
"""Numbers that a patch wants for new constants and that a header has given to others. Pure.

This only explains why a patch found no place; it judges nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from kzc.series.diff import FileDiff

_DEFINE = re.compile(r"\s*#\s*define\s+([A-Z][A-Z0-9_]*)\s+\(?(0[xX][0-9a-fA-F]+|\d+)[uUlL]*\b\)?")
# socket options and control messages count together
_FAMILIES = {"SCM": "SO"}


@dataclass(frozen=True)
class Taken:
    """The patch defines `name` as `number` in `file`, where the tree has `holder` with it."""

    file: str
    name: str
    number: str
    holder: str


def taken_numbers(file: FileDiff, text: str) -> tuple[Taken, ...]:
    """Constants that the patch adds to a file whose numbers it, with the content `text`, has
    under other names of the same family."""
    added = (
        line[1:]
        for hunk in file.hunks
        for line in hunk.text.decode(errors="replace").split("\n")
        if line.startswith("+")
    )
    have = {name: (value, shown) for name, value, shown in _defines(text.split("\n"))}
    holders = {(_family(name), value): name for name, (value, _) in have.items()}
    found = []
    for name, value, shown in _defines(added):
        holder = holders.get((_family(name), value))
        if holder and name not in have:
            found.append(Taken(file.path, name, shown, holder))
    return tuple(found)


def _defines(lines: Iterable[str]) -> Iterator[tuple[str, int, str]]:
    for line in lines:
        match = _DEFINE.match(line)
        if match:
            yield match[1], _value(match[2]), match[2]


def _value(number: str) -> int:
    """As C reads it: a leading 0 is octal, where the digits allow it."""
    if number[:2].lower() == "0x":
        return int(number, 16)
    octal = number.startswith("0") and not {"8", "9"} & {*number}
    return int(number, 8 if octal else 10)


def _family(name: str) -> str:
    word = name.partition("_")[0]
    return _FAMILIES.get(word, word)
