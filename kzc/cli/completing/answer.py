# SPDX-License-Identifier: GPL-2.0-only
"""The answer to `kzc --complete-line LINE`: words that no shell can misread, or none.

It is read by a script while somebody types, so it never says why there is nothing to offer.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from kzc.cli.completing.line import words_of
from kzc.cli.completing.names import Names, data_folder
from kzc.cli.completing.walk import Candidate, candidates

# no blank, quote, $, `, backslash, glob or control character; a value is no option
_PLAIN = re.compile(r"(--?)?[A-Za-z0-9][A-Za-z0-9_.+:@,/=-]*")


def answer(root: Any, arguments: Sequence[str]) -> int:
    """Print the candidates, `word<TAB>what it is`, for the line that was handed over."""
    try:
        found = _found(root, arguments[0] if arguments else "")
        sys.stdout.write("".join(map(_shown, found)))
    except Exception:  # whatever it is, it must not come between the user and the prompt
        return 1
    return 0


def _found(root: Any, line: str) -> list[Candidate]:
    words, typed = words_of(line)
    names = Names(data_folder(Path.cwd(), os.environ))
    found = candidates(root, words, typed, names.values)
    return [each for each in found if _PLAIN.fullmatch(each.word)]


def _shown(found: Candidate) -> str:
    told = re.sub(r"[^ -~]", "?", found.help)
    return f"{found.word}\t{told}\n" if told else f"{found.word}\n"
