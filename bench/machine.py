# SPDX-License-Identifier: GPL-2.0-only
"""What a benchmark ran on, and where its readings are kept."""

from __future__ import annotations

import json
import os
import platform
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

READINGS = Path(__file__).with_name("readings")


def describe() -> dict[str, Any]:
    """CPU, cores, memory (MiB), kernel, Python, load at this moment."""
    model = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        platform.machine(),
    )
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") >> 20
    return {
        "cpu": model,
        "cores": os.cpu_count(),
        "memory_mib": memory,
        "kernel": platform.release(),
        "python": platform.python_version(),
        "load": round(os.getloadavg()[0], 2),
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def keep(name: str, readings: dict[str, Any]) -> None:
    """Print readings and write them beside the benchmarks, with the machine."""
    READINGS.mkdir(exist_ok=True)
    text = json.dumps({"machine": describe(), **readings}, indent=2)
    (READINGS / f"{name}.json").write_text(text + "\n")
    print(text)


def kept(name: str) -> dict[str, Any]:
    """Readings written before, empty if there are none."""
    try:
        found: dict[str, Any] = json.loads((READINGS / f"{name}.json").read_text())
    except OSError:
        return {}
    return found
