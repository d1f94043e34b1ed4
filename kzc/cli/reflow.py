# SPDX-License-Identifier: GPL-2.0-only
"""Texts of kzc filled anew for a terminal: paragraphs and items of lists.

Headings, tables and code stay as they are, and so do words that are wider than the width.
"""

from __future__ import annotations

import re
import shutil
import sys
import textwrap

_ITEM = re.compile(r" *(?:[-*]|\d+\.) +")
_FENCE = "```"
_CODE = " " * 4
_WIDEST = 100


def room() -> int | None:
    """The terminal's columns, as many as can be read well; None where output goes elsewhere."""
    return min(_WIDEST, shutil.get_terminal_size().columns) if sys.stdout.isatty() else None


def reflow(text: str, width: int) -> str:
    """A text in Markdown, its lines at most `width` wide where words allow it."""
    done: list[str] = []
    block: list[str] = []  # lines of the paragraph or item that is being read
    fenced = False
    for line in text.split("\n"):
        fence = line.lstrip().startswith(_FENCE)
        code = fenced or fence or (line.startswith(_CODE) and not block)
        stays = code or not line.strip() or line.startswith(("#", "|"))
        if block and (stays or _ITEM.match(line)):
            done += _block(block, width)
            block = []
        if stays:
            done.append(line)
        else:
            block.append(line)
        fenced ^= fence
    return "\n".join([*done, *(_block(block, width) if block else ())])


def filled(text: str, width: int, hang: int = 0, indent: int = 0) -> list[str]:
    """A text as lines at most `width` wide where words allow it, the first one `indent` to the
    right and the others `hang` more."""
    return textwrap.wrap(
        text,
        width,
        initial_indent=" " * indent,
        subsequent_indent=" " * (indent + hang),
        break_long_words=False,
        break_on_hyphens=False,
    )


def _block(lines: list[str], width: int) -> list[str]:
    first = lines[0]
    indent = len(first) - len(first.lstrip())
    item = _ITEM.match(first)
    hang = len(item[0]) - indent if item else 0
    return filled(" ".join(line.strip() for line in lines), width, hang, indent)
