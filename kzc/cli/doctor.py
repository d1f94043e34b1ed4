# SPDX-License-Identifier: GPL-2.0-only
"""`kzc doctor`: the machine's needs as one table, or as JSON; the exit status is the verdict."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Protocol

from rich.console import Console
from rich.table import Table
from rich.text import Text

from kzc.jobs.doctor import examine, exit_status
from kzc.jobs.needs import Need, State, combined
from kzc.proc import Runner
from kzc.results import clean

_STYLE = {State.OK: "green", State.WARN: "yellow", State.MISSING: "bold red"}


class _Settings(Protocol):
    @property
    def cache(self) -> Path: ...
    @property
    def qemu(self) -> str: ...


def run_doctor(settings: _Settings, runner: Runner, as_json: bool, console: Console) -> int:
    """Examine and print. Returns 0, or 3 when the main job cannot run on this machine.

    The JSON is a list of objects with name, state (ok, warn, missing), value, reason and fix.
    """
    needs = examine(settings.qemu, settings.cache, runner)
    if as_json:
        text = json.dumps([asdict(need) for need in needs], indent=2)
        console.out(text, highlight=False)
    else:
        show(needs, console)
    return exit_status(needs)


def show(needs: tuple[Need, ...], console: Console) -> None:
    """The table, then the fixes as lines that can be copied, then the verdict."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in ("need", "state"):
        table.add_column(title, no_wrap=True)
    table.add_column("found", overflow="fold", max_width=18)
    table.add_column("reason and fix", overflow="fold")
    for need in needs:
        words = _shown(need.reason)
        if need.fix:
            words.append("\n" if need.reason else "").append_text(_shown(need.fix, "cyan"))
        state = Text(need.state.value, _STYLE[need.state])
        table.add_row(need.name, state, _shown(need.value), words)
    console.print(table)
    fixes = combined(needs)
    if fixes:
        console.print("\nTo fix what can be fixed:")
    for fix in fixes:
        console.print(Text("  ").append_text(_shown(fix, "cyan")), soft_wrap=True)
    console.print(Text("\n").append_text(_verdict(needs)))


def _shown(text: str, style: str = "") -> Text:
    return Text(clean.short(text, clean.LONG), style)


def _verdict(needs: tuple[Need, ...]) -> Text:
    lacking = [need.name for need in needs if need.state is State.MISSING]
    if lacking:
        return Text(f"The main job cannot run here: {', '.join(lacking)}.", "bold red")
    warned = [need.name for need in needs if need.state is State.WARN]
    without = f" (see {', '.join(warned)})" if warned else ""
    return Text(f"The main job can run here{without}.", "green")
