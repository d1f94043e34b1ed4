# SPDX-License-Identifier: GPL-2.0-only
"""Which lines of two texts are the same ones, in bounded time. Pure.

difflib's time grows with the pairs of equal lines: a patch of some thousand lines, half of them
braces, takes it minutes. So where there are too many pairs, lines that stand once on each side
part the texts first (patience diff), and a part without such lines is taken as all replaced.
"""

from __future__ import annotations

import difflib
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence

_PAIRS, _DEPTH = 100_000, 8

Block = tuple[int, int, int]
"""Where equal lines begin in the older and the newer text, and how many they are."""


def equal_blocks(old: Sequence[str], new: Sequence[str], depth: int = _DEPTH) -> Iterator[Block]:
    """Blocks of equal lines, in order, not empty; `depth` is how often texts may be parted."""
    ahead = _common(old, new)
    end = _common(old[ahead:][::-1], new[ahead:][::-1])
    if ahead:
        yield 0, 0, ahead
    for at, to, count in _inner(old[ahead : len(old) - end], new[ahead : len(new) - end], depth):
        yield at + ahead, to + ahead, count
    if end:
        yield len(old) - end, len(new) - end, end


def longest_rise(pairs: Sequence[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    """Of pairs in the order of their first number the most whose second numbers rise too."""
    ends: list[int] = []
    ranks = []
    for _, second in pairs:
        rank = bisect_left(ends, second)
        ends[rank : rank + 1] = [second]
        ranks.append(rank)
    kept, wanted = [], len(ends) - 1
    for pair, rank in zip(reversed(pairs), reversed(ranks), strict=True):
        if rank == wanted:
            kept.append(pair)
            wanted -= 1
    return tuple(reversed(kept))


def _common(old: Sequence[str], new: Sequence[str]) -> int:
    """How many lines are equal from the beginning on."""
    for count, (one, other) in enumerate(zip(old, new, strict=False)):
        if one != other:
            return count
    return min(len(old), len(new))


def _inner(old: Sequence[str], new: Sequence[str], depth: int) -> Iterator[Block]:
    counts = Counter(old), Counter(new)
    if sum(count * counts[1][line] for line, count in counts[0].items()) <= _PAIRS:
        matcher = difflib.SequenceMatcher(None, old, new, autojunk=False)
        yield from ((at, to, size) for at, to, size in matcher.get_matching_blocks() if size)
        return
    if not depth:
        return
    once = {line for line, count in counts[0].items() if count == 1 == counts[1][line]}
    places = {line: at for at, line in enumerate(new) if line in once}
    anchors = longest_rise([(at, places[line]) for at, line in enumerate(old) if line in once])
    at = to = 0
    for anchor, other in anchors:
        for block in equal_blocks(old[at:anchor], new[to:other], depth - 1):
            yield block[0] + at, block[1] + to, block[2]
        yield anchor, other, 1
        at, to = anchor + 1, other + 1
    if anchors:
        for block in equal_blocks(old[at:], new[to:], depth - 1):
            yield block[0] + at, block[1] + to, block[2]
