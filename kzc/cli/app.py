# SPDX-License-Identifier: GPL-2.0-only
"""The command line: one function per verb, which hands over to its group's file.

What a verb needs is imported when it runs, so that `kzc --help` answers at once.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from kzc import __version__
from kzc.cli import options as opt

app = typer.Typer(
    name="kzc",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="From a kernel patch series for zerocopy sockets and a tree to a verdict.",
)
tree = typer.Typer(no_args_is_help=True, help="Kernel trees: where they come from.")
series = typer.Typer(no_args_is_help=True, help="The series that kzc carries.")
app.add_typer(tree, name="tree")
app.add_typer(series, name="series")


def run(argv: Sequence[str]) -> int:
    """The exit status of a whole command line."""
    try:
        app(args=list(argv), prog_name="kzc")
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 2
    return 0


def _do(action: Callable[[], int]) -> None:
    from kzc.cli.words import spoken

    raise typer.Exit(spoken(action, debug="--debug" in sys.argv))


def _version(asked: bool) -> None:
    if asked:
        print(f"kzc {__version__}")
        raise typer.Exit


@app.callback()
def common(
    _d: Annotated[
        bool, typer.Option("--debug", envvar="KZC_DEBUG", help="Show tracebacks.")
    ] = False,
    _v: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Say which kzc.")
    ] = False,
) -> None:
    """From a kernel patch series for zerocopy sockets and a tree to a verdict."""


@app.command()
def doctor(as_json: opt.Json = False) -> None:
    """Look whether this machine has what the main job needs, and say how to get the rest."""
    from kzc.cli import machine

    _do(lambda: machine.doctor(as_json))


@tree.command("add")
def tree_add(name: str, source: str) -> None:
    """Add a tree: a path, a git URL with #ref, or debian:linux-source-6.12[@suite]."""
    from kzc.cli import trees

    _do(lambda: trees.add(name, source))


@tree.command("list")
def tree_list() -> None:
    """The trees that were added."""
    from kzc.cli import trees

    _do(trees.listed)


@tree.command("show")
def tree_show(name: Annotated[str, typer.Argument()] = "") -> None:
    """One tree: source, version, commit, tree id; without a name the one you stand in."""
    from kzc.cli import trees

    _do(lambda: trees.show(name))


@tree.command("remove")
def tree_remove(name: str) -> None:
    """Forget a tree; its source is not touched."""
    from kzc.cli import trees

    _do(lambda: trees.remove(name))


@series.command("list")
def series_list() -> None:
    """The series that kzc carries, with the bases they have patches for."""
    from kzc.cli import carried

    _do(carried.listed)


@series.command("show")
def series_show(name: str) -> None:
    """One series: cover, posted versions, bases, patches."""
    from kzc.cli import carried

    _do(lambda: carried.show(name))


@app.command()
@opt.takes(*opt.SOURCE)
def apply(asked: opt.Asked, name: str) -> None:
    """Apply a series (name, folder, mbox, or git range a..b): one verdict per patch."""
    from kzc.cli import mainjob

    _do(lambda: mainjob.apply(replace(asked, series=name)))


@app.command()
@opt.takes(*opt.KERNEL, "jobs")
def build(
    asked: opt.Asked,
    name: Annotated[str, typer.Argument(help="A series; none builds the tree as it is.")] = "",
) -> None:
    """Build a kernel; the same again is instant."""
    from kzc.cli import mainjob

    _do(lambda: mainjob.build(replace(asked, series=name)))


@app.command()
@opt.takes(*opt.GUEST)
def boot(
    asked: opt.Asked,
    name: Annotated[str, typer.Argument(help="A series; none boots the tree as it is.")] = "",
    command: Annotated[
        str, typer.Option("--exec", "-e", help="Run this and end with its status.")
    ] = "",
    kind: opt.Kind = "vng",
) -> None:
    """Boot a kernel (built first if need be): a shell, or one command with --exec."""
    from kzc.cli import boots

    _do(lambda: boots.boot(replace(asked, series=name, kind=kind), command))


@app.command("test")
@opt.takes(*opt.TEST)
def run_suites(
    asked: opt.Asked,
    suite: Annotated[list[str] | None, typer.Argument(help="Suites; none means all.")] = None,
) -> None:
    """Build a tree as it is, boot it, run suites in it."""
    from kzc.cli import mainjob

    _do(lambda: mainjob.run(replace(asked, suites=tuple(suite or ()))))


@app.command("run")
@opt.takes(*opt.TEST)
def run_series(
    asked: opt.Asked,
    name: Annotated[str, typer.Argument(metavar="SERIES")],
    suite: Annotated[
        list[str] | None, typer.Option("--suite", "-s", help="Instead of the series' own suites.")
    ] = None,
) -> None:
    """The main job: apply a series, build, boot, run its suites, report."""
    from kzc.cli import mainjob

    _do(lambda: mainjob.run(replace(asked, series=name, suites=tuple(suite or ()))))


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
    as_json: opt.Json = False,
) -> None:
    """Which patch of a series broke a test, the boot or a benchmark; it may fail now and then."""
    from kzc.cli import bisect as verb

    limits = (confidence, rate, rate_min, cap)
    wish = verb.Wish(test, signature, worse, *limits, grid, runs, replay, resume, as_json)
    _do(lambda: verb.bisect(replace(asked, series=name), wish))


@app.command()
def report(
    run_id: Annotated[str, typer.Argument(metavar="[RUN]", help="The newest if none.")] = "",
    form: Annotated[
        str, typer.Option("--format", "-f", help="text, markdown, json, junit or svg.")
    ] = "text",
) -> None:
    """Show a run's collated report; the exit status is the run's verdict."""
    from kzc.cli import reports

    _do(lambda: reports.report(run_id, form))


@app.command()
def runs() -> None:
    """All runs, the newest first."""
    from kzc.cli import reports

    _do(reports.runs)


@app.command()
def parse(
    form: Annotated[str, typer.Argument(metavar="FORMAT", help="A parser, or kernel-log.")],
    file: Path,
    status: Annotated[
        int | None, typer.Option(help="Exit status of the command; none: it was cut.")
    ] = None,
) -> None:
    """Replay a raw log through a parser and show the cases it finds."""
    from kzc.cli import reports

    _do(lambda: reports.parse(form, file, status))


@app.command()
def ps(as_json: opt.Json = False) -> None:
    """What runs now: runs, their guests and hosts, working or kept."""
    from kzc.cli import kept

    _do(lambda: kept.ps(as_json))


@app.command()
def stop(
    run_id: Annotated[str, typer.Argument(metavar="[RUN]", help="The only one if none.")] = "",
    everything: Annotated[bool, typer.Option("--all", help="All that run.")] = False,
) -> None:
    """End a run that goes on, with all its guests, as Ctrl-C does."""
    from kzc.cli import kept

    _do(lambda: kept.stopped(run_id, everything))


@app.command()
def shell(
    run_id: Annotated[str, typer.Argument(metavar="[RUN]", help="The only kept one if none.")] = "",
    machine: Annotated[
        str, typer.Argument(metavar="[MACHINE]", help="guest (if none) or host, see `kzc ps`.")
    ] = "",
) -> None:
    """A terminal on a guest or host of a run that was started with --keep; Ctrl-] leaves it."""
    from kzc.cli import kept

    _do(lambda: kept.shell(run_id, machine))


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
    """Remove worktrees, builds, kernels and images from the cache; what is in use stays."""
    from kzc.cli import machine

    _do(lambda: machine.clean(everything, days, size))
