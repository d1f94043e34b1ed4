# SPDX-License-Identifier: GPL-2.0-only
"""Reading a diff as git writes it: files, hunks, and whether anything of them is missing.

Pure. unidiff would tell that a hunk is short, but not of which file, and it leaves quoted names
as they are, which is how a hostile one hides.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

_HUNK = re.compile(rb"@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@")
_NAMED = (b"--- ", b"+++ ", b"rename from ", b"rename to ", b"copy from ", b"copy to ")
_ESCAPES = {"a": 7, "b": 8, "t": 9, "n": 10, "v": 11, "f": 12, "r": 13, '"': 34, "\\": 92}


class DiffError(ValueError):
    """A diff that is cut or not well formed; the text says where."""


@dataclass(frozen=True)
class Hunk:
    """One hunk: its `@@` line, then its lines with their ends; `start` is the old line number."""

    header: str
    start: int
    text: bytes

    @property
    def before(self) -> tuple[str, ...]:
        """The lines the hunk expects to find, without ends."""
        lines = self.text.decode(errors="replace").split("\n")[1:-1]
        return tuple(line[1:] for line in lines if line[:1] in ("", " ", "-"))


@dataclass(frozen=True)
class FileDiff:
    """What a diff does to one file: `head` are the lines above the first hunk."""

    path: str
    names: tuple[str, ...]
    head: bytes
    hunks: tuple[Hunk, ...]


def find_diff(text: bytes) -> bytes:
    """The part of a mail's text from where git takes it for a diff; empty if it has none."""
    lines = _lines(text)
    for number in range(len(lines)):
        if _is_start(lines, number):
            return b"".join(lines[number:])
    return b""


def parse_diff(text: bytes) -> tuple[FileDiff, ...]:
    """All files of a diff. Raises DiffError where a hunk is short or a line makes no sense."""
    lines = _lines(text)
    files: list[FileDiff] = []
    at = 0
    while at < len(lines):
        if _is_start(lines, at):
            file, at = _read_file(lines, at)
            files.append(file)
        elif _HUNK.match(lines[at]):
            raise DiffError(f"a hunk without a file: {lines[at].decode(errors='replace').strip()}")
        else:
            at += 1
    return tuple(files)


def count_changes(files: Sequence[FileDiff]) -> tuple[int, int, int]:
    """Files, added and removed lines, as the last line of a diffstat counts them."""
    marks = [line[:1] for file in files for hunk in file.hunks for line in _lines(hunk.text)[1:]]
    return len(files), marks.count(b"+"), marks.count(b"-")


def unquote(name: bytes) -> str:
    """A file's name as git spells it in a header, C escapes undone, time stamps cut off."""
    text = name.rstrip(b"\r\n").partition(b"\t")[0].decode(errors="replace")
    if not text.startswith('"'):
        return text.rstrip(" ")
    raw = bytearray()
    for match in re.finditer(r"\\([0-7]{3})|\\(.)|([^\\])", text.strip('"')):
        octal, escape, plain = match.groups()
        if octal:
            raw.append(int(octal, 8) & 0xFF)
        elif escape:
            raw.append(_ESCAPES.get(escape, ord(escape) & 0xFF))
        else:
            raw += plain.encode()
    return raw.decode(errors="replace")


def hostile(name: str) -> bool:
    """Whether a path leaves the tree or reaches into git's own folder."""
    parts = name.split("/")
    return (
        name.startswith("/")
        or "\0" in name
        or any(part in (".", "..") or part.lower() == ".git" for part in parts)
    )


def _lines(text: bytes) -> list[bytes]:
    return [line + b"\n" for line in text.split(b"\n")[:-1]] + (
        [text.rpartition(b"\n")[2]] if text and not text.endswith(b"\n") else []
    )


def _is_start(lines: Sequence[bytes], at: int) -> bool:
    line = lines[at]
    if line.startswith(b"diff --git "):
        return True
    following = lines[at + 1] if at + 1 < len(lines) else b""
    return line.startswith(b"--- ") and following.startswith(b"+++ ")


def _read_file(lines: Sequence[bytes], at: int) -> tuple[FileDiff, int]:
    first = at
    names: list[str] = []
    at += 1
    if not lines[first].startswith(b"diff --git "):
        at = first
    while at < len(lines) and not _HUNK.match(lines[at]):
        line = lines[at]
        if at > first and line.startswith(b"diff --git "):
            break
        if line.startswith(b"GIT binary patch"):
            at = _skip_binary(lines, at + 1)
            break
        if names and not line.startswith((*_NAMED, b"similarity ", b"index ")):
            break
        names += [unquote(line[len(word) :]) for word in _NAMED if line.startswith(word)]
        at += 1
    head_end = at
    shown = _path(names, lines[first])
    hunks = []
    while at < len(lines) and _HUNK.match(lines[at]):
        hunk, at = _read_hunk(lines, at, shown)
        hunks.append(hunk)
    stripped = tuple(_strip(name) for name in (*names, *_git_names(lines[first])))
    real = tuple(dict.fromkeys(name for name in stripped if name))
    return FileDiff(shown, real, b"".join(lines[first:head_end]), tuple(hunks)), max(at, first + 1)


def _read_hunk(lines: Sequence[bytes], at: int, path: str) -> tuple[Hunk, int]:
    match = _HUNK.match(lines[at])
    assert match is not None
    header = lines[at].decode(errors="replace").rstrip()
    old, new = (int(match[2] or 1), int(match[4] or 1))
    first = at
    at += 1
    while old > 0 or new > 0:
        line = lines[at] if at < len(lines) else b""
        mark = line[:1]
        if mark not in (b" ", b"+", b"-", b"\\", b"\n") or not line.endswith(b"\n"):
            raise DiffError(f"{path}: hunk {header} {_damage(line, old, new)}")
        old -= mark in (b" ", b"-", b"\n")
        new -= mark in (b" ", b"+", b"\n")
        at += 1
    if old or new:
        raise DiffError(f"{path}: hunk {header} has other lines than it announces")
    while at < len(lines) and lines[at].startswith(b"\\"):
        at += 1
    return Hunk(header, int(match[1]), b"".join(lines[first:at])), at


def _damage(line: bytes, old: int, new: int) -> str:
    shown = line.decode(errors="replace").rstrip()
    where = f"at {shown[:60]!r}" if shown else "at the end"
    return f"is cut {where}: at least {max(old, new)} more lines are announced"


def _skip_binary(lines: Sequence[bytes], at: int) -> int:
    while at < len(lines) and not lines[at].startswith(b"diff --git "):
        if lines[at].startswith(b"-- "):
            break
        at += 1
    return at


def _path(names: Sequence[str], first: bytes) -> str:
    found = [name for name in names if name != "/dev/null"] or _git_names(first)
    return _strip(found[-1]) if found else "?"


def _git_names(line: bytes) -> list[str]:
    if not line.startswith(b"diff --git "):
        return []
    rest = line[len(b"diff --git ") :].rstrip(b"\n")
    quoted = re.findall(rb'"(?:[^"\\]|\\.)*"|\S+', rest)
    return [unquote(name) for name in quoted] if len(quoted) == 2 else []


def _strip(name: str) -> str:
    """Without the first folder (`a/`, `b/`), which is what -p1 means."""
    if name == "/dev/null":
        return ""
    return name.partition("/")[2] if name[:2] in ("a/", "b/") else name
