# SPDX-License-Identifier: GPL-2.0-only
"""The one place where errors become words, and the exit status of a command is decided."""

from __future__ import annotations

import traceback
from collections.abc import Callable

from rich.console import Console
from rich.text import Text

from kzc.errors import KzcError

INTERRUPTED = 130


def spoken(action: Callable[[], int], debug: bool = False) -> int:
    """The status of `action`, or what its error says: message and hint go to stderr."""
    console = Console(stderr=True, soft_wrap=True, highlight=False)
    try:
        return action()
    except KzcError as error:
        if debug:
            traceback.print_exc()
        console.print(Text.assemble(("kzc: ", "bold red"), error.message))
        if error.hint:
            console.print(Text.assemble(("next: ", "bold"), error.hint))
        return error.exit_code
    except KeyboardInterrupt:
        console.print("kzc: interrupted; nothing was left running, the same command works again")
        return INTERRUPTED
    except OSError as error:
        if debug:
            traceback.print_exc()
        console.print(Text.assemble(("kzc: ", "bold red"), str(error)))
        console.print(Text.assemble(("next: ", "bold"), "`kzc doctor` looks at this machine"))
        return 3
