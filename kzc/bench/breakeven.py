# SPDX-License-Identifier: GPL-2.0-only
"""The message size from which zerocopy wins. Pure.

Rule: only sizes at which it really was zerocopy count. Between two sizes the point is interpolated
on logarithmic scales, as sizes double.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class BreakEven:
    """`size` in bytes where there is a crossing, else None and `words` say what is known."""

    words: str
    size: float | None = None


def break_even(gains: Sequence[tuple[int, float]]) -> BreakEven:
    """`gains`: size and gain over copying (above 1: zerocopy wins), of what was zerocopy."""
    points = sorted(gains)
    if not points:
        return BreakEven("nothing was zerocopy")
    losing = [place for place, (_, gain) in enumerate(points) if gain <= 1]
    if not losing:
        return BreakEven(f"at most {points[0][0]:,} bytes: it wins at all sizes measured")
    last = losing[-1]
    if last == len(points) - 1:
        return BreakEven(f"above {points[-1][0]:,} bytes: copying wins there")
    (low, loss), (high, win) = points[last], points[last + 1]
    part = -math.log(loss) / (math.log(win) - math.log(loss)) if loss > 0 else 1.0
    size = math.exp(math.log(low) + part * (math.log(high) - math.log(low)))
    return BreakEven(f"{size:,.0f} bytes, between {low:,} and {high:,}", size)
