# SPDX-License-Identifier: GPL-2.0-only
"""The vsock suite between two kernels (nested) against the same in one guest (loopback).

    python bench/nested.py [ROUNDS]

Whole runs of kzc with the kernel built before, interleaved. Limit: nested takes at most five times
as long.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time

from machine import keep

LIMIT = 5.0
COMMAND = ("run", "scm-zc-notification", "--tree", "debian:linux-source-6.12", "--suite", "vsock")


def seconds(topology: str, data: str) -> float:
    """One run that has to pass."""
    begin = time.monotonic()
    command = [sys.executable, "-m", "kzc", *COMMAND, "--topology", topology]
    env = {**os.environ, "KZC_DATA": data}
    done = subprocess.run(command, check=False, env=env, capture_output=True)
    if done.returncode:
        raise SystemExit(done.stdout.decode() + done.stderr.decode())
    return round(time.monotonic() - begin, 1)


def main() -> int:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 2
    readings: dict[str, list[float]] = {"loopback": [], "nested": []}
    with tempfile.TemporaryDirectory(prefix="kzc-") as data:
        for _ in range(rounds):
            for topology, taken in readings.items():
                taken.append(seconds(topology, data))
    ratio = statistics.median(readings["nested"]) / statistics.median(readings["loopback"])
    keep("nested", {"seconds": readings, "ratio": round(ratio, 2), "limit": LIMIT})
    return 0 if ratio <= LIMIT else 1


if __name__ == "__main__":
    sys.exit(main())
