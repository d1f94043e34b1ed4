# SPDX-License-Identifier: GPL-2.0-only
"""Whether socket calls of this process fail on purpose: /proc/self/make-it-fail, which kernels
without CONFIG_FAULT_INJECTION do not have."""

from __future__ import annotations

from pathlib import Path

FILE = Path("/proc/self/make-it-fail")


def meant() -> bool:
    """True under faults."""
    return FILE.exists() and FILE.read_text().strip() == "1"


def spare() -> None:
    """From here on no call of this process fails, nor of one that it starts."""
    if FILE.exists():
        FILE.write_text("0")
