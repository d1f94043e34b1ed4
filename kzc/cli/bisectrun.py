# SPDX-License-Identifier: GPL-2.0-only
"""`--bisect-run`: a run as a step of `git bisect run`, whose statuses mean something else.

There 1 to 127 but 125 is "bad". So whatever tells nothing of the commit must not end like that,
a fault of kzc's own included.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable

from kzc.cli.unread import write_out
from kzc.cli.words import spoken
from kzc.results.store import OpenRun
from kzc.results.verdicts import STOP, bisect_status


def for_git(work: Callable[[Callable[[OpenRun], None]], int]) -> int:
    """Do `work`, which tells of the run that it opens; the status is for `git bisect run`."""
    begun: list[OpenRun] = []

    def written() -> int:
        status = work(begun.append)
        write_out()
        return status

    try:
        status = spoken(written)
    except BrokenPipeError:  # nobody reads on; the status of that is above 127, too
        raise
    except Exception:
        traceback.print_exc()
        return STOP
    return bisect_status(begun[0].run if begun else None, status)
