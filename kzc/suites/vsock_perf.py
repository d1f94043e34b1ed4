# SPDX-License-Identifier: GPL-2.0-only
"""Output of vsock_perf (tools/testing/vsock/vsock_perf.c), as a smoke test: did all bytes arrive?

The text holds the sender's lines, `=== status N`, a line `=== server`, the receiver's lines and
its `=== status N`. It is no benchmark: sender and receiver only have to agree on what was asked,
and a sender that counts its completions has to have sent something without copying, where it was
asked for that. Older ones do not count; what they sent with zerocopy may have been copied.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from typing import Any

from kzc.errors import describe_status
from kzc.suites.lines import is_kernel, unglued, whole
from kzc.values import Case, Verdict

_STATUS = re.compile(r"=== status (\d+)$")
_SERVER = "=== server"
_MARKS = re.compile(r"=== (?:server|died|status \d+)$")
_SKIPPED = "skipped: "
_KSFT_SKIP = 4
_ASKED = re.compile(r"Send (\d+) bytes$")
_SENT = re.compile(r"total bytes sent: (\d+)$")
_RECEIVED = re.compile(r"total bytes received: (\d+)$")
_COMPLETED = re.compile(r"completions: (\d+) zerocopied, (\d+) copied$")
_FIGURES = {
    "tx": re.compile(r"tx performance: (\S+) Gbits/s$"),
    "rx": re.compile(r"rx performance: (\S+) Gbits/s$"),
    "loop": re.compile(r"tx loop performance: (\S+) Gbits/s$"),
    "seconds": re.compile(r"total time in tx loop: (\S+) sec$"),
    "send_seconds": re.compile(r"time in 'send\(\)': (\S+) sec$"),
    "cpu_seconds": re.compile(r"CPU time in tx loop: (\S+) sec \("),
}


def parse(
    lines: Iterable[str], *, status: int | None, planned: Sequence[str] = ()
) -> tuple[Case, ...]:
    """One case. Detail: proto (vsock), mode (copy or zerocopy), bytes that arrived.

    Rates in Gbits/s as they are printed: tx of the time inside send alone, loop of the sender's
    whole loop, rx. Of the sender seconds of the loop, send_seconds inside send, cpu_seconds of the
    loop, completions that were zerocopied and copied; what an older one does not print is absent.
    """
    text = unglued(whole(lines, status))
    cut = text.index(_SERVER) if _SERVER in text else len(text)
    sides = (text[:cut], text[cut + 1 :])
    name = planned[0] if planned else "vsock_perf"
    verdict, reason = _judge(sides, status)
    if verdict is Verdict.SKIP:
        return (Case(name, verdict, reason=reason),)
    return (Case(name, verdict, reason=reason, detail=_detail(sides)),)


def _detail(sides: tuple[Sequence[str], Sequence[str]]) -> dict[str, Any]:
    zerocopy = "Run as sender MSG_ZEROCOPY" in sides[0]
    detail: dict[str, Any] = {"proto": "vsock", "mode": "zerocopy" if zerocopy else "copy"}
    received = _number(_RECEIVED, sides[1])
    if received is not None:
        detail["bytes"] = received
    for key, pattern in _FIGURES.items():
        figure = _figure(pattern, sides[key == "rx"])
        if figure is not None:
            detail[key] = figure
    if completed := _completed(sides[0]):
        detail["zerocopied"], detail["copied"] = completed
    return detail


def _completed(sender: Sequence[str]) -> tuple[int, int] | None:
    """Completions that were zerocopied and copied; None where the sender does not say."""
    found = [match for line in sender if (match := _COMPLETED.match(line))]
    return (int(found[0][1]), int(found[0][2])) if len(found) == 1 else None


def _judge(sides: tuple[Sequence[str], Sequence[str]], status: int | None) -> tuple[Verdict, str]:
    ends = [
        (who, _ended(side), side) for who, side in zip(("sender", "receiver"), sides, strict=True)
    ]
    for who, end, _ in ends:
        if end is not None and end > 128:
            return Verdict.CRASH, f"the {who} ended with {describe_status(end)}"
    for _, end, side in ends:
        skipped = [line for line in side if line.startswith(_SKIPPED)]
        if end == _KSFT_SKIP and skipped:
            return Verdict.SKIP, skipped[0].removeprefix(_SKIPPED)
    completed = _completed(sides[0])
    if completed and not completed[0]:
        said = f"of {sum(completed)} completions none was zerocopied"
        return Verdict.FAIL, f"zerocopy was asked for, but {said}"
    for who, end, side in ends:
        if end:
            return Verdict.FAIL, f"the {who} ended with {describe_status(end)}: {_last(side)}"
    for who, end, _ in ends:
        if end is None:
            verdict = Verdict.CRASH if status is None else Verdict.FAIL
            return verdict, f"the {who}'s output has no end"
    if status:
        return Verdict.FAIL, f"it ended with {describe_status(status)}"
    return _weigh(*sides)


def _weigh(sender: Sequence[str], receiver: Sequence[str]) -> tuple[Verdict, str]:
    """Judge two sides that both ended well."""
    asked, sent = _number(_ASKED, sender), _number(_SENT, sender)
    received = _number(_RECEIVED, receiver)
    for what, number in (("asked for", asked), ("sent", sent), ("received", received)):
        if not number:
            return Verdict.FAIL, f"no word of bytes {what}"
    if not asked == sent == received:
        return Verdict.FAIL, f"of {asked} bytes {sent} were sent and {received} received"
    return Verdict.PASS, ""


def _ended(side: Sequence[str]) -> int | None:
    statuses = [match for line in side if (match := _STATUS.match(line))]
    return int(statuses[-1][1]) if statuses else None


def _last(side: Sequence[str]) -> str:
    said = [line.strip() for line in side if line.strip() and not _MARKS.match(line)]
    return next((line for line in reversed(said) if not is_kernel(line)), "it said nothing")


def _number(pattern: re.Pattern[str], side: Sequence[str]) -> int | None:
    found = [match for line in side if (match := pattern.search(line))]
    return int(found[0][1]) if len(found) == 1 else None


def _figure(pattern: re.Pattern[str], side: Sequence[str]) -> float | None:
    found = [match for line in side if (match := pattern.search(line))]
    try:
        figure = float(found[0][1]) if found else math.nan
    except ValueError:
        return None
    return figure if math.isfinite(figure) else None
