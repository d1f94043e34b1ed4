# SPDX-License-Identifier: GPL-2.0-only
"""What the suite prints: KTAP, with what a case measured as metadata lines before its result.

Pure: values in, lines out. See Documentation/dev-tools/ktap.rst.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Result:
    """What came of a case in so many seconds: `said` is the reason of a failure or skip, else a
    remark. `measured` has names of letters and underscores."""

    name: str
    good: bool
    skipped: bool = False
    said: str = ""
    seconds: float = 0.0
    measured: Mapping[str, object] = field(default_factory=dict)


def head(count: int) -> list[str]:
    """The lines before the first result."""
    return ["KTAP version 1", f"1..{count}"]


def lines(number: int, result: Result) -> list[str]:
    """The lines of a result, its number counted from 1."""
    said = _one_line(result.said)
    words = "ok" if result.good or result.skipped else "not ok"
    directive = "SKIP" if result.skipped else f"time={result.seconds:.1f}s"
    about = [f"#:{key}: {_one_line(str(value))}" for key, value in result.measured.items()]
    return [*about, f"{words} {number} {result.name} # {directive} {said}".rstrip()]


def skip_all(reason: str) -> list[str]:
    """The whole document where nothing can be run."""
    return ["KTAP version 1", f"1..0 # SKIP {_one_line(reason)}"]


def _one_line(text: str) -> str:
    """A hash would begin a directive."""
    return " ".join(text.replace("#", "").split())
