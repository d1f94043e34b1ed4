# SPDX-License-Identifier: GPL-2.0-only
"""What make, compiler and linker complain of: pure, lines in, values out."""

from __future__ import annotations

import re
from collections.abc import Iterable

from kzc.values import Diagnostic

_GCC = re.compile(r"^(?P<file>[^\s:]+):(?P<line>\d+):(?:\d+:)? (?P<kind>[a-z ]+): (?P<text>.*)$")
_LD = re.compile(r"^(?:\S*ld(?:\.\w+)?): (?P<file>[^\s:]+):(?P<text>.*)$")
_UNDEFINED = re.compile(r"^(?P<file>[^\s:]+):\(\S+\): (?P<text>undefined reference to .*)$")
_TOOL = re.compile(r"^(?P<file>\S+): (?P<kind>warning|error): (?P<text>objtool: .*)$")
_MODPOST = re.compile(r"^(?P<kind>WARNING|ERROR): modpost: (?P<text>.*)$")
_TARGET = re.compile(r"^make\S*: \*\*\* \[\S+ (?P<target>\S+)\] (?:Error|Killed|Terminated)")
_KINDS = {"warning", "error", "fatal error"}


def parse(lines: Iterable[str], tree: str = "") -> tuple[Diagnostic, ...]:
    """Warnings and errors, each once, in order; paths relative to `tree` (the source folder)."""
    found: dict[Diagnostic, None] = {}
    for line in lines:
        if diagnostic := _one(line, tree):
            found[diagnostic] = None
    return tuple(found)


def _one(line: str, tree: str) -> Diagnostic | None:
    if (match := _GCC.match(line)) and match["kind"] in _KINDS:
        place = _relative(match["file"], tree)
        return Diagnostic(place, int(match["line"]), match["kind"], match["text"])
    if match := _TOOL.match(line):
        return Diagnostic(_relative(match["file"], tree), 0, match["kind"], match["text"])
    if match := _MODPOST.match(line):
        return Diagnostic("modpost", 0, match["kind"].lower(), match["text"])
    if match := _UNDEFINED.match(line) or _LD.match(line):
        return Diagnostic(_relative(match["file"], tree), 0, "error", match["text"].strip())
    return None


def failed_targets(lines: Iterable[str]) -> tuple[str, ...]:
    """Objects that make gave up on (`net/core/sock.o`), each once, without its own recursion."""
    targets = (match["target"] for line in lines if (match := _TARGET.match(line)))
    return tuple(dict.fromkeys(target for target in targets if target.endswith((".o", ".s"))))


def is_error(diagnostic: Diagnostic) -> bool:
    """True for what stops a build."""
    return "error" in diagnostic.kind


def _relative(path: str, tree: str) -> str:
    if tree and path.startswith(f"{tree}/"):
        return path.removeprefix(f"{tree}/")
    return re.sub(r"^(?:\.\./)+(?:src/)?", "", path)
