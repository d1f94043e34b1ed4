# SPDX-License-Identifier: GPL-2.0-only
"""What looks at the runs that are kept, and takes them to other machines."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from kzc.cli import options as opt
from kzc.cli.verbs.doing import do

app = typer.Typer()

_Tree = Annotated[str, typer.Option("--tree", "-t", help="On this tree: name, version or commit.")]
_Series = Annotated[str, typer.Option("--series", help="Of this series.")]
_Last = Annotated[int, typer.Option("--last", "-n", min=0, help="Only so many, the newest.")]


@app.command()
def runs(
    tree: _Tree = "",
    series: _Series = "",
    suite: Annotated[str, typer.Option("--suite", "-s", help="With this suite.")] = "",
    verdict: Annotated[
        str, typer.Option("--verdict", help="With this verdict: pass, fail, ..., unfinished.")
    ] = "",
    last: _Last = 0,
    as_json: opt.Json = False,
) -> None:
    """All runs, the newest first."""
    from kzc.cli import runs as verb
    from kzc.results.wanted import Wanted

    wanted = Wanted(tree, series, suite, verdict=verdict, last=last)
    do(lambda: verb.listed(wanted, as_json))


@app.command()
def show(
    run_id: Annotated[str, typer.Argument(metavar="RUN")],
    file: Annotated[str, typer.Argument(metavar="[FILE]", help="Print this file of it.")] = "",
    as_json: opt.Json = False,
) -> None:
    """What is kept of a run: what it was made with, what was found, its logs; or one of these."""
    from kzc.cli import runs as verb

    do(lambda: verb.show(run_id, file, as_json))


@app.command()
def history(
    case: Annotated[str, typer.Argument(metavar="CASE", help="CASE, SUITE:CASE, or a SUITE.")],
    tree: _Tree = "",
    series: _Series = "",
    last: Annotated[
        int, typer.Option("--last", "-n", min=0, help="Of each only so many sightings [all].")
    ] = 0,
    as_json: opt.Json = False,
) -> None:
    """A test case from run to run: how often it was bad, and since when; 1 where it is bad now."""
    from kzc.cli import runs as verb
    from kzc.results.wanted import Wanted

    do(lambda: verb.history(case, Wanted(tree, series, last=last), as_json))


@app.command()
def seeds(
    seed: Annotated[
        list[str] | None, typer.Argument(metavar="[SEED...]", help="Like 002; none means all.")
    ] = None,
    tree: _Tree = "",
    form: Annotated[
        str, typer.Option("--format", "-f", help="text, markdown, json or html.")
    ] = "text",
    as_json: opt.Json = False,
) -> None:
    """What was claimed of zerocopy where it was posted, and whether it holds by the kept runs."""
    from kzc.cli import seeds as verb

    do(lambda: verb.seeds(seed or (), tree, "json" if as_json else form))


@app.command("export")
def export_run(
    run_id: Annotated[str, typer.Argument(metavar="RUN")],
    file: Annotated[
        Path | None, typer.Argument(metavar="[FILE]", help="To write [RUN.tar.zst].")
    ] = None,
) -> None:
    """Put a run with its logs into one file, for `kzc load` on another machine."""
    from kzc.cli import travel

    do(lambda: travel.export(run_id, file))


@app.command("load")
def load_run(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="From `kzc export`, or an old run's folder.")
    ],
    limit: Annotated[
        str, typer.Option("--limit", metavar="SIZE", help="Refuse what holds more than that.")
    ] = "4G",
) -> None:
    """Take in a run that was exported elsewhere. What the file says is checked, not trusted."""
    from kzc.cli import travel

    do(lambda: travel.load(file, limit))


@app.command()
def forget(
    run_ids: Annotated[list[str] | None, typer.Argument(metavar="[RUN]...")] = None,
    days: Annotated[
        int, typer.Option(min=0, help="All that were begun more than so many days ago.")
    ] = 0,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say which.")] = False,
) -> None:
    """Take runs out of the store, with the logs that no other run has."""
    from kzc.cli import runs as verb

    do(lambda: verb.forget(tuple(run_ids or ()), days, dry_run))
