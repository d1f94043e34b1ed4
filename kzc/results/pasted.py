# SPDX-License-Identifier: GPL-2.0-only
"""A shell command in a report for a terminal, over several lines that can be pasted as they are.

Rule: a line that goes on ends in a backslash with nothing behind it. rich's tables and paddings
put blanks there, so neither may be around a command; `Labelled` and `indented` stand for them.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.segment import Segment
from rich.text import Text

_END = " \\"


@dataclass(frozen=True)
class Command:
    """As many words on each line as there is room for. A word that is wider than that stays whole,
    so whoever prints it says crop=False, and leaves it to the terminal to break it."""

    text: str

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        if _is_command(self.text):
            yield Text(continued(self.text, options.max_width), no_wrap=True, overflow="ignore")
        else:
            yield Text(self.text, overflow="fold")


@dataclass(frozen=True)
class Labelled:
    """A label in a column of `width`, and beside it what it is the label of."""

    label: str
    width: int
    body: RenderableType

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        room = options.update(width=max(1, options.max_width - self.width))
        before = Segment(self.label.ljust(self.width), console.get_style("dim"))
        for line in Segment.split_lines(console.render(self.body, room)):
            yield before
            yield from line
            yield Segment.line()
            before = Segment(" " * self.width)


def labelled(pairs: list[tuple[str, RenderableType]]) -> RenderableType:
    """All of them with their labels in one column."""
    width = max((len(label) for label, _ in pairs), default=0) + 2
    return Group(*(Labelled(label, width, body) for label, body in pairs))


def indented(body: RenderableType, width: int = 2) -> RenderableType:
    """Further to the right, without blanks behind the lines."""
    return Labelled("", width, body)


def continued(command: str, width: int) -> str:
    """A long command over lines of at most `width` that a shell still takes as one."""
    if len(command) <= width or not _is_command(command):
        return command
    lines, indent = [""], ""
    for each in map(shlex.quote, shlex.split(command)):
        if lines[-1].strip() and len(lines[-1]) + 1 + len(each) + len(_END) > width:
            lines.append(indent := "  ")
        lines[-1] += each if lines[-1] == indent else f" {each}"
    return f"{_END}\n".join(lines)


def _is_command(text: str) -> bool:
    """Whether it is plain words, which may be put on lines of their own."""
    try:
        return shlex.join(shlex.split(text)) == text
    except ValueError:
        return False
