# SPDX-License-Identifier: GPL-2.0-only
"""`kzc tree`: where kernels come from."""

from __future__ import annotations

from typing import Annotated

import typer

from kzc.cli.verbs.doing import do

app = typer.Typer(no_args_is_help=True, help="Kernel trees: where they come from.")


@app.command("add")
def tree_add(name: str, source: str) -> None:
    """Add a tree: a path, a git URL with #ref, or debian:linux-source-6.12[@suite]."""
    from kzc.cli import trees

    do(lambda: trees.add(name, source))


@app.command("list")
def tree_list() -> None:
    """The trees that were added."""
    from kzc.cli import trees

    do(trees.listed)


@app.command("show")
def tree_show(name: Annotated[str, typer.Argument()] = "") -> None:
    """One tree: source, version, commit, tree id; without a name the one you stand in."""
    from kzc.cli import trees

    do(lambda: trees.show(name))


@app.command("remove")
def tree_remove(name: str) -> None:
    """Forget a tree; its source is not touched."""
    from kzc.cli import trees

    do(lambda: trees.remove(name))
