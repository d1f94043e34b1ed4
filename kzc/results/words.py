# SPDX-License-Identifier: GPL-2.0-only
"""Small words: times, numbers, lists of names, a piece of evidence as one line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from kzc.results.clean import line, short
from kzc.values import Verdict


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
    shown = ", ".join(short(name, 100) for name in names[:limit])
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
