# SPDX-License-Identifier: GPL-2.0-only
"""How a verb ends: its status, or the words for what was raised."""

from __future__ import annotations

import sys
from collections.abc import Callable

import typer


def do(action: Callable[[], int]) -> None:
    """Run the verb's action and end with its exit status."""
    from kzc.cli.words import spoken

    raise typer.Exit(spoken(action, debug="--debug" in sys.argv))
