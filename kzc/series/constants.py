# SPDX-License-Identifier: GPL-2.0-only
"""The integer constants that a C header defines: macros, enumerators, ioctl numbers. Pure.

No preprocessor: both branches of an `#if` are read and remembered as exclusive. A macro that only
names other constants has no value of its own: it is an alias or a mask, and free to equal them.
"""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

_COMMENT = re.compile(r"/\*.*?(?:\*/|\Z)|//[^\n]*|\"(?:[^\"\\\n]|\\.)*\"", re.S)
_DEFINE = re.compile(r"\s*#\s*define\s+([A-Za-z_]\w*)\s+(\S.*)")
_CONDITION = re.compile(r"\s*#\s*(if|ifdef|ifndef|elif|else|endif)\b")
_ENUM = re.compile(r"\benum\b(\s+\w+)?\s*\{([^{}]*)\}")
_ENUMERATOR = re.compile(r"\s*([A-Za-z_]\w*)\s*(?:=\s*(.+))?\s*", re.S)
_IOCTL = re.compile(r"_IO(R|W|WR)?(?:_BAD)?\(\s*('.'|\w+)\s*,\s*([^,)]+?)\s*[,)]")
_BIT = re.compile(r"\b(?:_BITULL|_BITUL|BIT_ULL|BIT)\b")
_SUFFIX = re.compile(r"\b(0[xX][0-9a-fA-F]+|\d+)[uUlL]+\b")
_OCTAL = re.compile(r"(?<![\w.])0([0-7]+)\b")
_NAME = re.compile(r"\b[A-Za-z_]\w*\b")
_BY_NAME = re.compile(r"<<\s*\(?\s*([A-Za-z_]\w*)")
_OPERATORS: dict[type[ast.operator], Callable[[int, int], int]] = {
    ast.LShift: operator.lshift,
    ast.BitOr: operator.or_,
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
}


@dataclass(frozen=True)
class Constant:
    """`name` in line `line` of `file`; `shown` is the value as written there.

    `space` says what kind it is: `macro`, `enum N` (of the file, from 0), or the direction and
    type of an ioctl, whose `value` then is its number. `paragraph` counts the blank lines above,
    `branches` are the conditions it stands under: which `#if` of the file, which of its branches.
    """

    file: str
    line: int
    name: str
    value: int
    shown: str
    space: str
    paragraph: int
    branches: tuple[tuple[int, int], ...] = ()

    @property
    def prefix(self) -> str:
        """The name's first word: `IP` of IP_TOS."""
        return self.name.lstrip("_").partition("_")[0]

    def excludes(self, other: Constant) -> bool:
        """Whether the two stand in different branches of one `#if`."""
        mine = dict(self.branches)
        return any(mine.get(block, branch) != branch for block, branch in other.branches)


def read_constants(file: str, text: str) -> tuple[Constant, ...]:
    """All constants of a header whose values can be told, in order."""
    plain = _COMMENT.sub(_blanked, text)
    lines = plain.split("\n")
    branches = list(_branches(lines))
    blanks = _paragraphs(text.split("\n"))
    values: dict[str, int] = {}
    found = []
    enums = sorted(_enums(plain, values), key=lambda entry: entry[0])
    for number, name, value, shown, space in enums:
        values.setdefault(name, value)
        found.append((number, name, value, shown, space))
    for number, line in enumerate(lines):
        match = _DEFINE.match(_continued(lines, number) if line.endswith("\\") else line)
        if match is None:
            continue
        name, shown = match[1], match[2].strip()
        read = _ioctl(shown, values) or _plain(shown, values)
        if read is not None:
            values.setdefault(name, read[0])
            found.append((number, name, read[0], shown, read[1]))
    return tuple(
        Constant(file, number + 1, name, value, shown, space, blanks[number], branches[number])
        for number, name, value, shown, space in sorted(found, key=lambda entry: entry[0])
    )


def _blanked(match: re.Match[str]) -> str:
    """A comment's blank lines are none of the file's own; its line ends stay."""
    if match[0].startswith('"'):
        return match[0]
    return re.sub(r"[^\n]+", " ", match[0])


def _continued(lines: list[str], number: int) -> str:
    """The line with those that its backslash and theirs draw in."""
    text = ""
    while number < len(lines) and lines[number].endswith("\\"):
        text += lines[number][:-1]
        number += 1
    return text + (lines[number] if number < len(lines) else "")


def _paragraphs(lines: list[str]) -> list[int]:
    found, count = [], 0
    for line in lines:
        count += not line.strip()
        found.append(count)
    return found


def _branches(lines: list[str]) -> Iterator[tuple[tuple[int, int], ...]]:
    open_blocks: list[tuple[int, int]] = []
    blocks = 0
    for line in lines:
        match = _CONDITION.match(line)
        word = match[1] if match else ""
        if word.startswith("if"):
            open_blocks.append((blocks, 0))
            blocks += 1
        elif word == "endif" and open_blocks:
            open_blocks.pop()
        elif word and open_blocks:
            block, branch = open_blocks.pop()
            open_blocks.append((block, branch + 1))
        yield tuple(open_blocks)


_Entry = tuple[int, str, int, str, str]


def _enums(plain: str, values: Mapping[str, int]) -> Iterator[_Entry]:
    """Line (from 0), name, value, text and space of each enumerator."""
    known = dict(values)
    without = re.sub(r"(?m)^[ \t]*#[^\n]*$", "", plain)
    for count, block in enumerate(_ENUM.finditer(without)):
        following: int | None = 0
        at = block.start(2)
        for part in block[2].split(","):
            match = _ENUMERATOR.fullmatch(part)
            start, at = at, at + len(part) + 1
            if match is None:
                continue
            if match[2]:
                read = _plain(match[2].strip(), known)
                following = read[0] if read else None
            if following is None:  # it, and what counts on from it, cannot be told
                continue
            number = without.count("\n", 0, start + match.start(1))
            known[match[1]] = following
            yield number, match[1], following, match[2] or str(following), f"enum {count}"
            following += 1


def _ioctl(text: str, values: Mapping[str, int]) -> tuple[int, str] | None:
    match = _IOCTL.match(text)
    if match is None:
        return None
    kind = str(ord(match[2][1])) if match[2].startswith("'") else match[2]
    number = _plain(match[3], values)
    letter = values.get(kind, kind)
    return (number[0], f"_IO{match[1] or ''} {letter}") if number else None


def _plain(text: str, values: Mapping[str, int]) -> tuple[int, str] | None:
    """The value of an expression of numbers; a name may only say how far to shift."""
    shifts = {name for name in _BY_NAME.findall(text) if name in values}
    text = _SUFFIX.sub(r"\1", text)
    text = _OCTAL.sub(r"0o\1", _BIT.sub("1 << ", text))
    text = _NAME.sub(lambda found: str(values[found[0]]) if found[0] in shifts else found[0], text)
    try:
        value = _evaluated(ast.parse(text, mode="eval").body)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    return value, "macro"


def _evaluated(node: ast.expr) -> int:
    if isinstance(node, ast.Constant) and type(node.value) is int:
        return node.value
    if isinstance(node, ast.BinOp) and type(node.op) in _OPERATORS:
        left, right = _evaluated(node.left), _evaluated(node.right)
        if isinstance(node.op, ast.LShift) and not 0 <= right < 128:
            raise ValueError("no shift of a number in a header")
        return _OPERATORS[type(node.op)](left, right)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return -_evaluated(node.operand)
    raise ValueError("more than numbers")
