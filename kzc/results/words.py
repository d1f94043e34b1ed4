# SPDX-License-Identifier: GPL-2.0-only
"""Texts from outside made safe to show, and small words: times, numbers, lists of names.

Logs carry whatever a kernel, a compiler or a mail wrote. What leaves `clean` or `line` holds no
terminal escape, no character that XML forbids and none that reorders the text around it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from kzc.values import Verdict

_ESCAPES = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]|\x9b[0-?]*[ -/]*[@-~]"
    r"|\x1b[\]PX^_][^\x07\x1b\n]*(?:\x07|\x1b\\)|\x1b[ -/]*[0-OQ-WYZ\\`-~]"
)
_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_ILLEGAL = re.compile("[\ud800-\udfff\ufffe\uffff]")
_BREAKS = re.compile("\r\n?|[\v\f\x85\u2028\u2029]")


def clean(text: object) -> str:
    """The text without escapes and control characters; newlines and tabs stay."""
    text = str(text)
    if text.isprintable():
        return text
    text = _BREAKS.sub("\n", _ESCAPES.sub("", text))
    return _ILLEGAL.sub("\ufffd", _CONTROLS.sub("", text))


def line(text: object) -> str:
    """The text, clean, as one line with single blanks."""
    return " ".join(clean(text).split())


def span(seconds: float) -> str:
    """A duration for people: `0.4 s`, `41 s`, `4 min 12 s`, `1 h 3 min`."""
    if seconds < 9.95:
        return f"{max(seconds, 0):.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def plural(number: int, noun: str) -> str:
    """`1 case`, `2 cases`, `3 patches`."""
    ending = "es" if noun.endswith(("ch", "s")) else "s"
    return f"{number:,} {noun}{'' if number == 1 else ending}"


def label(verdict: Verdict) -> str:
    """A verdict in running text: `not run`."""
    return verdict.value.replace("_", " ")


def some(names: Sequence[str], limit: int = 6) -> str:
    """The first names, and how many more there are."""
    shown = ", ".join(line(name) for name in names[:limit])
    return f"{shown} and {len(names) - limit:,} more" if len(names) > limit else shown


def phrase(value: Any) -> str:
    """One piece of evidence as one line; a compiler's diagnostic in the compiler's own form."""
    if isinstance(value, Mapping):
        if {"file", "text"} <= value.keys():
            at = f":{value['line']}" if value.get("line") else ""
            kind = f"{value['kind']}: " if value.get("kind") else ""
            return line(f"{value['file']}{at}: {kind}{value['text']}")
        return line(", ".join(f"{key} {phrase(item)}" for key, item in value.items()))
    if isinstance(value, list | tuple):
        return line(", ".join(phrase(item) for item in value))
    return line(value)
