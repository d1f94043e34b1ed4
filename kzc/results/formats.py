# SPDX-License-Identifier: GPL-2.0-only
"""The formats of `kzc report`, by name; each takes a run and its folder and gives a text."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.terminal_theme import MONOKAI

from kzc.results.clean import short
from kzc.results.json_report import json_report
from kzc.results.logs import OpenLog
from kzc.results.markdown import markdown, step_summary
from kzc.results.text import WIDTH, render
from kzc.values import Run

if TYPE_CHECKING:
    from kzc.results.page import Section


def text(run: Run, folder: Path) -> str:
    """What the terminal shows, without colour."""
    console = Console(width=WIDTH, file=StringIO(), color_system=None)
    with console.capture() as shown:
        console.print(render(run, folder), crop=False)
    return "\n".join(each.rstrip() for each in shown.get().rstrip().split("\n")) + "\n"


def junit(run: Run, folder: Path) -> str:
    """JUnit XML; its library is loaded only for this."""
    from kzc.results.junit import junit as export

    return export(run, folder)


def html(run: Run, opened: OpenLog, sections: Sequence[Section] = ()) -> str:
    """One HTML file; its template engine is loaded only for this."""
    from kzc.results.html import html as export

    return export(run, opened, sections)


def ktap(run: Run, folder: Path) -> str:
    """KTAP 1."""
    from kzc.results.ktap import ktap as export

    return export(run)


def kcidb(run: Run, folder: Path) -> str:
    """A KCIDB report; its library is an extra."""
    from kzc.results.kcidb import kcidb as export

    return export(run)


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

EXPORTS: dict[str, Callable[[Run, Path], str]] = {
    "ktap": ktap,
    "kcidb": kcidb,
    "summary": step_summary,
    "svg": svg,
}
"""More formats, for other programs and places."""
