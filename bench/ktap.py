# SPDX-License-Identifier: GPL-2.0-only
"""Lines per second of the KTAP parser: `python bench/ktap.py`. Wanted: at least 200,000.

Two texts: output as the kselftest runner gives it (results, nested results, diagnostics), and
nothing but results, the worst case. The best of five rounds each, in CPU time: the parser has one
thread and waits for nothing. The machine's description is kept with it.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence

from machine import keep

from kzc.suites.ktap import parse

WANTED = 200_000
LINES = 200_000
ROUNDS = 5


def selftests(count: int) -> list[str]:
    """About `count` lines of the kselftest runner: 40 lines per test program."""
    lines = ["TAP version 13", f"1..{count // 40}"]
    for number in range(1, count // 40 + 1):
        lines += [f"# timeout set to {45}", f"# selftests: net: test_{number}"]
        lines += ["# TAP version 13", "# 1..18"]
        for inner in range(1, 18):
            lines += [f"# # connecting to port {inner}: ok so far", f"# ok {inner} case {inner}"]
        lines += ["# ok 18 # SKIP needs hardware"]
        lines.append(f"ok {number} selftests: net: test_{number} # time=12ms")
    return lines


def results(count: int) -> list[str]:
    """`count` results on one level."""
    return [
        "KTAP version 1",
        f"1..{count}",
        *(f"ok {n} test_case_{n}" for n in range(1, count + 1)),
    ]


def rate(lines: Sequence[str]) -> float:
    """Lines per second, the best of the rounds."""
    best = float("inf")
    for _ in range(ROUNDS):
        begin = time.process_time()
        parse(lines, status=0)
        best = min(best, time.process_time() - begin)
    return len(lines) / best


def main() -> int:
    """Keep the rates; 1 when one of them is under what is wanted."""
    texts = {"kselftest runner": selftests(LINES), "results only": results(LINES)}
    rates = {name: round(rate(lines)) for name, lines in texts.items()}
    keep("ktap", {"lines per second": rates, "wanted": WANTED})
    return 0 if min(rates.values()) >= WANTED else 1


if __name__ == "__main__":
    sys.exit(main())
