# SPDX-License-Identifier: GPL-2.0-only
"""What concerns this machine and no run: doctor, clean."""

from __future__ import annotations

from typing import Annotated

import typer

from kzc.cli import options as opt
from kzc.cli.verbs.doing import do

app = typer.Typer()


@app.command()
def doctor(as_json: opt.Json = False) -> None:
    """Look whether this machine has what the main job needs, and say how to get the rest."""
    from kzc.cli import machine

    do(lambda: machine.doctor(as_json))


@app.command()
def clean(
    everything: Annotated[bool, typer.Option("--all", help="Not only what is old.")] = False,
    days: Annotated[
        int | None, typer.Option(min=0, help="What was not used for so many days [30].")
    ] = None,
    size: Annotated[
        str, typer.Option(metavar="SIZE", help="The longest unused, until the rest is below: 20G.")
    ] = "",
) -> None:
    """Remove worktrees, builds, kernels and images from the cache; what is in use stays.

    Runs stay as well, with their logs; of these the plain copies go, too.
    """
    from kzc.cli import machine

    do(lambda: machine.clean(everything, days, size))
