# SPDX-License-Identifier: GPL-2.0-only
"""Which patch of a newer version is which of an older one: by content and title, not by number.

Rule: patches with the same changes and the same title, found once on each side, are a pair. The
rest is assigned so that the sum of the cubed scores is the greatest, and no pair scores below
`LEAST`; cubed, because one sure pair says more than two doubtful ones. A score is made of the
lines in common (long ones count more than a lone brace), the titles and the files. Pure.
"""

from __future__ import annotations

import difflib
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from kzc.series.assign import assign
from kzc.series.changes import FileChanges, changes_of
from kzc.series.diff import find_diff
from kzc.series.message import Message, message_of
from kzc.values import Patch

LEAST = 0.3
"""The score below which two patches are different ones; the same title alone reaches it."""

_CONTENT, _TITLE, _FILES = 0.55, 0.35, 0.1
_ORDER = 1e-6
_LETTERS = re.compile(r"\w")
_LONGEST = 40


@dataclass(frozen=True)
class Read:
    """A patch taken apart: message, changes, how often it has each line, and what those say."""

    message: Message
    changes: tuple[FileChanges, ...]
    lines: Counter[str] = field(hash=False)
    weight: int

    @property
    def key(self) -> tuple[object, ...]:
        """Equal for patches with the same title that do the same."""
        return (self.message.title, tuple((file.path, file.texts) for file in self.changes))


def read_patch(patch: Patch) -> Read:
    """Take a patch apart. Raises DiffError where its diff is not well formed."""
    changes = changes_of(find_diff(patch.body))
    lines = Counter(text for file in changes for text in file.texts)
    return Read(message_of(patch), changes, lines, weight(lines))


def match(old: Sequence[Read], new: Sequence[Read]) -> tuple[tuple[int, int], ...]:
    """Pairs of indices (old, new), by old. What is in no pair was dropped, or is new."""
    sure = _same(old, new)
    taken = [{pair[side] for pair in sure} for side in (0, 1)]
    rows = [at for at in range(len(old)) if at not in taken[0]]
    columns = [at for at in range(len(new)) if at not in taken[1]]
    scores = [[_weighed(old, new, row, column) for column in columns] for row in rows]
    found = [(rows[row], columns[column]) for row, column in assign(scores)]
    return tuple(sorted([*sure, *found]))


def score(old: Read, new: Read) -> float:
    """How much two patches are the same one: 0 to 1."""
    titles = _titles(old.message.title, new.message.title)
    return _CONTENT * _content(old, new) + _TITLE * titles + _FILES * _files(old, new)


def weight(lines: Counter[str]) -> int:
    """What some lines of a patch say: letters and digits, of a long line the first 40."""
    return sum(count * worth(line) for line, count in lines.items())


def worth(line: str) -> int:
    """What one line says; never 0, so that a patch of empty lines is something too."""
    return 1 + min(len(_LETTERS.findall(line)), _LONGEST)


def _same(old: Sequence[Read], new: Sequence[Read]) -> list[tuple[int, int]]:
    keys = [[patch.key for patch in side] for side in (old, new)]
    return [
        (at, keys[1].index(key))
        for at, key in enumerate(keys[0])
        if keys[0].count(key) == 1 and keys[1].count(key) == 1
    ]


def _weighed(old: Sequence[Read], new: Sequence[Read], row: int, column: int) -> float:
    found = score(old[row], new[column])
    if found < LEAST:
        return 0.0
    # of equals those that stand at the same place
    apart = abs(row / len(old) - column / len(new))
    return float(found**3) + _ORDER * (1 - apart)


def _content(old: Read, new: Read) -> float:
    whole = old.weight + new.weight
    if old.lines.keys().isdisjoint(new.lines.keys()):
        return 0.0 if whole else 1.0
    return 2 * weight(old.lines & new.lines) / whole


def _files(old: Read, new: Read) -> float:
    paths = [{file.path for file in patch.changes} for patch in (old, new)]
    whole = len(paths[0]) + len(paths[1])
    return 2 * len(paths[0] & paths[1]) / whole if whole else 0.0


def _titles(old: str, new: str) -> float:
    """1 for the same title, 0 for those that have only half of their letters in common."""
    if old.casefold() == new.casefold():
        return 1.0
    ratio = difflib.SequenceMatcher(None, old.casefold(), new.casefold(), autojunk=False).ratio()
    return max(0.0, ratio - 0.5) * 2
