# SPDX-License-Identifier: GPL-2.0-only
"""The life of a series, from the mail to its next version; `kzc series` is what is kept of them."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

import typer

from kzc.cli import options as opt
from kzc.cli.verbs.doing import do

app = typer.Typer()
series = typer.Typer(no_args_is_help=True, help="The series that kzc carries, and those imported.")
app.add_typer(series, name="series")


@series.command("list")
def series_list(as_json: opt.Json = False) -> None:
    """The series that kzc carries, with the bases they have patches for, and those imported."""
    from kzc.cli import carried

    do(lambda: carried.listed(as_json=as_json))


@series.command("show")
def series_show(name: str, as_json: opt.Json = False) -> None:
    """The history of one series: what for, when posted, what became of it, patches, suites."""
    from kzc.cli import carried

    do(lambda: carried.show(name, as_json=as_json))


@series.command("remove")
def series_remove(name: str) -> None:
    """Forget a series that was imported."""
    from kzc.cli import carried

    do(lambda: carried.remove(name))


@app.command("import")
def take_in(
    source: Annotated[
        str, typer.Argument(help="mbox, Maildir, folder, Message-ID, URL with one, or range a..b.")
    ],
    name: Annotated[str, typer.Option("--name", help="Instead of one made of the title.")] = "",
    version: Annotated[
        int | None, typer.Option("--version", min=1, help="This version [the newest].")
    ] = None,
    posting: Annotated[
        str, typer.Option("--posting", help="The posting with the mail of this Message-ID.")
    ] = "",
    swap: Annotated[
        bool, typer.Option("--replace", help="Let another series of that name go.")
    ] = False,
    as_json: opt.Json = False,
) -> None:
    """Take a posted series in, with the trailers of its replies, and keep it by a name."""
    from kzc.cli import intake
    from kzc.series.choose import Choice

    do(lambda: intake.take_in(source, name, Choice(version or 0, posting), swap, as_json))


@app.command("base")
def find_base(
    name: Annotated[str, typer.Argument(metavar="SERIES")],
    trees: Annotated[
        list[str] | None,
        typer.Option("--tree", "-t", help="Look only in this tree; may be repeated."),
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="Try every candidate.")] = False,
    quick: Annotated[
        bool, typer.Option("--quick", help="Do not prove the answer in a whole worktree.")
    ] = False,
    as_json: opt.Json = False,
) -> None:
    """Find the commit that a series was made for, in all trees with their branches and tags."""
    from kzc.cli import base

    asked = base.Asked(name, tuple(trees or ()), everything, quick, as_json)
    do(lambda: base.base(asked))


@app.command()
@opt.takes(*opt.SOURCE)
def apply(
    asked: opt.Asked,
    name: str,
    onto: Annotated[
        str, typer.Option("--onto", metavar="TREE", help="Port it to this tree, by merging.")
    ] = "",
    port_name: Annotated[str, typer.Option("--name", help="The port's name.")] = "",
    anew: Annotated[
        bool, typer.Option("--replace", help="Take the place of a finished port of that name.")
    ] = False,
    as_json: opt.Json = False,
) -> None:
    """Apply a series (name, folder, mbox, or git range a..b): one verdict per patch.

    With --onto each patch is merged from the tree it is for (--tree, or the base it names) to
    another one; in a conflict a worktree is left for you, and `kzc continue` goes on.
    """
    asked = replace(asked, series=name)
    if onto:
        from kzc.cli import port

        wanted = port.Wanted(onto, port_name, anew)
        do(lambda: port.onto(asked, wanted, as_json))
    else:
        from kzc.cli import mainjob

        do(lambda: mainjob.apply(asked))


@app.command("continue")
def go_on(
    name: Annotated[str, typer.Argument(metavar="[PORT]", help="The only one if none.")] = "",
    abort: Annotated[bool, typer.Option("--abort", help="Throw it away instead.")] = False,
    as_json: opt.Json = False,
) -> None:
    """Go on with `kzc apply --onto` after you have resolved its conflicts."""
    from kzc.cli import port

    do(lambda: port.go_on(name, abort, as_json))


@app.command()
@opt.takes(*opt.GUEST, "jobs", *opt.FILES)
def check(
    asked: opt.Asked,
    name: Annotated[
        str, typer.Argument(metavar="SERIES", help="- reads one mail from standard input.")
    ],
    test: Annotated[
        list[str] | None, typer.Option("--test", help="Run this suite on each patch's kernel.")
    ] = None,
    allmodconfig: Annotated[
        bool,
        typer.Option("--allmodconfig-like", help="Touched folders in an allmodconfig, too."),
    ] = False,
    b4: Annotated[bool, typer.Option("--b4", help="Print JSON for `b4 review`; status 0.")] = False,
    terse: Annotated[
        bool, typer.Option("--terse", help="Print a line for each thing found; status 0.")
    ] = False,
    as_json: opt.Json = False,
) -> None:
    """Check each patch on top of the one before: build, warnings, style, mail, selftests."""
    from kzc.cli import check

    form = "b4" if b4 else "terse" if terse else "json" if as_json else "text"
    job = replace(asked, series=name, suites=tuple(test or ()))
    do(lambda: check.check(job, allmodconfig, form))


@app.command()
@opt.takes("tree")
def compare(
    asked: opt.Asked,
    old: Annotated[str, typer.Argument(metavar="OLD")],
    new: Annotated[str, typer.Argument(metavar="NEW")],
    form: Annotated[
        str, typer.Option("--format", "-f", help="text, markdown (for a cover letter) or json.")
    ] = "text",
    as_json: opt.Json = False,
    full: Annotated[
        bool, typer.Option("--full", help="The cover letters too, and no interdiff cut.")
    ] = False,
    series: Annotated[
        str, typer.Option("--series", help="Between trees or topologies: of it.")
    ] = "",
    last: Annotated[
        int, typer.Option("--last", "-n", min=1, help="Rates are over so many runs of each.")
    ] = 10,
    tolerance: Annotated[
        float | None,
        typer.Option(metavar="PERCENT", min=0, help="1 as well where a figure is slower by more."),
    ] = None,
) -> None:
    """What changed from one version of a series to the next, and in the newest runs of both.

    OLD and NEW are series, two runs of `kzc runs`, two trees of `kzc tree list`, or two topologies;
    1 where a test case regressed.
    """
    from kzc.cli import compare as verb
    from kzc.results.wanted import Wanted

    shown = verb.Shown("json" if as_json else form, full, tolerance)
    wanted = Wanted(asked.tree or "", series, last=last)
    do(lambda: verb.compare(asked, old, new, shown, wanted))


@app.command()
@opt.takes(*opt.GUEST)
def bisect(
    asked: opt.Asked,
    name: Annotated[
        str, typer.Argument(metavar="[SERIES]", help="A series, or a range of commits a..b.")
    ] = "",
    test: Annotated[
        str, typer.Option("--test", metavar="SUITE[:CASE]", help="What fails; boot: the boot.")
    ] = "",
    signature: Annotated[
        str, typer.Option("--signature", help="Part of the failure's name; else the first one's.")
    ] = "",
    worse: Annotated[
        str, typer.Option("--worse", metavar="NAME=X%", help="A sample; =+X%: larger is worse.")
    ] = "",
    confidence: Annotated[float, typer.Option("--confidence", help="When to be content.")] = 0.99,
    rate: Annotated[
        float | None, typer.Option("--rate", help="How often it fails, if you know; saves runs.")
    ] = None,
    rate_min: Annotated[
        float | None, typer.Option("--rate-min", help="How seldom it may fail [0.05].")
    ] = None,
    cap: Annotated[int, typer.Option("--max-runs", min=1, help="Runs in all.")] = 1000,
    grid: Annotated[bool, typer.Option("--grid", help="Run every patch, do not search.")] = False,
    runs: Annotated[int, typer.Option("--runs", min=1, help="Of each patch, with --grid.")] = 10,
    replay: Annotated[
        str, typer.Option("--replay", metavar="LOG|RUN", help="The answer again, nothing is run.")
    ] = "",
    resume: Annotated[
        str, typer.Option("--resume", metavar="RUN", help="Go on from a run that was cut short.")
    ] = "",
    last_programs: Annotated[
        bool, typer.Option("--last-programs", help="The last patch's test programs on each kernel.")
    ] = False,
    as_json: opt.Json = False,
) -> None:
    """Which patch of a series broke a test, the boot or a benchmark; it may fail now and then."""
    from kzc.cli import bisect as verb

    limits = (confidence, rate, rate_min, cap)
    told = (replay, resume, last_programs, as_json)
    wish = verb.Wish(test, signature, worse, *limits, grid, runs, *told)
    do(lambda: verb.bisect(replace(asked, series=name), wish))
