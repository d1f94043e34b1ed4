# SPDX-License-Identifier: GPL-2.0-only
"""Texts from logs and mails that would like to be markup, escapes or broken XML."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from xml.etree import ElementTree

import pytest
from markdown_it import MarkdownIt

from kzc.results.formats import FORMATS, svg
from kzc.results.markdown import block, code, escape
from kzc.results.words import clean, line
from kzc.values import Case, Outcome, Run, Stage, Verdict

from . import sample

HOSTILE = (
    "<script>alert(1)</script> &amp; <img src=x>",
    "a | b | c",
    "`tick` ``two`` ```\nfence\n``` ~~~",
    "[red]rich[/red] [/] [bold] [link=http://x]y[/link]",
    "[text](http://x) ![image](http://x) **bold** _it_ # head",
    "\x1b[31mred\x1b[0m \x1b]0;title\x07 \x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\ \x9b2J \x1bc",
    "\x1b]0;never ended and then the rest",
    "nul \x00 bell \x07 backspace \x08 del \x7f vertical \x0b",
    "lone \ud800 surrogate \ufffe\uffff",
    "right \u202eot tfel\u202c isolate \u2066x\u2069 line\u2028sep",
    "]]> <!-- --> <?xml?> '\"",
    "trailing \\",
    "\r\noverwritten\rline\n\n\n- list\n# head\n---\n",
    "@someone #12",
)
FORBIDDEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def hostile(text: str) -> Run:
    detail = {"repeat": text, "hint": text, "excerpt": [text], text: text, "signature": text}
    warning = {"file": text, "line": 1, "kind": text, "text": text}
    measured = {"proto": text, "ip": text, "mode": text, "tx": 1, "txc": 1, "zc": text}
    cases = (
        Case(text, Verdict.FAIL, 0, text, detail),
        Case(text, Verdict.NOT_RUN, 0, text),
        Case(text, Verdict.SKIP, 0, text),
        Case(text, Verdict.PASS, 0, text, measured),
    )
    outcome = Outcome(
        Stage.TEST, text, Verdict.FAIL, 1, text, cases, {**detail, "warnings": [warning]}, text
    )
    return replace(
        sample.run(),
        command=("kzc", text),
        environment={"series": text, "tree": text, "odd": text, text: text},
        outcomes=(outcome, replace(outcome, stage=Stage.BUILD, cases=())),
    )


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("name", FORMATS)
def test_nothing_drives_a_terminal(name: str, text: str) -> None:
    shown = FORMATS[name](hostile(text), sample.FOLDER)
    assert not FORBIDDEN.search(shown)
    shown.encode()


@pytest.mark.parametrize("text", HOSTILE)
def test_json_keeps_the_text_as_it_was(text: str) -> None:
    data = json.loads(FORMATS["json"](hostile(text), sample.FOLDER))
    assert data["outcomes"][0]["cases"][0]["name"] == text


@pytest.mark.parametrize("text", HOSTILE)
def test_xml_stays_whole(text: str) -> None:
    root = ElementTree.fromstring(FORMATS["junit"](hostile(text), sample.FOLDER))
    assert [case.get("name") for case in root.iter("testcase")].count(line(text)) == 5
    ElementTree.fromstring(svg(hostile(text), sample.FOLDER))


def test_rich_markup_is_shown_and_not_obeyed() -> None:
    shown = FORMATS["text"](hostile("[red]a[/red]"), sample.FOLDER)
    assert shown.count("[red]a[/red]") > 10


@pytest.mark.parametrize("text", HOSTILE)
def test_markdown_gets_no_structure_from_texts(text: str) -> None:
    def shape(of: str) -> list[str]:
        tokens = MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(of)
        flat = [each for token in tokens for each in (token, *(token.children or ()))]
        return [each.type for each in flat if each.type not in ("text", "text_special")]

    shown = shape(FORMATS["markdown"](hostile(text), sample.FOLDER))
    assert not {"html_inline", "html_block", "image", "link_open", "em_open"} & set(shown)
    # the multi-line ones have a further block each for the rest of a reason
    if len(clean(text).strip().splitlines()) == 1:
        assert shown == shape(FORMATS["markdown"](hostile("harmless"), sample.FOLDER))


@pytest.mark.parametrize("text", HOSTILE)
def test_markdown_shows_what_was_there(text: str) -> None:
    tokens = MarkdownIt("commonmark").parseInline(f"so: {escape(text)} end")
    inner = "".join(each.content for each in tokens[0].children or ())
    assert inner == f"so: {line(text)} end"
    (fence,) = MarkdownIt("commonmark").parse(block([clean(text)]))
    assert fence.content == clean(text) + "\n"


@pytest.mark.parametrize("text", [text for text in HOSTILE if "|" not in text])
def test_code_shows_what_was_there(text: str) -> None:
    tokens = MarkdownIt("commonmark").parseInline(code(text))
    assert [each.content for each in tokens[0].children or ()] == [line(text)]


def test_escapes_vanish_and_words_stay() -> None:
    assert clean("\x1b[1;31mfail\x1b[m: a\tb\r\nc") == "fail: a\tb\nc"
    assert clean("\x1b]0;title\x07text") == "text"
    assert clean("\x1b]0;never ended") == "]0;never ended"
    assert line("  a\n\n b\x00 ") == "a b"
