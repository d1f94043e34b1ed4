# SPDX-License-Identifier: GPL-2.0-only
"""Texts from outside, made fit for where they are shown: one pure function for each place.

A guest, a compiler or a mail writes what it likes: escapes that drive a terminal, characters that
XML forbids, that reorder or hide the text around them, markup, a megabyte in one line. Rule: raw
text is cleaned where it is shown and nowhere else, logs and store keep it as it came. What is no
printable character becomes its escape as text (`\\x1b`, `\\u202e`), so that nothing vanishes; only
colours go. The same alphabet is good for terminal, SVG and XML; Markdown needs more.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

SHORT = 400
"""Characters of a name or reason that the reports for people show."""
LONG = 10 * SHORT
"""Characters of a command or path that they show."""

_COLOURS = re.compile(r"\x1b\[[0-9;:]*[mK]")
_MAYBE_ODD = re.compile(r"[^\t\n -~]")
_SURROGATE = re.compile("[\ud800-\udfff]")
# what GitHub, GitLab and their like turn into a link, a mention, an emoji or a formula
_MAGIC = re.compile(r"[@$]|://|(?i:www\.|mailto:|\bgh-\d)|[#!~%&^]\d|:[\w+-]+:")
_SPECIAL = re.compile(r"[\\`*\[\]~]|(?<![^\W_])_+|_+(?![^\W_])")
_HTML = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
_BLOCK_MARK = re.compile(r"^(\d+(?=[.)](?: |$))|(?=(?:#+|[+-])(?: |$)))")


def printable(text: object) -> str:
    """The text in printable characters and newlines; tabs become blanks, colours go."""
    text = str(text)
    if text.isprintable():
        return text
    text = _COLOURS.sub("", text).replace("\r\n", "\n")
    return _MAYBE_ODD.sub(lambda found: _shown(found[0]), text).expandtabs()


def line(text: object) -> str:
    """The text, printable, as one line with single blanks."""
    return " ".join(printable(text).split())


def short(text: object, limit: int = SHORT) -> str:
    """Like `line`; of a long one the beginning and how much was left out."""
    return cut(line(text), limit)


def cut(text: str, limit: int = SHORT) -> str:
    """A long text's beginning, and how much of it was left out."""
    rest = len(text) - limit
    return f"{text[:limit]} [{rest:,} more characters]" if rest > 0 else text


def lines(text: object, number: int = 30) -> tuple[str, ...]:
    """The first lines of the text, printable and each cut; says how many were left out."""
    found = printable(text).strip("\n").split("\n")
    shown = tuple(cut(each.rstrip()) for each in found[:number])
    rest = len(found) - number
    return (*shown, f"[{rest:,} more line{'s' * (rest > 1)} in the log]") if rest > 0 else shown


def paired(text: str) -> str:
    """For JSON: everything stays but a lone surrogate, which most readers of JSON refuse."""
    if text.isascii():
        return text
    return _SURROGATE.sub(lambda found: _shown(found[0]), text)


def sentence(text: object) -> str:
    """For Markdown: a sentence that is shown as it is, on one line, also inside a table.

    Words that a forge would turn into a link or a mention stand in code.
    """
    return _BLOCK_MARK.sub(r"\1\\", " ".join(map(_word, short(text).split(" "))))


def code(text: object) -> str:
    """For Markdown: a name or command in code, on one line; not for tables."""
    plain = short(text, LONG)
    if not plain:
        return ""
    fence = "`" * (_longest(plain) + 1)
    pad = " " if plain[0] == "`" or plain[-1] == "`" else ""
    return f"{fence}{pad}{plain}{pad}{fence}"


def block(texts: Iterable[str], language: str = "text") -> str:
    """For Markdown: lines in a fence that none of them can close."""
    body = "\n".join(map(printable, texts))
    fence = "`" * max(3, _longest(body) + 1)
    return f"{fence}{language}\n{body}\n{fence}"


def _shown(letter: str) -> str:
    if letter.isprintable():
        return letter
    number = ord(letter)
    if number <= 0xFF:
        return " " if letter == "\xa0" else f"\\x{number:02x}"
    return f"\\u{number:04x}" if number <= 0xFFFF else f"\\U{number:08x}"


def _word(word: str) -> str:
    if not _MAGIC.search(word):
        return _escaped(word).replace("|", "\\|")
    parts = word.split("|")
    return "\\|".join(code(part) if _MAGIC.search(part) else _escaped(part) for part in parts)


def _escaped(word: str) -> str:
    plain = re.sub("[&<>]", lambda found: _HTML[found[0]], word)
    return _SPECIAL.sub(lambda found: "".join(f"\\{letter}" for letter in found[0]), plain)


def _longest(text: str) -> int:
    return max(map(len, re.findall("`+", text)), default=0)
