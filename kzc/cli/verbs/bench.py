# SPDX-License-Identifier: GPL-2.0-only
"""Numbers: `kzc bench`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from kzc.cli import options as opt
from kzc.cli.verbs.doing import do

app = typer.Typer()


Clock = Annotated[
    str, typer.Option("--clock", help="wall (with KVM) or instructions (without): what is counted.")
]
Base = Annotated[
    str,
    typer.Option(
        "--base", metavar="KERNEL", help="Before: a tree, series, SERIES@v7, built kernel."
    ),
]
Against = Annotated[
    str, typer.Option("--against", metavar="RUN", help="Before: an earlier run of this plan.")
]
Replay = Annotated[
    str, typer.Option("--replay", metavar="RUN", help="Its tables again, nothing is measured.")
]
Out = Annotated[
    Path | None, typer.Option("--out", metavar="FOLDER", help="All formats and plots as files.")
]


@app.command()
@opt.takes(*opt.GUEST, "overlay", "jobs", "host", "accept", "stream")
def bench(
    asked: opt.Asked,
    name: Annotated[
        str, typer.Argument(metavar="[SERIES]", help="The plan's own, or the tree as it is.")
    ] = "",
    plan: Annotated[
        str, typer.Option("--plan", help="What to measure: a name (--list), or a .toml file.")
    ] = "",
    listed: Annotated[bool, typer.Option("--list", help="Show the plans there are.")] = False,
    dry: Annotated[
        bool, typer.Option("--dry-run", help="Show what would be measured; nothing is built.")
    ] = False,
    topology: Annotated[
        str, typer.Option("--topology", help="loopback, pair or nested [the plan's].")
    ] = "",
    rounds: Annotated[
        int | None, typer.Option("--rounds", min=1, help="Of each cell [the plan's, or 10].")
    ] = None,
    boots: Annotated[
        int | None, typer.Option("--boots", min=1, help="That rounds are shared out over.")
    ] = None,
    clock: Clock = "",
    base: Base = "",
    against: Against = "",
    tolerance: Annotated[
        float, typer.Option("--tolerance", min=0, help="Percent that a cell may get worse.")
    ] = 5.0,
    replay: Replay = "",
    form: Annotated[
        str, typer.Option("--format", "-f", help="text, markdown, csv, json or html.")
    ] = "text",
    as_json: opt.Json = False,
    full: Annotated[bool, typer.Option("--full", help="Every cell with its rounds.")] = False,
    out: Out = None,
) -> None:
    """Copy against zerocopy, before against after: tables that can be posted.

    1 where a cell failed, or got worse than --base or --against by more than --tolerance.
    """
    from kzc.cli import bench as verb
    from kzc.cli.bench_out import Shown

    shown = Shown("json" if as_json else form, full, out)
    asked = replace(asked, series=name)
    limits = (rounds, boots, clock, against, base, tolerance, replay)
    wish = verb.Wish(plan, topology, *limits, shown)
    if listed:
        do(verb.listed)
    elif dry:
        do(lambda: verb.dry_run(asked, wish))
    else:
        do(lambda: verb.bench(asked, wish))
