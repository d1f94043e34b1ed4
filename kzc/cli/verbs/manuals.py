# SPDX-License-Identifier: GPL-2.0-only
"""What explains kzc itself: texts on its subjects, man pages, what shells complete."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from kzc.cli.verbs.doing import do

app = typer.Typer()


@app.command("help")
def explain(
    topic: Annotated[str, typer.Argument(metavar="[TOPIC]", help="None lists them.")] = "",
) -> None:
    """Explain a subject: verdicts, topologies, time and more; for a verb: kzc VERB --help."""
    from kzc.cli import manuals

    do(lambda: manuals.explain(topic))


@app.command()
def manual(
    folder: Annotated[Path, typer.Argument(help="Gets man1/kzc*.1 and man7/kzc-*.7.")],
) -> None:
    """Write the man pages: one of kzc, one of each verb, one of each topic of `kzc help`."""
    from kzc.cli import manuals

    do(lambda: manuals.write(folder))


@app.command()
def completion(
    shell: Annotated[str, typer.Argument(help="bash, zsh or fish.")],
) -> None:
    """Print what makes a shell complete verbs, options and names, for its start-up file."""
    from kzc.cli import manuals

    do(lambda: manuals.completion(shell))
