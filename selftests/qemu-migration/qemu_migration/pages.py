# SPDX-License-Identifier: GPL-2.0-only
"""What is in the migrated guest's memory, page by page, and how it differs from what should be.

All of it follows from a seed: no page is zero or like another, and each version of a page that is
written later is a text of its own, so a page that differs says which one it is. Pure.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

PAGE = 4096
_CHUNK = 1 << 20


def filled(seed: int, size: int) -> bytes:
    """`size` bytes of memory as it is before anybody writes to it."""
    return random.Random(seed).randbytes(size)


def version(seed: int, page: int, number: int) -> bytes:
    """What the `number`th write (from 1) puts into a page."""
    return random.Random(f"{seed} {page} {number}").randbytes(PAGE)


@dataclass(frozen=True)
class Expected:
    """`ground` is the memory before the first write, `written` the number of writes by page."""

    seed: int
    ground: bytes
    written: Mapping[int, int]

    def page(self, page: int, number: int | None = None) -> bytes:
        """A page after its last write, or after its `number`th (0: before the first)."""
        number = self.written.get(page, 0) if number is None else number
        if number:
            return version(self.seed, page, number)
        return self.ground[page * PAGE : (page + 1) * PAGE]

    def whole(self) -> bytes:
        """All of the memory after the last write."""
        found = bytearray(self.ground)
        for page in self.written:
            found[page * PAGE : (page + 1) * PAGE] = self.page(page)
        return bytes(found)


def differing(wanted: bytes, found: bytes) -> tuple[int, ...]:
    """Numbers of the pages that differ; what one has more than the other differs, too."""
    if wanted == found:
        return ()
    left, right = memoryview(wanted), memoryview(found)
    size = max(len(wanted), len(found))
    pages: list[int] = []
    for at in range(0, size, _CHUNK):
        if left[at : at + _CHUNK] != right[at : at + _CHUNK]:
            starts = range(at, min(at + _CHUNK, size), PAGE)
            pages += [s // PAGE for s in starts if left[s : s + PAGE] != right[s : s + PAGE]]
    return tuple(pages)


def difference(expected: Expected, found: bytes, pages: Sequence[int]) -> str:
    """One sentence on pages that differ: how many, and what is in the first of them instead."""
    first = pages[0]
    content = found[first * PAGE : (first + 1) * PAGE]
    total = len(expected.ground) // PAGE
    return (
        f"data mismatch in {len(pages)} of {total} pages: page {first}, written "
        f"{expected.written.get(first, 0)} times, {_what(expected, first, content)}"
    )


def _what(expected: Expected, page: int, content: bytes) -> str:
    if not any(content):
        return "is zero"
    for number in range(expected.written.get(page, 0)):
        if content == expected.page(page, number):
            return f"is stale: as after write {number}" if number else "is stale: as at first"
    other = expected.ground.find(content)
    if other >= 0 and other % PAGE == 0 and len(content) == PAGE:
        return f"has what belongs into page {other // PAGE}"
    last = expected.page(page)
    pairs = enumerate(zip(last, content, strict=False))
    at = next((at for at, (left, right) in pairs if left != right), len(content))
    return f"differs from byte {at} on"
