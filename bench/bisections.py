# SPDX-License-Identifier: GPL-2.0-only
"""Four short series on the real 6.12: `python bench/bisections.py [CONFIDENCE]`.

Patch 4 of six breaks a vsock case always; patch 3 of six breaks it three times in ten; patch 2 of
six does not build and patch 5 panics at boot; patch 2 of four makes vsock_perf slower. Each has to
be found, with the confidence asked for [0.99]. Kept are the runs spent and seconds of wall time,
kernels built on the way; on a second call, or after `make test`, those are in the cache. 1 is
returned when an answer is wrong or not sure enough.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from machine import keep

TREE = "debian:linux-source-6.12"
SERIES = Path(__file__).parents[1] / "tests" / "data" / "series"
CASE = "vsock:SOCK_SEQPACKET MSG_TRUNC flag"
WANTED = {
    "bisect-always": (["--test", CASE], [4]),
    "bisect-sometimes": (["--test", CASE], [3]),
    "bisect-boot": (["--test", "boot"], [5]),
    "bisect-slower": (["--test", "vsock:vsock_perf copy", "--worse", "rx=80%"], [2]),
}


def bisected(name: str, asked: list[str], confidence: str) -> dict[str, Any]:
    """The answer for one series, and seconds of wall time."""
    began = time.monotonic()
    words = ["bisect", str(SERIES / name), "--tree", TREE, *asked, "--json"]
    done = subprocess.run(
        [sys.executable, "-m", "kzc", *words, "--confidence", confidence],
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    if done.returncode not in {0, 1} or not done.stdout:
        return {"patches": [], "confidence": 0.0, "status": done.returncode}
    said = json.loads(done.stdout)
    names = ("patches", "confidence", "rate", "runs", "left_out", "doubts")
    return {**{name: said[name] for name in names}, "wall": round(time.monotonic() - began, 1)}


def main() -> int:
    """Keep the answers; 1 when one is missing."""
    confidence = sys.argv[1] if len(sys.argv) > 1 else "0.99"
    found = {name: bisected(name, asked, confidence) for name, (asked, _) in WANTED.items()}
    keep("bisections", {"asked": float(confidence), **found})
    right = all(found[name]["patches"] == patches for name, (_, patches) in WANTED.items())
    sure = all(each["confidence"] >= float(confidence) for each in found.values())
    return 0 if right and sure else 1


if __name__ == "__main__":
    sys.exit(main())
