# SPDX-License-Identifier: GPL-2.0-only
"""What zerocopy cases measured, read out of `Case.detail`.

Keys: `proto`, `ip` (4, 6), `mode` (copy, zerocopy, ...), `tx` and `rx` (messages), `tx_mb` and
`rx_mb`, `txc` (completions), `zc` (y or n: SO_EE_CODE_ZEROCOPY_COPIED absent or present). Of
vsock (vsock_perf) `bytes` that arrived and completions that were `zerocopied` and `copied`, if it
counts them; its figures are a smoke test's, and get no speed-up.
Rule: nothing that was copied, or timed by the wall clock under TCG, gets a speed-up.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kzc.results.clean import short
from kzc.values import Case, Outcome, Run, Verdict

VETH = (
    "copied: the kernel completed with SO_EE_CODE_ZEROCOPY_COPIED. Loopback and veth always copy, "
    "so such rows show that the interface works, not that it is faster."
)
CREDIT = (
    "vsock copies a send that does not fit into the credit at once: give both ends a larger "
    "--vsk-size, or take a smaller --buf-size."
)
UNTOLD = (
    "unknown: this vsock_perf does not count completions, so its data may have been copied; with "
    "the series vsock-perf-zerocopy it does."
)
WALL = "MB were counted by the wall clock under TCG: they show that data moved, not how fast."
_DIRECTIONS = frozenset({"H2G", "G2H"})


@dataclass(frozen=True)
class Transfer:
    """One case; -1 where a number was not reported. `gain` is rx MB against the copy case, or 0.

    `direction` is H2G or G2H in a pair of host and guest, and empty in one guest.
    """

    verdict: Verdict
    direction: str
    proto: str
    ip: str
    mode: str
    tx_mb: int
    rx_mb: int
    completions: int
    way: str
    gain: float = 0.0


@dataclass(frozen=True)
class Table:
    """The transfers of one suite, with the sentences that must stand below them."""

    suite: str
    transfers: tuple[Transfer, ...]
    notes: tuple[str, ...]


def tables(run: Run) -> tuple[Table, ...]:
    """A table for each outcome that has zerocopy cases."""
    accelerator = run.environment.get("accelerator", "").lower()
    timed = bool(accelerator) and ("tcg" not in accelerator or "icount" in accelerator)
    found = ((outcome, transfers(outcome, timed)) for outcome in run.outcomes)
    return tuple(
        Table(short(outcome.subject), rows, _notes(rows, timed)) for outcome, rows in found if rows
    )


def transfers(outcome: Outcome, timed: bool) -> tuple[Transfer, ...]:
    """The cases that moved data; `timed` says whether their times mean anything."""
    cases = [case for case in outcome.cases if _moved(case)]
    plain = {_path(case): _number(case, "rx_mb") for case in cases if _mode(case) == "copy"}
    return tuple(_transfer(case, plain.get(_path(case), 0) if timed else 0) for case in cases)


def _moved(case: Case) -> bool:
    keys = case.detail.keys()
    return "proto" in keys and ("tx" in keys or "rx" in keys)


def _is_vsock(case: Case) -> bool:
    return case.detail.get("proto") == "vsock"


def _transfer(case: Case, plain: int) -> Transfer:
    way, received = _way(case), _received(case)
    faster = way == "zerocopied" and case.verdict is Verdict.PASS and plain > 0 and received > 0
    direction, proto, ip = _path(case)
    return Transfer(
        verdict=case.verdict,
        direction=direction,
        proto=proto,
        ip=ip,
        mode=_mode(case),
        tx_mb=_number(case, "tx_mb"),
        rx_mb=received,
        completions=_completions(case),
        way=way,
        gain=received / plain if faster else 0.0,
    )


def _received(case: Case) -> int:
    size = _number(case, "bytes")
    return size >> 20 if _is_vsock(case) and size >= 0 else _number(case, "rx_mb")


def _completions(case: Case) -> int:
    counts = _number(case, "zerocopied"), _number(case, "copied")
    return sum(counts) if _is_vsock(case) and min(counts) >= 0 else _number(case, "txc")


def _way(case: Case) -> str:
    if _mode(case) == "copy":
        return "copy"
    if _is_vsock(case) and _completions(case) < 0:
        return "unknown"
    if _completions(case) <= 0:
        return "no completion"
    if _is_vsock(case):
        return _share(_number(case, "zerocopied"), _number(case, "copied"))
    zc = case.detail.get("zc")
    if zc in (True, "y", "yes"):
        return "zerocopied"
    return "copied" if zc in (False, "n", "no") else "unknown"


def _share(zerocopied: int, copied: int) -> str:
    if zerocopied and copied:
        return f"{copied:,} copied"
    return "copied" if copied else "zerocopied"


def _path(case: Case) -> tuple[str, str, str]:
    detail = case.detail
    return _direction(case), short(detail["proto"]), short(detail.get("ip", ""))


def _direction(case: Case) -> str:
    first, slash, _ = case.name.partition("/")
    return first if slash and first in _DIRECTIONS else ""


def _mode(case: Case) -> str:
    return short(case.detail.get("mode", ""))


def _number(case: Case, key: str) -> int:
    value = case.detail.get(key)
    return round(value) if isinstance(value, int | float) else -1


def _notes(rows: Sequence[Transfer], timed: bool) -> tuple[str, ...]:
    vsock = {row.way for row in rows if row.proto == "vsock"}
    other = {row.way for row in rows if row.proto != "vsock"}
    known = (
        (VETH, "copied" in other),
        (CREDIT, bool(vsock - {"copy", "zerocopied", "no completion", "unknown"})),
        (UNTOLD, "unknown" in vsock),
        (WALL, not timed),
    )
    return tuple(note for note, said in known if said)
