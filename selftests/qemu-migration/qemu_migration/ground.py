# SPDX-License-Identifier: GPL-2.0-only
"""What a case stands on: the memory's content, time limits, and what has to be so behind each.

Behind each case nothing may be left: no page of either memory in use, nothing pinned or locked that
was not before, nothing counted against the user's limit.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from qemu_migration import faults, pages, pinned
from qemu_migration.errors import Failed
from qemu_migration.memory import Memory
from qemu_migration.monitor import Gone, Refused
from qemu_migration.pages import Expected, difference, differing

SIZE = 32 << 20
LOCKED = 4 * SIZE  # so that pages are counted, and never too many
SEED = 20210831
# seconds for a step, such as to start or to migrate: less than the suite's silence, so that a case
# itself says what it waited for
_PATIENCE = 40.0
# under faults QEMU waits without end for what a call that failed would have brought
_LESS = 10.0
_LEFT = 5.0  # seconds for what a dead process held


def slowdown() -> float:
    """How much longer than under KVM things may take here."""
    return max(float(os.environ.get("KZC_SLOWDOWN") or 1), 1.0)


def patience() -> float:
    """Seconds for a step."""
    return (_LESS if faults.meant() else _PATIENCE) * slowdown()


@dataclass
class Ground:
    """Content and limits of one case; `memories` are all that it has made."""

    content: bytes
    seed: int = SEED
    patience: float = field(default_factory=patience)
    memories: list[Memory] = field(default_factory=list)

    def source(self) -> Memory:
        """A source's memory, filled."""
        return self._memory("kzc-source", self.content)

    def destination(self) -> Memory:
        """A destination's, empty."""
        return self._memory("kzc-destination", b"")

    def _memory(self, name: str, content: bytes) -> Memory:
        memory = Memory(name, len(self.content), content)
        self.memories.append(memory)
        return memory

    def expected(self, written: Mapping[int, int] | None = None) -> Expected:
        """The memory after so many writes to pages."""
        return Expected(self.seed, self.content, dict(written or {}))

    def compare(self, memory: Memory, written: Mapping[int, int] | None = None) -> None:
        """Raises Failed where a memory is not as it should be."""
        expected, found = self.expected(written), memory.read()
        pages_ = differing(expected.whole(), found)
        if pages_:
            raise Failed(difference(expected, found, pages_))

    def version(self, page: int, number: int) -> bytes:
        """What the `number`th write puts into a page."""
        return pages.version(self.seed, page, number)


@contextmanager
def ground(content: bytes) -> Iterator[Ground]:
    """A case's ground. Raises Failed behind a case that left something, whatever else it did."""
    before = pinned.machine()
    made = Ground(content)
    try:
        yield made
    except (Failed, Gone, Refused, OSError) as error:
        left = _left(made, before)
        raise Failed("; ".join(filter(None, (str(error), left)))) from None
    else:
        if left := _left(made, before):
            raise Failed(left)
    finally:
        for memory in made.memories:
            memory.close()


def _left(made: Ground, before: Mapping[str, int]) -> str:
    """What is left of a case whose QEMUs have ended, in words; empty if nothing is."""
    patience = _LEFT * slowdown()
    for number, memory in enumerate(made.memories):
        if memory.in_use(patience):
            which = "destination" if number else "source"
            return f"pages of the {which}'s memory are in use after its QEMU has ended"
    if grown := pinned.settled(before, patience):
        return f"after both QEMUs have ended {grown}"
    if pinned.still_counted(patience):
        return "locked pages of a send are counted still, after both QEMUs have ended"
    return ""
