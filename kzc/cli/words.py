# SPDX-License-Identifier: GPL-2.0-only
"""The one place where errors become words, and the exit status of a command is decided.

Error messages hold what git, compilers and guests said, so they are cleaned like everything else.
"""

from __future__ import annotations

import io
import sys
import traceback
from collections.abc import Callable

from rich.console import Console
from rich.text import Text

from kzc.cli.unread import left
from kzc.errors import KzcError
from kzc.results.clean import lines

INTERRUPTED = 130


def spoken(action: Callable[[], int], debug: bool = False) -> int:
    """The status of `action`, or what its error says: message and hint go to stderr.

    Raises BrokenPipeError where nobody reads what is printed; others that broke are errors.
    """
    _speaks_any_encoding()
    console = Console(stderr=True, soft_wrap=True, highlight=False)
    try:
        return action()
    except KzcError as error:
        if debug:
            _trace(console)
        console.print(Text.assemble(("kzc: ", "bold red"), _said(error.message)))
        if error.hint:
            console.print(Text.assemble(("next: ", "bold"), _said(error.hint)))
        return error.exit_code
    except KeyboardInterrupt:
        console.print("kzc: interrupted; nothing was left running, the same command works again")
        return INTERRUPTED
    except OSError as error:
        if isinstance(error, BrokenPipeError) and left():
            raise
        if debug:
            _trace(console)
        console.print(Text.assemble(("kzc: ", "bold red"), _said(error)))
        console.print(Text.assemble(("next: ", "bold"), "`kzc doctor` looks at this machine"))
        return 3


def _said(what: object) -> str:
    return "\n".join(lines(what, 60))


def _trace(console: Console) -> None:
    console.print(Text("\n".join(lines(traceback.format_exc(), 1000))))


def _speaks_any_encoding() -> None:
    """What the terminal's or file's encoding lacks is escaped, and is no error."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
