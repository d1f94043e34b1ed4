# SPDX-License-Identifier: GPL-2.0-only
"""Which runs somebody wants to see. A value; empty fields want all."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Wanted:
    """`tree` is a tree's name, version, id or commit, `series` a name or the beginning of a
    series' key, `suite` a suite's name, `topology` loopback, pair or nested, `verdict` the word of
    a run's verdict or `unfinished`. `last` bounds how many, the newest ones; 0 is no bound."""

    tree: str = ""
    series: str = ""
    suite: str = ""
    topology: str = ""
    verdict: str = ""
    last: int = 0
