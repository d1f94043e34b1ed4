# SPDX-License-Identifier: GPL-2.0-only
"""Two versions of a series side by side: what became of each patch. Pure.

Matching is matching.py's, the difference of two patches interdiff.py's and message.py's.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from kzc.errors import UsageError
from kzc.series.align import longest_rise
from kzc.series.diff import DiffError
from kzc.series.interdiff import FileDelta, Mark, interdiff
from kzc.series.matching import Read, match, read_patch, weight, worth
from kzc.series.message import MessageDelta, compare_messages, compare_texts
from kzc.values import Series

_SAME = MessageDelta()
_SHARE, _MOST = 0.2, 0.5


class What(StrEnum):
    """What became of a patch. MESSAGE: only title, author, text or trailers changed."""

    UNCHANGED = "unchanged"
    MESSAGE = "message"
    CHANGED = "changed"
    NEW = "new"
    DROPPED = "dropped"


@dataclass(frozen=True)
class Share:
    """`lines` of a patch are in patch `number` of the other version."""

    number: int
    lines: int


@dataclass(frozen=True)
class Pair:
    """A patch in both versions; `old` and `new` are places from 1 on, 0 where it is not.

    `moved` says that it stands in another order to the others, which a mere new number does not.
    `went` is where most of the lines that are gone from it are now, `came_from` where most of
    those that came into it were.
    """

    what: What
    old: int
    new: int
    title: str
    moved: bool = False
    message: MessageDelta = _SAME
    files: tuple[FileDelta, ...] = ()
    went: tuple[Share, ...] = ()
    came_from: tuple[Share, ...] = ()

    @property
    def came(self) -> int:
        """Lines that only the newer patch has."""
        return sum(file.came for file in self.files)

    @property
    def gone(self) -> int:
        """Lines that only the older patch has."""
        return sum(file.gone for file in self.files)


@dataclass(frozen=True)
class Comparison:
    """The pairs in the order of the newer version, a dropped one where it stood; `cover` is a
    short diff of the cover letters."""

    pairs: tuple[Pair, ...]
    cover: tuple[str, ...] = ()


def compare_series(old: Series, new: Series) -> Comparison:
    """What became of each patch of `old` in `new`, and what is new in it.

    Raises UsageError where a patch's diff cannot be read.
    """
    before, after = _read(old), _read(new)
    pairs = match(before, after)
    moved = _out_of_order(pairs)
    partner = dict(pairs)
    back = {column: row for row, column in pairs}
    traffic = _Traffic(before, after, partner)
    found = []
    for row, column in pairs:
        pair = _pair(before, after, row, column)
        found.append(traffic.on(pair, row, column, moved=(row, column) in moved))
    for row, patch in enumerate(before):
        if row not in partner:
            gone = Pair(What.DROPPED, row + 1, 0, patch.message.title)
            found.append(traffic.on(gone, row, None))
    for column, patch in enumerate(after):
        if column not in back:
            came = Pair(What.NEW, 0, column + 1, patch.message.title)
            found.append(traffic.on(came, None, column))
    cover = compare_texts(old.cover.splitlines(), new.cover.splitlines())
    return Comparison(_ordered(found), cover)


def _read(series: Series) -> list[Read]:
    found = []
    for patch in series.patches:
        try:
            found.append(read_patch(patch))
        except DiffError as error:
            raise UsageError(f"{series.name}: patch {patch.number}: {error}") from error
    return found


def _pair(before: Sequence[Read], after: Sequence[Read], row: int, column: int) -> Pair:
    old, new = before[row], after[column]
    files = tuple(
        replace(file, elsewhere=_elsewhere(file, before, after))
        for file in interdiff(old.changes, new.changes)
    )
    message = compare_messages(old.message, new.message)
    what = What.CHANGED if files else What.MESSAGE if message else What.UNCHANGED
    return Pair(what, row + 1, column + 1, new.message.title, message=message, files=files)


def _elsewhere(file: FileDelta, before: Sequence[Read], after: Sequence[Read]) -> int:
    """The patch of the other version that does to the file all that this one does alone."""
    others = {frozenset({Mark.GONE}): after, frozenset({Mark.CAME}): before}.get(file.marks, ())
    texts = tuple(line.text for line in file.lines)
    for number, other in enumerate(others, start=1):
        if any(each.path == file.path and each.texts == texts for each in other.changes):
            return number
    return 0


def _out_of_order(pairs: Sequence[tuple[int, int]]) -> set[tuple[int, int]]:
    """The fewest pairs without which the others keep their order."""
    return set(pairs) - set(longest_rise(pairs))


def _ordered(pairs: Iterable[Pair]) -> tuple[Pair, ...]:
    """By new number; a dropped one behind the pair that stood before it in the older version."""
    pairs = list(pairs)
    found = sorted((pair for pair in pairs if pair.new), key=lambda pair: pair.new)
    for pair in sorted((pair for pair in pairs if not pair.new), key=lambda pair: pair.old):
        before = [at for at, other in enumerate(found) if other.old == pair.old - 1]
        found.insert(before[0] + 1 if pair.old > 1 and before else 0, pair)
    return tuple(found)


class _Traffic:
    """Which lines left a patch, which came into one, and whose they are in the other version."""

    def __init__(self, old: Sequence[Read], new: Sequence[Read], partner: dict[int, int]) -> None:
        back = {column: row for row, column in partner.items()}
        empty = Counter[str]()
        self._gone = [
            patch.lines - (new[partner[row]].lines if row in partner else empty)
            for row, patch in enumerate(old)
        ]
        self._came = [
            patch.lines - (old[back[column]].lines if column in back else empty)
            for column, patch in enumerate(new)
        ]

    def on(self, pair: Pair, row: int | None, column: int | None, *, moved: bool = False) -> Pair:
        """The pair with where its lines went and came from."""
        went = _shares(self._gone[row], self._came, column) if row is not None else ()
        came = _shares(self._came[column], self._gone, row) if column is not None else ()

        return replace(pair, moved=moved, went=went, came_from=came)


def _shares(
    lines: Counter[str], others: Sequence[Counter[str]], own: int | None
) -> tuple[Share, ...]:
    """The patches that have most of the lines, if a few of them do; the greatest share first."""
    whole = weight(lines)
    common = [(at, lines & other) for at, other in enumerate(others) if at != own]
    large = [(weight(part), at, part) for at, part in common if weight(part) >= _SHARE * whole > 0]
    if not large or sum(part for part, _, _ in large) < _MOST * whole:
        return ()
    large.sort(key=lambda each: (-each[0], each[1]))
    return tuple(Share(at + 1, _telling(part)) for _, at, part in large if _telling(part))


def _telling(lines: Counter[str]) -> int:
    return sum(count for line, count in lines.items() if worth(line) > 3)
