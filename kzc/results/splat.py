# SPDX-License-Identifier: GPL-2.0-only
"""A kernel's report (oops, warning, panic, sanitizer, lockdep) taken apart for reading. Pure.

Frames are as dump_stack prints them, or as scripts/decode_stacktrace.sh turned them into source
lines. A frame with a question mark was found on the stack and need not have been called.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from kzc.results.clean import printable, short

_STAMP = re.compile(r"^(?:host: |guest: )?(?:<\d+>)?\[ *\d+\.\d+\](?:\[ *[TC]\d+\])? ?")
_FRAME = re.compile(
    r"^ +(?P<doubt>\? )?(?P<name>[A-Za-z_][\w.]*)(?:\+0x[0-9a-f]+/0x[0-9a-f]+)?"
    r"(?: \[\w+\])?(?: \((?P<where>[\w./+-]+:\d+)[^)]*\))?(?P<rest> .*)?$"
)
_POINTER = re.compile(
    r"^RIP: [0-9a-f]+:(?P<name>[A-Za-z_][\w.]*)\S*(?: \((?P<where>[\w./+-]+:\d+)[^)]*\))?"
)
_OFFSET = re.compile(r"\+0x[0-9a-f]+/0x|\([\w./+-]+:\d+")
_SPLIT_OFF = re.compile(r"\.(?:constprop|isra|part|cold)\b.*")
_MOST = 40
_LINES = 200


@dataclass(frozen=True)
class Frame:
    """A function on the stack; `where` is file:line where the kernel has debug info, `named` says
    that the signature of the failure names it."""

    name: str
    where: str = ""
    doubtful: bool = False
    named: bool = False


@dataclass(frozen=True)
class Splat:
    """A title, the function that it happened in (the instruction pointer's, if it is told), the
    frames from the innermost on, and the whole text."""

    title: str
    pointer: Frame | None
    frames: tuple[Frame, ...]
    lines: tuple[str, ...]


def splat(excerpt: Sequence[object], signature: str = "") -> Splat | None:
    """The report in these lines; None where there is no call trace in them. The frames that the
    signature (`kind: function < caller`) names are marked."""
    names = frozenset(signature.rpartition(": ")[2].split(" < "))
    lines = [_STAMP.sub("", printable(line)) for line in excerpt[:_LINES]]
    frames, pointer, tracing = list[Frame](), None, False
    for line in lines:
        if found := _POINTER.match(line):
            pointer = pointer or _frame(found, names)
        elif line.strip().startswith(("Call Trace", "Call trace", "<TASK>", "<IRQ>")):
            tracing = True
        elif (found := _FRAME.match(line)) and (tracing or _OFFSET.search(line)):
            frames.append(_frame(found, names))
    if not frames:
        return None
    title = next((line for line in lines if line.strip().strip("=-")), "")
    return Splat(short(title), pointer, tuple(frames[:_MOST]), tuple(map(short, lines)))


def _frame(found: re.Match[str], names: frozenset[str]) -> Frame:
    parts = found.groupdict()
    doubtful = bool(parts.get("doubt"))
    named = not doubtful and _SPLIT_OFF.sub("", parts["name"]) in names
    return Frame(short(parts["name"], 100), short(parts["where"] or ""), doubtful, named)
