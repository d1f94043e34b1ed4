# SPDX-License-Identifier: GPL-2.0-only
"""Where a hunk lands, and whether that is the place its author meant. Pure.

git takes a hunk at the nearest place where every line of its context is, however far that is and
whatever function it is in. The offset is git's own word for it; the function is found as git's
cpp driver finds it (userdiff.c; the kernel's .gitattributes sets diff=cpp), so that it can be
compared with what the hunk's `@@` line names.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from kzc.series.diff import FileDiff, Hunk

FAR = 500
"""Lines from its place at which a hunk is doubtful wherever it lands. Of the 27,952 places in
net/ and drivers/vhost that differ between 6.12.117 and 7.3.4, 94 % moved by less."""

_CHECKING = re.compile(r"Checking patch ")
_SUCCEEDED = re.compile(r"Hunk #(\d+) succeeded at (\d+)\b")
_AT = re.compile(r"@@ -(\d+)(?:,\d+)? \+(\d+)(?:,\d+)? @@ ?(.*)")
_LABEL = re.compile(r"[ \t]*[A-Za-z_][A-Za-z_0-9]*:\s*($|/[/*])")
_TOP_LEVEL = re.compile(r"(::\s*)?[A-Za-z_]")
_ANY_WORD = re.compile(r"[A-Za-z_$]")
_CALLED = re.compile(r"([A-Za-z_]\w*)\s*\(\s*([^,()]*)")
_QUALIFIERS = re.compile(r"\b(static|const|extern|inline|volatile|__\w+)\b\s*")
_C = (".c", ".h")


@dataclass(frozen=True)
class Landing:
    """`line` of the tree's file (from 1), `offset` from where the hunk says, the `function` there.

    `doubt` says in words why this may not be the place that was meant, empty if nothing speaks
    against it.
    """

    line: int
    offset: int
    function: str = ""
    doubt: str = ""


def succeeded(said: str) -> tuple[dict[int, int], ...]:
    """What `git apply --check -v` says of each file of a patch that applies: line by hunk number.

    A hunk that lands exactly where it says is not mentioned. Of a patch that does not apply git
    also prints the lines it looked for, which may hold anything: such output is not for here.
    """
    found: list[dict[int, int]] = []
    for line in said.splitlines():
        if _CHECKING.match(line):
            found.append({})
        elif (match := _SUCCEEDED.match(line)) and found:
            found[-1][int(match[1])] = int(match[2])
    return tuple(found)


def land_forward(
    file: FileDiff, lines: Sequence[str] | None, at: dict[int, int]
) -> tuple[Landing, ...]:
    """The places of a file's hunks that apply; `lines` are the tree's, `at` from `succeeded`.

    git counts in the file as the hunks before have made it; here a line is one of the tree.
    """
    found = []
    for number, hunk in enumerate(file.hunks, start=1):
        old, new, _ = header_of(hunk)
        offset = at.get(number, new or 1) - (new or 1)
        found.append(_judged(file.path, number, hunk, lines, old + offset))
    return tuple(found)


def land_backward(file: FileDiff, at: dict[int, int]) -> tuple[Landing, ...]:
    """The same for hunks that are there already, `at` from `git apply --check -v -R`."""
    found = []
    for number, hunk in enumerate(file.hunks, start=1):
        old, new, _ = header_of(hunk)
        offset = at.get(number, old or 1) - (old or 1)
        found.append(Landing(new + offset, offset))
    return tuple(found)


def land_alone(
    file: FileDiff, number: int, lines: Sequence[str] | None, at: dict[int, int]
) -> Landing:
    """The place of one hunk that was tried without the others; `number` counts from 1."""
    hunk = file.hunks[number - 1]
    _, new, _ = header_of(hunk)
    return _judged(file.path, number, hunk, lines, at.get(1, new))


def header_of(hunk: Hunk) -> tuple[int, int, str]:
    """Old and new line of a hunk's `@@` line, and the function it names (empty if none)."""
    match = _AT.match(hunk.header)
    return (int(match[1]), int(match[2]), match[3].strip()) if match else (hunk.start, 0, "")


def function_above(lines: Sequence[str], index: int) -> str:
    """The line that git's cpp driver would name for a hunk whose first line is `index` (from 0)."""
    return next((line for line in reversed(lines[: max(index, 0)]) if _is_function(line)), "")


def name_of(line: str) -> str:
    """What a person calls the function, structure or variable that begins in that line."""
    called = _CALLED.search(line)
    if called and "=" not in line[: called.start()]:
        word, first = called[1], called[2].strip()
        return f"{word}({first})" if word.isupper() or not called.start() else f"{word}()"
    plain = re.split(r"[={;\[]", line, maxsplit=1)[0]
    return " ".join(_QUALIFIERS.sub("", plain).split())


def _judged(path: str, number: int, hunk: Hunk, lines: Sequence[str] | None, line: int) -> Landing:
    old, _, named = header_of(hunk)
    offset = line - old
    before = hunk.before
    first = max(line - 1, 0)
    if lines is None or not before or tuple(lines[first : first + len(before)]) != before:
        return Landing(line, offset, doubt=_far(path, number, offset, "") if before else "")
    function = name_of(function_above(lines, first)) if path.endswith(_C) else ""
    if function != name_of(named) and _can_compare(path, hunk, named, lines[:first]):
        where = f"in {function}" if function else "above all functions"
        words = f"{path} hunk {number} lands {where}, its @@ line names {name_of(named)}"
        return Landing(line, offset, function, words + _lines_away(offset))
    return Landing(line, offset, function, _far(path, number, offset, function))


def _can_compare(path: str, hunk: Hunk, named: str, above: Sequence[str]) -> bool:
    """Whether the function above has to be the one of the `@@` line for the place to be right.

    Not where the hunk's own lines show in which function its first change is, or that it is in
    none; and not where the line was found by another rule than the cpp driver's.
    """
    if not path.endswith(_C) or not named or _shows_its_place(hunk):
        return False
    word = next((line for line in reversed(above) if _ANY_WORD.match(line)), "")
    full = function_above(above, len(above))
    return not word.startswith(named) and not full.startswith(named)


def _shows_its_place(hunk: Hunk) -> bool:
    for line in hunk.text.decode(errors="replace").split("\n")[1:]:
        mark, rest = line[:1], line[1:]
        if mark == "+":
            return False
        if _is_function(rest) or (mark == " " and rest.startswith("}")):
            return True
        if mark == "-":
            return False
    return False


def _far(path: str, number: int, offset: int, function: str) -> str:
    if abs(offset) < FAR:
        return ""
    where = f", in {function}" if function else ""
    return f"{path} hunk {number} lands {abs(offset)} lines from its place{where}"


def _lines_away(offset: int) -> str:
    return f", {abs(offset)} lines away" if abs(offset) >= FAR else ""


def _is_function(line: str) -> bool:
    return _TOP_LEVEL.match(line) is not None and not _LABEL.match(line)
