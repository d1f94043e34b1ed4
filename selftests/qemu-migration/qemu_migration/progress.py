# SPDX-License-Identifier: GPL-2.0-only
"""query-migrate's answer as a value. Pure.

See MigrationInfo and MigrationStats in QEMU's QAPI schema.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

DONE = frozenset({"completed", "failed", "cancelled"})
SWITCHOVER = "pre-switchover"


@dataclass(frozen=True)
class Progress:
    """How far a migration is.

    `total`, `remaining` and `moved` are bytes of memory, `sent` pages, `passes` how often the dirty
    pages were looked up. `copied` are flushes of a channel that found nothing but copies; there are
    several in a pass, and QEMU does not tell how many in all. `seconds` and `downtime` are seconds,
    `error` is what QEMU says.
    """

    status: str
    total: int = 0
    remaining: int = 0
    moved: int = 0
    sent: int = 0
    passes: int = 0
    copied: int | None = None
    seconds: float = 0.0
    downtime: float = 0.0
    error: str = ""

    @property
    def over(self) -> bool:
        """Whether nothing more will happen."""
        return self.status in DONE


def progress(answer: Mapping[str, Any]) -> Progress:
    """An answer without `ram` is of a migration that has not begun, or of a destination's."""
    ram = answer.get("ram", {})
    return Progress(
        status=str(answer.get("status", "none")),
        total=int(ram.get("total", 0)),
        remaining=int(ram.get("remaining", 0)),
        moved=int(ram.get("transferred", 0)),
        sent=int(ram.get("normal", 0)),
        passes=int(ram.get("dirty-sync-count", 0)),
        copied=ram.get("dirty-sync-missed-zero-copy"),
        seconds=answer.get("total-time", 0) / 1000,
        downtime=answer.get("downtime", 0) / 1000,
        error=str(answer.get("error-desc", "")),
    )


def how_sent(done: Progress, zerocopy: bool) -> str:
    """Whether the kernel copied after all, as far as QEMU knows."""
    if not zerocopy:
        return "copy: sent without zerocopy"
    if done.copied is None:
        return "unknown: this QEMU does not count copies (before 7.1)"
    if not done.copied:
        return "zerocopied: no flush found only copies"
    flushes = f"{done.copied} flushes in {done.passes} passes found only copies"
    return f"copied: {flushes}" if done.copied >= done.passes else f"copied in part: {flushes}"


def measured(done: Progress) -> dict[str, object]:
    """What a report shows of a migration that is over."""
    rate = done.moved / done.seconds / 1e6 if done.seconds else 0.0
    return {
        "total_s": f"{done.seconds:.3f}",
        "downtime_ms": f"{done.downtime * 1000:.0f}",
        "bytes": done.moved,
        "pages_sent": done.sent,
        "passes": done.passes,
        "mb_per_s": f"{rate:.1f}",
        "dirty_sync_missed_zero_copy": "not counted" if done.copied is None else done.copied,
    }
