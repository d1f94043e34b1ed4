# SPDX-License-Identifier: GPL-2.0-only
"""The formats of `kzc report`, by name; each takes a run and its folder and gives a text."""

from __future__ import annotations

import re
from collections.abc import Callable
from io import StringIO
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import MONOKAI

from kzc.results.clean import short
from kzc.results.json_report import json_report
from kzc.results.markdown import markdown
from kzc.results.text import WIDTH, render
from kzc.values import Run


def text(run: Run, folder: Path) -> str:
    """What the terminal shows, without colour."""
    console = Console(width=WIDTH, file=StringIO(), color_system=None)
    with console.capture() as shown:
        console.print(render(run, folder))
    return "\n".join(each.rstrip() for each in shown.get().rstrip().split("\n")) + "\n"


def junit(run: Run, folder: Path) -> str:
    """JUnit XML; its library is loaded only for this."""
    from kzc.results.junit import junit as export

    return export(run, folder)


def svg(run: Run, folder: Path) -> str:
    """A picture of the terminal that loads nothing from anywhere."""
    console = Console(
        width=WIDTH, file=StringIO(), record=True, force_terminal=True, color_system="truecolor"
    )
    console.print(render(run, folder))
    picture = console.export_svg(title=short(" ".join(run.command)), theme=MONOKAI)
    return re.sub(r"\s*@font-face \{.*?\}", "", picture, flags=re.DOTALL)


FORMATS: dict[str, Callable[[Run, Path], str]] = {
    "text": text,
    "markdown": markdown,
    "json": json_report,
    "junit": junit,
}
