# SPDX-License-Identifier: GPL-2.0-only
"""The command line as a whole; the verbs are in kzc/cli/verbs."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Annotated, Any

import typer

from kzc import __version__
from kzc.cli.unread import Unread, read_out, write_out
from kzc.cli.verbs import bench, ci, machine, manuals, runs, series, store, trees

app = typer.Typer(
    name="kzc",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="From a kernel patch series for zerocopy sockets and a tree to a verdict.",
)
app.add_typer(trees.app, name="tree")
for _group in (
    series.app,
    runs.app,
    bench.app,
    ci.app,
    store.app,
    machine.app,
    manuals.app,
):
    app.add_typer(_group)  # without a name its verbs are kzc's own


@cache
def command() -> Any:
    """The tree of commands, made once: that takes as long as a short verb's work."""
    return typer.main.get_command(app)


def run(argv: Sequence[str]) -> int:
    """The exit status of a whole command line. A shell's question is answered before it is one."""
    if argv[:1] == ["--complete-line"]:
        from kzc.cli.completing.answer import answer

        return read_out(lambda: answer(command(), argv[1:]))
    from kzc.cli.words import spoken

    return read_out(lambda: spoken(lambda: _run(argv)))


def _run(argv: Sequence[str]) -> int:
    try:
        command()(args=list(argv), prog_name="kzc")
        status = 0
    except SystemExit as end:
        if isinstance(end.__context__, BrokenPipeError):  # rich made a 1 of it, and left no pipe
            raise Unread from None
        status = end.code if isinstance(end.code, int) else 2
    write_out()
    return status


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
