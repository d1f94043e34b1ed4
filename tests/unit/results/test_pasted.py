# SPDX-License-Identifier: GPL-2.0-only
"""A command that a report breaks over lines is one command when it is pasted from a terminal."""

from __future__ import annotations

import re
import shlex
from dataclasses import replace
from io import StringIO

import pytest
from rich.console import Console

from kzc.results.pasted import continued
from kzc.results.text import render
from kzc.values import Case, Outcome, Run, Stage, Verdict

from . import sample

COMMAND = (
    "kzc test qemu-migration vhost-net txzc-eval --tree 6.12 --faults --fault-every 1009 "
    "--append 'kzc.case=[!q]*' --suite 'a name with blanks'"
)


def failed(command: str) -> Run:
    """One that fails as a whole and in a case, which is indented further."""
    detail = {"repeat": command, "hint": "look at the log"}
    case = Case("c", Verdict.FAIL, detail=detail)
    outcome = Outcome(Stage.TEST, "s", Verdict.FAIL, cases=(case,), detail=detail)
    return replace(sample.run(), outcomes=(outcome,))


def shown(run: Run, width: int) -> str:
    console = Console(width=width, file=StringIO(), color_system=None)
    with console.capture() as told:
        console.print(render(run, sample.FOLDER), crop=False)
    return told.get()


@pytest.mark.parametrize("width", [30, 60, 79, 80, 81, 100, 119, 160, 250])
def test_pasted_from_a_terminal_it_is_the_same_command(width: int) -> None:
    found = re.findall(r"^ +repeat +(.*?)\n +next", shown(failed(COMMAND), width), re.M | re.S)
    assert len(found) == 2
    for each in found:
        # what a shell reads: a backslash only joins lines where it is the last of its own
        assert shlex.split(re.sub(r"\\\n", "", each)) == shlex.split(COMMAND)
        assert "\n" not in re.sub(r"\\\n", "", each)


@pytest.mark.parametrize("width", [60, 80, 100])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    for line in shown(failed(COMMAND), width).splitlines():
        assert len(line) <= width


def test_a_word_wider_than_the_terminal_stays_whole() -> None:
    word = "/a/very/long/path" * 8
    assert f" {word} \\\n" in shown(failed(f"kzc test --tree {word} --suite vsock"), 80)


@pytest.mark.parametrize("text", ["cd a && b", "it's", "words " * 40 + "| less"])
def test_what_is_no_plain_command_gets_no_backslashes(text: str) -> None:
    assert continued(text, 20) == text
    assert "\\" not in shown(failed(text), 80).partition("repeat")[2]


def test_lines_are_filled() -> None:
    assert continued("a bb cc dd", 10) == "a bb cc dd"
    assert continued("a bb cc dd", 9) == "a bb cc \\\n  dd"
    assert continued("a bb cc dd ee", 9) == "a bb cc \\\n  dd ee"
