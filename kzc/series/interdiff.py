# SPDX-License-Identifier: GPL-2.0-only
"""What the newer of two diffs does otherwise: two diffs in, lines out. Pure.

Compared are the + and - lines of each file (see changes.py). A line that stayed but went to
another function, with other lines around it, is told as moved.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from kzc.series.align import equal_blocks
from kzc.series.changes import FileChanges, Line

_CONTEXT = 2


class Mark(StrEnum):
    """CAME: only the newer patch has the line; GONE: only the older; STAYED: both, for context.

    MOVED: both have the lines that follow, but at another place; the text says from where.
    """

    CAME = "+"
    GONE = "-"
    STAYED = " "
    MOVED = ">"


@dataclass(frozen=True)
class Delta:
    """A line of a patch, with the patch's own mark in front of its text."""

    mark: Mark
    text: str
    function: str = ""


@dataclass(frozen=True)
class FileDelta:
    """How one file's changes differ; `before` is its older name where that was another.

    `elsewhere` is the place from 1 on of the patch of the other version that does all that to the
    file, 0 where none does; compare.py finds it.
    """

    path: str
    lines: tuple[Delta, ...]
    before: str = ""
    elsewhere: int = 0

    @property
    def came(self) -> int:
        """How many lines only the newer patch has."""
        return sum(line.mark is Mark.CAME for line in self.lines)

    @property
    def marks(self) -> frozenset[Mark]:
        """Only GONE: the newer patch does not touch the file; only CAME: the older did not."""
        return frozenset(line.mark for line in self.lines)

    @property
    def gone(self) -> int:
        """How many lines only the older patch has."""
        return sum(line.mark is Mark.GONE for line in self.lines)


def interdiff(
    old: Sequence[FileChanges], new: Sequence[FileChanges], context: int = _CONTEXT
) -> tuple[FileDelta, ...]:
    """The files whose changes differ, with `context` lines that stayed; empty if none does."""
    found = []
    for before, after in _paired(old, new):
        renamed = before.path if before.path != after.path else ""
        lines = tuple(_deltas(before.lines, after.lines, context))
        if lines or renamed:
            found.append(FileDelta(after.path, lines, renamed))
    return tuple(sorted(found, key=lambda file: file.path))


def _paired(
    old: Sequence[FileChanges], new: Sequence[FileChanges]
) -> Iterator[tuple[FileChanges, FileChanges]]:
    """Files by path; of what is left a file with mostly the same lines was renamed."""
    left = {file.path: file for file in old}
    fresh = []
    for file in new:
        if file.path in left:
            yield left.pop(file.path), file
        else:
            fresh.append(file)
    for file in fresh:
        near = max(left.values(), key=lambda other: _likeness(other, file), default=None)
        if near is not None and _likeness(near, file) > 0.5:
            yield left.pop(near.path), file
        else:
            yield FileChanges(file.path, ()), file
    for file in left.values():
        yield file, FileChanges(file.path, ())


def _likeness(one: FileChanges, other: FileChanges) -> float:
    return difflib.SequenceMatcher(None, one.texts, other.texts).quick_ratio()


def _deltas(old: Sequence[Line], new: Sequence[Line], context: int) -> Iterator[Delta]:
    blocks = equal_blocks([line.text for line in old], [line.text for line in new])
    all_lines: list[Delta] = []
    at = to = 0
    for first, other, count in (*blocks, (len(old), len(new), 0)):
        all_lines += [Delta(Mark.GONE, line.text, line.function) for line in old[at:first]]
        all_lines += [Delta(Mark.CAME, line.text, line.function) for line in new[to:other]]
        at, to = first + count, other + count
        all_lines += _stayed(old[first:at], new[other:to])
    telling = [at for at, line in enumerate(all_lines) if line.mark is not Mark.STAYED]
    shown = {near for at in telling for near in range(at - context, at + context + 1)}
    return (line for at, line in enumerate(all_lines) if at in shown)


def _stayed(old: Sequence[Line], new: Sequence[Line]) -> Iterator[Delta]:
    """Equal lines; before those that went to another function a line that says so."""
    last = ("", "")
    for before, after in zip(old, new, strict=True):
        places = (before.function, after.function)
        elsewhere = before.function != after.function and not set(before.near) & set(after.near)
        if elsewhere and places != last:
            yield Delta(Mark.MOVED, f"was in {before.function or 'no function'}", after.function)
        last = places if elsewhere else ("", "")
        yield Delta(Mark.STAYED, after.text, after.function)
