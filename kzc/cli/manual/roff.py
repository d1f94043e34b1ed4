# SPDX-License-Identifier: GPL-2.0-only
"""man(7): texts to roff that neither groff nor mandoc warns of. Source: groff_man(7), groff_char(7)

Input is UTF-8; what leaves is ASCII, every other character by its code.
"""

from __future__ import annotations

import re
import textwrap

_WIDTH = 78  # and room for what makes a line safe
_GLYPHS = {"\\": "\\e", "-": "\\-", "'": "\\(aq", "`": "\\(ga", "^": "\\(ha", "~": "\\(ti"}


def plain(text: str) -> str:
    """Text for a line of roff: nothing in it is a request, an escape or a ligature of signs."""
    return "".join(
        _GLYPHS.get(sign, sign) if " " <= sign <= "~" else f"\\[u{ord(sign):04X}]"
        for sign in re.sub(r"\s+", " ", text)
    )


def bold(text: str) -> str:
    """Text as it has to be typed."""
    return f"\\fB{plain(text)}\\fR" if text else ""


def italic(text: str) -> str:
    """Text that stands for other text."""
    return f"\\fI{plain(text)}\\fR" if text else ""


def marked(text: str) -> str:
    """Plain text in which `code` becomes bold."""
    return "".join(
        bold(part) if number % 2 else plain(part) for number, part in enumerate(text.split("`"))
    )


def safe(line: str) -> str:
    """A line of output that does not begin as a request does."""
    return f"\\&{line}" if line.startswith((".", "'")) else line


def filled(text: str) -> list[str]:
    """Lines of at most 80 characters, which groff fills again."""
    lines = textwrap.wrap(text, _WIDTH, break_long_words=False, break_on_hyphens=False)
    return [safe(line) for line in lines]


def section(name: str) -> list[str]:
    """The heading of a section."""
    return [f'.SH "{plain(name.upper())}"']


def paragraph(text: str) -> list[str]:
    """A paragraph of text that is roff already."""
    return [".PP", *filled(text)]


def entry(term: str, text: str) -> list[str]:
    """A term, and what is to be said of it, both roff already."""
    return [".TP", safe(term), *filled(text)]


def verbatim(text: str) -> list[str]:
    """Lines as they are, in an example."""
    lines = [safe(_spaced(line)) for line in text.rstrip("\n").split("\n")]
    return [".PP", ".RS 4", ".nf", *(line or "\\&" for line in lines), ".fi", ".RE"]


def head(name: str, number: int, date: str, source: str) -> list[str]:
    """How a page begins."""
    return [f'.TH "{plain(name.upper())}" {number} "{date}" "{plain(source)}" "kzc manual"']


def _spaced(line: str) -> str:
    expanded = line.expandtabs(8)
    indent = len(expanded) - len(expanded.lstrip(" "))
    body = "".join(plain(part) if part.strip() else part for part in re.split(r"( +)", expanded))
    return body if indent == 0 else " " * indent + body.lstrip(" ")
