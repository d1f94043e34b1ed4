# SPDX-License-Identifier: GPL-2.0-only
"""How far a kernel build is: from the steps make has printed and what the last build took.

Steps (`  CC      net/socket.o`) are counted while there are objects to make, and weighed with what
they took last time; the tail (from `LD vmlinux.o` to the end) is a few long steps and measured
in seconds instead. The rate of steps is this build's own, so a warm compiler cache does not fool
the estimate.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path

_STEP = re.compile(r"^  (?:CC|AS|AR|LD|HOSTCC|HOSTLD|GEN|UPD)\b.* (\S+)$")
_POINTS = 50
_TAIL = re.compile(r"^  LD\s+vmlinux\.o$")


@dataclass(frozen=True)
class History:
    """What the last build of a whole kernel with the same configuration took.

    `steps` to make it, `tail` seconds from `LD vmlinux.o` to the end, and in `curve` the share of
    the time before the tail (0 to 1) that was gone at equal shares of the steps: they are not
    equally long.
    """

    steps: int
    tail: float
    curve: tuple[float, ...] = (0.0, 1.0)


@dataclass
class Meter:
    """Fed with make's lines and the seconds since its start; `total` steps are expected."""

    total: int
    tail: float
    curve: tuple[float, ...] = (0.0, 1.0)
    times: list[float] = field(default_factory=list)
    tail_began: float | None = None

    def feed(self, line: str, elapsed: float) -> float | None:
        """The fraction done after this line (0 to 1), None if the line is no step."""
        if _TAIL.match(line):
            self.tail_began = elapsed
        elif not _STEP.match(line):
            return None
        self.times.append(elapsed)
        return self.fraction(elapsed)

    def fraction(self, elapsed: float) -> float:
        """Seconds gone over seconds gone and to come."""
        if self.tail_began is not None:
            left = max(self.tail - (elapsed - self.tail_began), 0.0)
        else:
            share = min(len(self.times) / max(self.total, 1), 1.0)
            gone = max(_at(self.curve, share), 1e-3)
            left = elapsed * (1 - gone) / gone + self.tail
        return elapsed / (elapsed + left) if elapsed + left > 0 else 0.0

    def history(self, end: float) -> History | None:
        """What to keep of a whole build that ended after `end` seconds, None if it had no tail."""
        if self.tail_began is None or not self.tail_began:
            return None
        before = [time for time in self.times if time <= self.tail_began]
        picked = [before[index * (len(before) - 1) // _POINTS] for index in range(_POINTS + 1)]
        curve = (0.0, *(time / self.tail_began for time in picked[1:]))
        return History(len(self.times), end - self.tail_began, curve)


def _at(curve: tuple[float, ...], share: float) -> float:
    """A curve of equidistant points, read at `share` of its length."""
    place = share * (len(curve) - 1)
    index = min(int(place), len(curve) - 2)
    return curve[index] + (curve[index + 1] - curve[index]) * (place - index)


def load(path: Path) -> History | None:
    """The history kept in a file, None if there is none that can be read."""
    try:
        kept = json.loads(path.read_text())
        return History(kept["steps"], kept["tail"], tuple(kept["curve"]))
    except (OSError, ValueError, TypeError, KeyError):
        return None


def save(path: Path, history: History) -> None:
    """Keep a history; written whole and renamed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    part.write_text(json.dumps(asdict(history)))
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
