# SPDX-License-Identifier: GPL-2.0-only
"""What a command costs for its guard: `python bench/guards.py [COMMANDS]`.

CPU time (user and system) in ms of `true` behind kzc/guard.py, of an empty Python, and of `true`
alone; each so many times [100]. Holds: a guarded command costs at most 2.5 times an empty Python.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from machine import keep

from kzc import guard


def cost(argv: Sequence[str], times: int) -> float:
    """Milliseconds of CPU for one command and all that it starts."""
    lifeline, held = os.pipe()
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    for _ in range(times):
        subprocess.run(argv, stdin=lifeline, stdout=subprocess.DEVNULL, check=True)
    os.close(held)
    os.close(lifeline)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return round(1000 * spent / times, 2)


def main() -> int:
    """Keep the readings; 1 when the limit is missed."""
    times = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    python = [sys.executable, "-I", "-S"]
    found = {
        "guarded": cost([*python, str(Path(guard.__file__)), "0", "--", "true"], times),
        "python": cost([*python, "-c", "pass"], times),
        "true": cost(["true"], times),
    }
    ratio = found["guarded"] / found["python"]
    keep("guards", {"ms": found, "ratio": round(ratio, 2), "limit": 2.5})
    return 0 if ratio <= 2.5 else 1


if __name__ == "__main__":
    sys.exit(main())
