# SPDX-License-Identifier: GPL-2.0-only
"""How far a kernel build is: from the steps make has printed and what the last build took.

Steps (`  CC      net/socket.o`) are counted while there are objects to make; the tail (from
`LD vmlinux.o` to the end) is a few long steps, so it is measured in seconds instead. The rate of
steps is this build's own, so a warm compiler cache does not fool the estimate.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

_STEP = re.compile(r"^  (?:CC|AS|AR|LD|HOSTCC|HOSTLD|GEN|UPD)\b.* (\S+)$")
_TAIL = re.compile(r"^  LD\s+vmlinux\.o$")


@dataclass(frozen=True)
class History:
    """What an earlier build of the same configuration took: steps when nothing was there yet,
    and seconds from `LD vmlinux.o` to the end."""

    steps: int
    tail: float


@dataclass
class Meter:
    """Fed with make's lines and the seconds since its start; `total` steps are expected."""

    total: int
    tail: float
    steps: int = 0
    tail_began: float | None = None

    def feed(self, line: str, elapsed: float) -> float | None:
        """The fraction done after this line (0 to 1), None if the line is no step."""
        if _TAIL.match(line):
            self.tail_began = elapsed
        elif not _STEP.match(line):
            return None
        self.steps += 1
        return self.fraction(elapsed)

    def fraction(self, elapsed: float) -> float:
        """Seconds gone over seconds gone and to come."""
        if self.tail_began is not None:
            left = max(self.tail - (elapsed - self.tail_began), 0.0)
        else:
            pending = max(self.total - self.steps, 0)
            left = pending * elapsed / max(self.steps, 1) + self.tail
        return elapsed / (elapsed + left) if elapsed + left > 0 else 0.0


def load(path: Path) -> History | None:
    """The history kept in a file, None if there is none that can be read."""
    try:
        return History(**json.loads(path.read_text()))
    except (OSError, ValueError, TypeError):
        return None


def save(path: Path, history: History) -> None:
    """Keep a history; written whole and renamed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    part.write_text(json.dumps({"steps": history.steps, "tail": history.tail}))
    part.rename(path)


def stale_objects(out: Path, changed: Iterable[str]) -> int:
    """How many objects in a build folder were made from one of the `changed` files.

    Reads the dependency lists that the kernel's build keeps beside each object (`.x.o.cmd`).
    """
    names = [re.escape(name.encode()) for name in changed]
    if not names:
        return 0
    wanted = re.compile(rb"/(?:" + b"|".join(names) + rb")(?![\w./-])")
    return sum(bool(wanted.search(path.read_bytes())) for path in out.rglob(".*.o.cmd"))
