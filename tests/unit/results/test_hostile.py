# SPDX-License-Identifier: GPL-2.0-only
"""Texts from logs and mails that would like to be markup, escapes, paths or broken XML."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache
from xml.etree import ElementTree

import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token

from kzc.results.clean import SHORT, short
from kzc.results.formats import FORMATS, svg
from kzc.values import Case, Outcome, Run, Stage, Verdict

from . import hostile, sample

SEEDS = range(6)
MARKUP = {"html_inline", "html_block", "image", "link_open", "em_open", "strong_open", "s_open"}


def mixed(seed: int) -> Run:
    """A run in which every text is another random one."""
    random = iter(hostile.texts(400, seed))
    cases = tuple(Case(each, Verdict.FAIL, reason=next(random)) for each in hostile.texts(20, seed))
    outcomes = [
        Outcome(stage, next(random), Verdict.FAIL, 0, next(random), cases, {}, next(random))
        for stage in Stage
    ]
    return replace(sample.run(), outcomes=tuple(outcomes), environment={"series": next(random)})


@pytest.mark.parametrize("name", [*FORMATS, "svg"])
def test_nothing_drives_a_terminal_or_hides(name: str) -> None:
    form = {**FORMATS, "svg": svg}[name]
    few = slice(None, None, 6 if name == "svg" else 1)
    every = [*map(hostile.run, hostile.NAMES[few]), *map(mixed, SEEDS[few])]
    for run in every:
        shown = form(run, sample.FOLDER)
        # rich's own picture separates blanks with U+00A0, which is no control
        assert not hostile.FORBIDDEN.search(shown), hostile.FORBIDDEN.search(shown)
        shown.encode()


@pytest.mark.parametrize("text", hostile.NAMES)
def test_nothing_vanishes_but_colour(text: str) -> None:
    shown = FORMATS["text"](hostile.run(text), sample.FOLDER)
    for word in re.findall(r"[A-Za-z]{4,}", text):
        assert word in shown
    if "\x1b]" in text:
        assert r"\x1b]0;owned\x07" in shown


@pytest.mark.parametrize("text", hostile.NAMES)
def test_json_keeps_the_text_as_it_was(text: str) -> None:
    written = FORMATS["json"](hostile.run(text), sample.FOLDER)
    assert written.isascii()
    kept = text.replace("\ud800", "\\ud800")
    assert json.loads(written)["outcomes"][0]["cases"][0]["name"] == kept
    kept.encode()


@pytest.mark.parametrize("text", hostile.NAMES)
def test_xml_stays_whole(text: str) -> None:
    root = ElementTree.fromstring(FORMATS["junit"](hostile.run(text), sample.FOLDER))
    assert [case.get("name") for case in root.iter("testcase")].count(short(text)) >= 5
    assert {each.tag for each in root.iter()} <= {
        *("testsuites", "testsuite", "testcase", "properties", "property"),
        *("failure", "error", "skipped", "system-out"),
    }


@pytest.mark.parametrize("text", [hostile.NAMES[0], "]]> <a href='x'>y</a> &amp; <image/>"])
def test_a_picture_is_a_picture(text: str) -> None:
    picture = ElementTree.fromstring(svg(hostile.run(text), sample.FOLDER))
    assert not {each.tag.rpartition("}")[2] for each in picture.iter()} & {"script", "a", "image"}


def test_rich_markup_is_shown_and_not_obeyed() -> None:
    shown = FORMATS["text"](hostile.run("[red]a[/red]"), sample.FOLDER)
    assert shown.count("[red]a[/red]") > 10


def tokens(of: str) -> Iterator[Token]:
    for token in MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(of):
        yield token
        yield from token.children or ()


def shape(run: Run) -> list[str]:
    """The structure of the Markdown report, without its texts; code in a text is no structure."""
    found = [each.type for each in tokens(FORMATS["markdown"](run, sample.FOLDER))]
    return [each for each in found if each not in ("text", "text_special", "code_inline")]


@pytest.mark.parametrize("text", [*hostile.NAMES, *hostile.texts(60, seed=7)])
def test_markdown_gets_no_structure_from_texts(text: str) -> None:
    if not short(text) or "\n" in text.strip():
        pytest.skip("an empty one is left out, and more lines make a block of their own")
    assert shape(hostile.run(text)) == shape_of_a_harmless_run()


@cache
def shape_of_a_harmless_run() -> list[str]:
    return shape(hostile.run("harmless"))


@pytest.mark.parametrize("texts", [hostile.NAMES, *(hostile.texts(8, seed) for seed in SEEDS)])
def test_a_forge_finds_nothing_to_link(texts: Sequence[str]) -> None:
    for each in tokens(
        "\n\n".join(FORMATS["markdown"](hostile.run(t), sample.FOLDER) for t in texts)
    ):
        assert each.type not in MARKUP - {"strong_open"}
        if each.type == "text":
            found = re.search(r"@\w|://|www\.|(?<!\w)#\d", each.content)
            assert not found, each.content


def many(number: int) -> Run:
    cases = tuple(
        Case(f"case {n}\x1b[2J", Verdict.FAIL if n % 2 else Verdict.SKIP, reason=f"why {n} " * 20)
        for n in range(number)
    )
    outcome = Outcome(Stage.TEST, "big", Verdict.FAIL, cases=cases)
    return replace(sample.run(), outcomes=(outcome,))


@pytest.mark.parametrize("name", ["text", "markdown"])
def test_a_flood_is_cut_and_says_so(name: str) -> None:
    begin = time.process_time()
    shown = FORMATS[name](hostile.run("\x1b[2J" + "A" * (1 << 18)), sample.FOLDER)
    assert len(shown) < 200_000
    left_out = (1 << 18) + len(r"\x1b[2J") - SHORT
    assert f"[{left_out:,} more characters]" in shown.replace("\n", " ")
    shown = FORMATS[name](many(25_000), sample.FOLDER)
    assert "12,475 more" in shown
    assert len(shown) < 100_000
    assert time.process_time() - begin < 5
