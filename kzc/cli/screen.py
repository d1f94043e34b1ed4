# SPDX-License-Identifier: GPL-2.0-only
"""Live progress: a bar and passing cases on a terminal, plain lines everywhere else.

Rule: whatever is shown went through `short`; a guest or a compiler may have written it.
"""

from __future__ import annotations

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.text import Text

from kzc.results.clean import line, short
from kzc.results.summary import tally
from kzc.values import Case, Outcome, Verdict

_NOTE = 48
_STYLE = {
    Verdict.PASS: "green",
    Verdict.SKIP: "yellow",
    Verdict.XFAIL: "yellow",
    Verdict.NOT_RUN: "magenta",
    Verdict.INFRA: "magenta",
    Verdict.FAIL: "bold red",
    Verdict.TIMEOUT: "bold red",
    Verdict.CRASH: "bold red",
}


def _line(outcome: Outcome) -> Text:
    verdict = (outcome.verdict.value.replace("_", " ").upper(), _STYLE[outcome.verdict])
    took = f"  {outcome.seconds:.1f} s" if outcome.seconds >= 0.05 else ""
    found = "; ".join(part for part in (tally(outcome.cases), outcome.reason) if part)
    told = f": {found}" if found else ""
    subject = short(outcome.subject)
    return Text.assemble(f"{outcome.stage.value:<6}", verdict, f"  {subject}{short(told)}{took}")


def _case_line(case: Case) -> Text:
    verdict = (case.verdict.value.replace("_", " "), _STYLE[case.verdict])
    reason = f": {case.reason}" if case.reason else ""
    return Text.assemble("         ", verdict, f" {short(case.name)}{short(reason)}")


class PlainScreen:
    """For logs: a line per step and outcome, a tenth of a build at a time."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._tenths = 0

    def __enter__(self) -> PlainScreen:
        return self

    def __exit__(self, *_: object) -> None:
        return

    def step(self, text: str) -> None:
        self._tenths = 0
        self._say(f"... {short(text)}")

    def progress(self, text: str, fraction: float | None) -> None:
        if fraction is not None and int(fraction * 10) > self._tenths:
            self._tenths = int(fraction * 10)
            self._say(f"    {self._tenths * 10} % {short(text)}")

    def case(self, case: Case) -> None:
        self._console.print(_case_line(case), soft_wrap=True)

    def outcome(self, outcome: Outcome) -> None:
        self._console.print(_line(outcome), soft_wrap=True)

    def _say(self, text: str) -> None:
        self._console.print(Text(text), highlight=False, soft_wrap=True)


class LiveScreen:
    """For people: one moving line below what is already certain."""

    def __init__(self, console: Console) -> None:
        self._progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=24),
            TextColumn("{task.fields[share]}", markup=False),
            TimeElapsedColumn(),
            TextColumn("{task.fields[note]}", markup=False, style="dim"),
            console=console,
            transient=True,
        )
        self._console = console
        self._task = self._progress.add_task("", total=None, share="", note="")

    def __enter__(self) -> LiveScreen:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def step(self, text: str) -> None:
        self._progress.reset(self._task, total=None, description=short(text), share="", note="")

    def progress(self, text: str, fraction: float | None) -> None:
        share = "" if fraction is None else f"{fraction * 100:3.0f} %"
        done = 0.0 if fraction is None else fraction
        total = None if fraction is None else 1.0
        note = line(text)[:_NOTE]
        self._progress.update(self._task, total=total, completed=done, share=share, note=note)

    def case(self, case: Case) -> None:
        if case.verdict.good:
            self._progress.update(self._task, note=line(case.name)[:_NOTE])
        else:
            self._console.print(_case_line(case), soft_wrap=True)

    def outcome(self, outcome: Outcome) -> None:
        self._console.print(_line(outcome), soft_wrap=True)


def screen_for(console: Console) -> PlainScreen | LiveScreen:
    """The one that fits where the output goes."""
    return LiveScreen(console) if console.is_terminal else PlainScreen(console)
