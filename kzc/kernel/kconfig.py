# SPDX-License-Identifier: GPL-2.0-only
"""Why a symbol cannot be set: what the tree's Kconfig files say it depends on.

A reader for one question, asked only after a symbol did not take; it knows `config`, `depends on`,
prompts, `if` and `menu` (Documentation/kbuild/kconfig-language.rst), not the values of expressions.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

_ENTRY = re.compile(r"^\s*(?:menu)?config\s+(\w+)\s*$")
_DEPENDS = re.compile(r"^\s+depends on\s+(.*)$")
# a symbol whose prompt is conditional takes its default where the condition is not met
_PROMPT = re.compile(r"^\s+(?:bool|tristate|int|hex|string|prompt)\s+\".*\"\s+if\s+(.*)$")
_OPEN = re.compile(r"^\s*(if|menu|choice)\b\s*(.*)$")
_CLOSE = re.compile(r"^\s*end(if|menu|choice)\b")
_WORD = re.compile(r"!?\s*\b[A-Z0-9_a-z]+\b")


@dataclass(frozen=True)
class Need:
    """One `depends on` (or enclosing `if`) of a symbol, with the place it stands at."""

    expression: str
    place: str


def needs(symbol: str, files: Iterable[tuple[str, str]]) -> tuple[Need, ...] | None:
    """What `symbol` depends on in the given (path, text) of Kconfig files.

    None where no file defines the symbol.
    """
    found: list[Need] | None = None
    for path, text in files:
        if not re.search(rf"config\s+{symbol}\s*$", text, re.MULTILINE):
            continue
        for need in _needs_in(symbol, path, text):
            found = found or []
            if need.expression and need not in found:
                found.append(need)
        found = found or []
    return None if found is None else tuple(found)


def _needs_in(symbol: str, path: str, text: str) -> Iterator[Need]:
    around: list[Need] = []
    current = ""
    for number, line in enumerate(text.replace("\\\n", " ").splitlines(), 1):
        place = f"{path}:{number}"
        if match := _ENTRY.match(line):
            current = match.group(1)
            if current == symbol:
                yield from (need for need in around if need.expression)
        elif _CLOSE.match(line):
            current = ""
            around = around[:-1]
        elif (match := _OPEN.match(line)) and not line.startswith("\t\t"):
            current = "" if match.group(1) == "if" else f"<{match.group(1)}>"
            around = [*around, Need(match.group(2) if match.group(1) == "if" else "", place)]
        elif match := _DEPENDS.match(line) or _PROMPT.match(line):
            if current == symbol:
                yield Need(match.group(1), place)
            elif current.startswith("<") and around:
                around = [*around[:-1], Need(match.group(1), place)]


def unmet(expression: str, config: Mapping[str, str]) -> tuple[str, ...]:
    """The symbols of an expression that are not as it wants them, as `X=n` or `X=y` (for !X)."""
    bad = []
    for word in _WORD.findall(expression):
        name = word.lstrip("! ")
        if name in {"y", "n", "m", "if"}:
            continue
        value = config.get(name, "n")
        if word.startswith("!") == (value != "n"):
            bad.append(f"{name}={value}")
    return tuple(dict.fromkeys(bad))


def known(symbol: str, tree: Path) -> bool:
    """Whether the tree has such a symbol at all."""
    return needs(symbol, _files(tree, symbol)) is not None


def explain(symbol: str, tree: Path, config: Mapping[str, str]) -> str:
    """One sentence on why `symbol` did not take in this tree."""
    found = needs(symbol, _files(tree, symbol))
    if found is None:
        return "this tree has no such symbol"
    missing = [
        f"depends on {need.expression} ({need.place}), and {', '.join(bad)}"
        for need in found
        if (bad := unmet(need.expression, config))
    ]
    if missing:
        return "; ".join(missing)
    return "its dependencies are met, so another symbol of the tree decides its value"


def _files(tree: Path, symbol: str) -> Iterator[tuple[str, str]]:
    for path in sorted(tree.rglob("Kconfig*")):
        if path.is_file():
            text = path.read_text(errors="replace")
            if symbol in text:
                yield str(path.relative_to(tree)), text
