# SPDX-License-Identifier: GPL-2.0-only
"""What a diff changes, without where: its own + and - lines, by file. Pure.

Line numbers, blob ids and context are left out, so that the same change on another base is equal.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass

from kzc.series.diff import FileDiff, Hunk, parse_diff

_AFTER = re.compile(r"@@ [^@]*@@ ?(.*)")
_LETTERS = re.compile(r"\w")
# of a head only what says more than the name: modes, renames, that a file is new or gone
_TOLD = ("new file", "deleted file", "old mode", "new mode", "rename ", "copy ")


@dataclass(frozen=True)
class Line:
    """One + or - line with its mark, or a line of the head (a mode, a rename).

    `function` is what the `@@` line names, `near` the context lines above and below it that say
    something.
    """

    text: str
    function: str = ""
    near: tuple[str, ...] = ()


@dataclass(frozen=True)
class FileChanges:
    """What is done to one file, in the order of the diff."""

    path: str
    lines: tuple[Line, ...]

    @property
    def texts(self) -> tuple[str, ...]:
        """The lines alone."""
        return tuple(line.text for line in self.lines)


def changes_of(diff: bytes) -> tuple[FileChanges, ...]:
    """The changes of a diff, by path. Raises DiffError where it is not well formed."""
    found: dict[str, list[Line]] = {}
    for file in parse_diff(diff):
        found.setdefault(file.path, []).extend(_lines(file))
    return tuple(FileChanges(path, tuple(found[path])) for path in sorted(found))


def _lines(file: FileDiff) -> list[Line]:
    told = [Line(text) for text in _head(file.head)]
    return told + [line for hunk in file.hunks for line in _changed(hunk)]


def _head(head: bytes) -> list[str]:
    if b"GIT binary patch" in head:
        content = head.partition(b"GIT binary patch")[2]
        return [f"binary content {hashlib.sha256(content).hexdigest()[:12]}"]
    lines = head.decode(errors="replace").splitlines()
    binary = any(line.startswith("Binary files ") for line in lines)
    told = (*_TOLD, "Binary files ", "index ") if binary else _TOLD
    return [line for line in lines if line.startswith(told)]


def _changed(hunk: Hunk) -> list[Line]:
    texts = hunk.text.decode(errors="replace").split("\n")[1:-1]
    after = _AFTER.match(hunk.header)
    function = after[1].strip() if after else ""
    above, below = _context(texts), _context(texts[::-1])[::-1]
    found: list[Line] = []
    for at, text in enumerate(texts):
        if text[:1] in ("+", "-"):
            near = tuple(each for each in (above[at], below[at]) if each)
            found.append(Line(text, function, near))
        elif text.startswith("\\") and texts[at - 1][:1] in ("+", "-"):
            found.append(Line(text, function))
    return found


def _context(texts: Sequence[str]) -> list[str]:
    """For each line the nearest context line before it that says something (no lone brace)."""
    found, last = [], ""
    for text in texts:
        if text[:1] == " " and len(_LETTERS.findall(text)) > 2:
            last = text.strip()
        found.append(last)
    return found
