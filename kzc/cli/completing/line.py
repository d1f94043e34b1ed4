# SPDX-License-Identifier: GPL-2.0-only
"""The words of a command line that is still being typed; nothing of it is ever executed."""

from __future__ import annotations

import re
import shlex


def words_of(line: str) -> tuple[tuple[str, ...], str]:
    """The whole words behind the program's name, and the one that is being typed.

    A quote that is still open is closed at the end. Assignments before the program are left out.
    """
    lexer = shlex.shlex(line, posix=True)
    lexer.whitespace_split, lexer.commenters = True, ""
    words: list[str] = []
    try:
        words.extend(lexer)
        typed = "" if line[-1:].isspace() or not words else words.pop()
    except ValueError:
        typed = lexer.token
    while words and re.match(r"\w+=", words[0]):
        del words[0]
    return tuple(words[1:]), typed
