# SPDX-License-Identifier: GPL-2.0-only
"""What builds, boots and tests, and what looks at runs or ends them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from kzc.cli import options as opt
from kzc.cli.verbs.doing import do

app = typer.Typer()


@app.command()
@opt.takes(*opt.KERNEL, "overlay", "jobs", "stream")
def build(
    asked: opt.Asked,
    name: Annotated[str, typer.Argument(help="A series; none builds the tree as it is.")] = "",
    suite: Annotated[
        list[str] | None, typer.Option("--suite", "-s", help="Configured for this suite, too.")
    ] = None,
) -> None:
    """Build a kernel; the same again is instant."""
    from kzc.cli import mainjob

    do(lambda: mainjob.build(replace(asked, series=name, suites=tuple(suite or ()))))


@app.command()
@opt.takes(*opt.GUEST, "overlay")
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

    do(lambda: boots.boot(replace(asked, series=name, kind=kind), command))


@app.command("test")
@opt.takes(*opt.TEST)
def run_suites(
    asked: opt.Asked,
    suite: Annotated[list[str] | None, typer.Argument(help="Suites; none means all.")] = None,
) -> None:
    """Build a tree as it is, boot it, run suites in it."""
    from kzc.cli import mainjob

    do(lambda: mainjob.run(replace(asked, suites=tuple(suite or ()))))


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

    do(lambda: mainjob.run(replace(asked, series=name, suites=tuple(suite or ()))))


@app.command()
def report(
    run_id: Annotated[str, typer.Argument(metavar="[RUN]", help="The newest if none.")] = "",
    form: Annotated[
        str,
        typer.Option(
            "--format",
            "-f",
            help="text, markdown, summary, json, junit, ktap, kcidb, html or svg.",
        ),
    ] = "",
    html: opt.Html = None,
    junit: opt.JUnit = None,
    json: Annotated[
        Path | None,
        typer.Option("--json", metavar="FILE", help="JSON; `kzc schema` says what is in it."),
    ] = None,
    kcidb: Annotated[
        Path | None, typer.Option("--kcidb", metavar="FILE", help="A KCIDB report (kernelci.org).")
    ] = None,
    ktap: Annotated[Path | None, typer.Option("--ktap", metavar="FILE", help="KTAP 1.")] = None,
    markdown: Annotated[
        Path | None,
        typer.Option("--markdown", metavar="FILE", help="Markdown, for a cover letter."),
    ] = None,
    summary: Annotated[
        Path | None,
        typer.Option("--summary", metavar="FILE", help="Markdown, for $GITHUB_STEP_SUMMARY."),
    ] = None,
) -> None:
    """Show a run's collated report, or write it to files; the exit status is the run's verdict."""
    from kzc.cli import reports

    files = {"html": html, "junit": junit, "json": json, "kcidb": kcidb, "ktap": ktap}
    files |= {"markdown": markdown, "summary": summary}
    do(lambda: reports.report(run_id, form, files))


@app.command()
def schema() -> None:
    """Print the JSON Schema of the JSON report."""
    from kzc.cli import reports

    do(reports.schema)


@app.command()
def serve(
    address: Annotated[
        str, typer.Option("--address", help="Listen here; only this machine can reach 127.0.0.1.")
    ] = "127.0.0.1",
    port: Annotated[
        int, typer.Option("--port", min=0, max=65535, help="0 takes one that is free.")
    ] = 8017,
    name: Annotated[
        list[str] | None,
        typer.Option("--name", metavar="HOST", help="A name that browsers call this machine by."),
    ] = None,
) -> None:
    """Show the kept runs in a browser, with their logs; nothing can be changed there."""
    from kzc.cli import serve as verb

    do(lambda: verb.serve(address, port, name or ()))


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

    do(lambda: reports.parse(form, file, status))


@app.command()
def ps(as_json: opt.Json = False) -> None:
    """What runs now: runs, their guests and hosts, working or kept."""
    from kzc.cli import kept

    do(lambda: kept.ps(as_json))


@app.command()
def stop(
    run_id: Annotated[str, typer.Argument(metavar="[RUN]", help="The only one if none.")] = "",
    everything: Annotated[bool, typer.Option("--all", help="All that run.")] = False,
) -> None:
    """End a run that goes on, with all its guests, as Ctrl-C does."""
    from kzc.cli import kept

    do(lambda: kept.stopped(run_id, everything))


@app.command()
def shell(
    run_id: Annotated[str, typer.Argument(metavar="[RUN]", help="The only kept one if none.")] = "",
    machine: Annotated[
        str, typer.Argument(metavar="[MACHINE]", help="guest (if none) or host; see `kzc ps`.")
    ] = "",
) -> None:
    """A terminal on a guest or host of a run that was started with --keep; Ctrl-] leaves it."""
    from kzc.cli import kept

    do(lambda: kept.shell(run_id, machine))
