# SPDX-License-Identifier: GPL-2.0-only
"""Numbers that a patch wants where it finds no place, and that are given to others there. Pure.

This only explains why a patch does not fit; what does fit is judged by numbers.py.
"""

from __future__ import annotations

from kzc.series.diff import FileDiff, Hunk
from kzc.series.fit import locate
from kzc.series.uapi import Collision, find_collisions


def taken_numbers(file: FileDiff, text: str) -> tuple[Collision, ...]:
    """Collisions that the lines which the patch adds would make in a file with the content `text`,
    each hunk put where most of its context is."""
    lines = text.split("\n")
    for hunk in reversed(file.hunks):
        at = locate(hunk.before, lines, hunk.start - 1)
        at = _leading(hunk) + (hunk.start - 1 if at < 0 else at)
        lines[at:at] = _added(hunk)
    return find_collisions({file.path: text}, {file.path: "\n".join(lines)})


def _added(hunk: Hunk) -> list[str]:
    lines = hunk.text.decode(errors="replace").split("\n")[1:]
    return [line[1:] for line in lines if line.startswith("+")]


def _leading(hunk: Hunk) -> int:
    """Lines of context before the first change."""
    lines = hunk.text.decode(errors="replace").split("\n")[1:]
    return next((at for at, line in enumerate(lines) if line[:1] in ("+", "-")), 0)
