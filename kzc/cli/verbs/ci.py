# SPDX-License-Identifier: GPL-2.0-only
"""`kzc ci`: many trees, series and topologies in one go."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from kzc.cli import options as opt
from kzc.cli.verbs.doing import do

app = typer.Typer()


@app.command()
def ci(
    file: Annotated[
        Path | None,
        typer.Argument(metavar="[FILE]", help="The nearest kzc.toml with [[ci.matrix]] if none."),
    ] = None,
    plan: Annotated[bool, typer.Option("--plan", help="Show the jobs, run nothing.")] = False,
    fetch: Annotated[
        bool, typer.Option("--fetch", help="Look for newer commits of the trees of [ci.trees].")
    ] = False,
    scheduler: Annotated[
        str, typer.Option("--scheduler", metavar="ADDRESS", help="Run on a dask cluster.")
    ] = "",
    budget: Annotated[
        str, typer.Option("--budget", metavar="TIME", help="90 min, 2 h: what is left is not run.")
    ] = "",
    reports: Annotated[
        Path | None,
        typer.Option("--reports", metavar="FOLDER", help="Put the report there in all formats."),
    ] = None,
    cpus: Annotated[
        int | None, typer.Option("--cpus", min=1, help="CPUs for jobs at once [all].")
    ] = None,
    memory: Annotated[
        str, typer.Option("--memory", metavar="SIZE", help="Memory for jobs at once [free]: 8G.")
    ] = "",
    as_json: opt.Json = False,
) -> None:
    """Test what kzc.toml names: trees by series by topologies by suites, to one report.

    Tests share their kernels, the longest go first, what fails is tried once more and stays a
    failure, and only what is required decides the exit status.
    """
    from kzc.cli import ci as verb

    do(
        lambda: verb.ci(
            verb.Asked(file, plan, fetch, scheduler, budget, reports, cpus, memory, as_json)
        )
    )
