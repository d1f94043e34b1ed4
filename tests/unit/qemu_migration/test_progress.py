# SPDX-License-Identifier: GPL-2.0-only
"""query-migrate's answers, as QEMU 7.2 gave them, and what a report says of them."""

from __future__ import annotations

from typing import Any

import pytest
from qemu_migration.progress import how_sent, measured, progress

COMPLETED: dict[str, Any] = {
    "status": "completed",
    "setup-time": 14,
    "downtime": 12,
    "total-time": 861,
    "ram": {
        "total": 34353152,
        "postcopy-requests": 0,
        "dirty-sync-count": 3,
        "multifd-bytes": 33854528,
        "pages-per-second": 0,
        "page-size": 4096,
        "downtime-bytes": 512,
        "remaining": 0,
        "postcopy-bytes": 0,
        "mbps": 316.9,
        "transferred": 33920342,
        "dirty-sync-missed-zero-copy": 20,
        "precopy-bytes": 1350,
        "duplicate": 146,
        "dirty-pages-rate": 0,
        "skipped": 0,
        "normal-bytes": 33755136,
        "normal": 8241,
    },
}


def test_one_that_is_over() -> None:
    done = progress(COMPLETED)
    assert done.over
    assert (done.total, done.remaining, done.moved) == (34353152, 0, 33920342)
    assert (done.sent, done.passes, done.copied) == (8241, 3, 20)
    assert (done.seconds, done.downtime) == (0.861, 0.012)
    told = measured(done)
    assert told["downtime_ms"] == "12"
    assert told["bytes"] == 33920342
    assert told["mb_per_s"] == "39.4"


def test_one_that_failed() -> None:
    failed = progress({"status": "failed", "error-desc": "Process can't lock enough memory"})
    assert failed.over
    assert failed.error == "Process can't lock enough memory"


def test_one_that_goes_on_or_has_not_begun() -> None:
    ram = {"total": 100, "remaining": 60}
    assert not progress({"status": "active", "ram": ram}).over
    assert progress({"status": "active", "ram": ram}).remaining == 60
    assert progress({}).status == "none"
    assert measured(progress({}))["mb_per_s"] == "0.0"


@pytest.mark.parametrize(
    ("copied", "zerocopy", "said"),
    [
        (20, True, "copied: 20 flushes in 3 passes found only copies"),
        (2, True, "copied in part: 2 flushes in 3 passes found only copies"),
        (0, True, "zerocopied: no flush found only copies"),
        (None, True, "unknown: this QEMU does not count copies (before 7.1)"),
        (0, False, "copy: sent without zerocopy"),
    ],
)
def test_what_was_copied_is_called_copied(copied: int | None, zerocopy: bool, said: str) -> None:
    ram = {key: value for key, value in COMPLETED["ram"].items() if "missed" not in key}
    if copied is not None:
        ram["dirty-sync-missed-zero-copy"] = copied
    done = progress({**COMPLETED, "ram": ram})
    assert how_sent(done, zerocopy) == said
    assert measured(done)["dirty_sync_missed_zero_copy"] == (
        "not counted" if copied is None else copied
    )
