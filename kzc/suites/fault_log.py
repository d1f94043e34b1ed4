# SPDX-License-Identifier: GPL-2.0-only
"""What fault injection writes to the kernel log: a report with a call trace that is no splat. Pure.

FAULT_INJECTION: forcing a failure.
name failslab, interval 13, probability 100, space 0, times 999999999
CPU: 1 UID: 0 PID: 91 Comm: vsock_test Not tainted 6.12.117 #1
... and the rest of dump_stack(), to </TASK>
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from kzc.suites.lines import message

_HEAD = "FAULT_INJECTION: forcing a failure"
_NAME = re.compile(r"name (\w+), interval \d+, probability \d+")
_FRAME = re.compile(r"\s*(\? )?([A-Za-z_][\w.]*)\+0x[0-9a-f]+/0x[0-9a-f]+(?: \[[^\]]+\])?\s*$")
_REST = re.compile(r"name \w+, interval|CPU: |Tainted: |Hardware name: |Call Trace:| ?<TASK>")
_END = re.compile(r" ?</TASK>")
_LINES = 100  # a report is never so long
_FRAMES = 5


def reports(lines: Iterable[str]) -> Iterator[tuple[bool, str]]:
    """Each line without its timestamp, and whether it belongs to such a report."""
    left = 0
    for raw in lines:
        text = message(raw.rstrip("\r\n"))
        if _HEAD in text:
            left = _LINES
            yield True, text
            continue
        ours = left > 0 and bool(_REST.match(text) or _FRAME.match(text) or _END.match(text))
        left = 0 if ours and _END.match(text) else left - 1
        yield ours, text


def places(lines: Iterable[str], helpers: Sequence[re.Pattern[str]]) -> Counter[str]:
    """How often a call trace was told of each place: the kind and the frames that asked."""
    found: Counter[str] = Counter()
    kind, frames = "", list[str]()
    for ours, text in reports(lines):
        if not ours:
            continue
        if name := _NAME.match(text):
            kind, frames = name[1], []
        elif (frame := _FRAME.match(text)) and not frame[1]:
            frames.append(frame[2])
        elif _END.match(text) and kind:
            asking = [name for name in frames if not any(h.fullmatch(name) for h in helpers)]
            found[f"{kind}: {' < '.join(asking[:_FRAMES])}"] += 1
            kind = ""
    return found
