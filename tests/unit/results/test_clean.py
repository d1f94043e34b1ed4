# SPDX-License-Identifier: GPL-2.0-only
"""What each of the cleaning functions lets out, for texts that were made for it and for any."""

from __future__ import annotations

import unicodedata
from random import Random

import pytest
from markdown_it import MarkdownIt

from kzc.results import clean
from kzc.results.clean import block, code, line, lines, paired, printable, sentence, short

from . import hostile

ALL = (*hostile.NAMES, *hostile.texts(300))


def test_controls_become_their_escapes_and_colours_go() -> None:
    assert printable("\x1b[1;31mfail\x1b[m\x1b[K: a\tb\r\nc") == "fail: a b\nc"
    assert printable("\x1b]0;title\x07text") == r"\x1b]0;title\x07text"
    assert printable("ok\rPASS\b\x7f\x9b2J\x00") == r"ok\rPASS".replace(r"\r", r"\x0d") + (
        r"\x08\x7f\x9b2J\x00"
    )
    assert printable("\u202ex\u2066 \ud800 \U000e0041") == r"\u202ex\u2066 \ud800 \U000e0041"
    assert printable("\x1b\x1b[0m[2J") == r"\x1b[2J"
    assert printable("grün 漢 \U0001f600 a\xa0b") == "grün 漢 \U0001f600 a b"
    assert line("  a\n\n b\t ") == "a b"


def test_every_character_there_is_comes_out_printable() -> None:
    for number in (*range(0x30000), *range(0xE0000, 0xE1000), 0x10FFFF):
        shown = printable(chr(number))
        assert shown == "\n" or shown.isprintable(), hex(number)
    assert printable("\n") == "\n"


def test_any_bytes_come_out_printable() -> None:
    random = Random(3)
    for _ in range(300):
        text = random.randbytes(200).decode(
            random.choice(("utf-8", "latin-1", "utf-16")), "replace"
        )
        for each in (printable(text), line(text), short(text), *lines(text)):
            assert not hostile.FORBIDDEN.search(each)
            assert {unicodedata.category(letter) for letter in each.replace("\n", "")}.isdisjoint(
                {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
            )
        assert "\n" not in line(text) + short(text) + "".join(lines(text))


def test_what_is_long_is_cut_and_says_how_much() -> None:
    assert short("a" * clean.SHORT) == "a" * clean.SHORT
    assert short("a" * 1400) == "a" * 400 + " [1,000 more characters]"
    assert lines("a\nb\nc\nd\n", 2) == ("a", "b", "[2 more lines in the log]")
    assert lines("a\nb\nc\n", 2) == ("a", "b", "[1 more line in the log]")
    assert lines("a\nb", 2) == ("a", "b")
    assert len("".join(lines(("x" * 5000 + "\n") * 5000))) < 30 * 450


def test_json_readers_get_no_lone_surrogate() -> None:
    assert paired("a\udcffé\x1b") == "a\\udcffé\x1b"


@pytest.mark.parametrize("text", ALL)
def test_markdown_shows_what_was_there(text: str) -> None:
    parsed = (
        MarkdownIt("commonmark").enable(["strikethrough"]).parseInline(f"so: {sentence(text)} end")
    )
    inner = parsed[0].children or []
    assert {each.type for each in inner} <= {"text", "text_special", "code_inline"}
    assert " ".join("".join(each.content for each in inner).split()) == " ".join(
        f"so: {short(text)} end".split()
    )
    spans = MarkdownIt("commonmark").parseInline(code(text))[0].children or []
    assert [each.content for each in spans] == ([short(text, 4000)] if short(text) else [])
    (fence,) = MarkdownIt("commonmark").parse(block([text]))
    assert fence.content == printable(text) + "\n"


@pytest.mark.parametrize("text", ALL)
def test_a_text_stays_in_its_cell(text: str) -> None:
    table = f"| a | b |\n| --- | --- |\n| {sentence(text)} | end |"
    tokens = MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(table)
    cells = [each for each in tokens if each.type == "inline"]
    assert [each.content for each in cells[-1:]] == ["end"]
    assert len(cells) == 4


@pytest.mark.parametrize("text", ["# head", "- item", "+ item", "1. item", "12) item", "#"])
def test_a_sentence_begins_no_block(text: str) -> None:
    (first, *_) = MarkdownIt("commonmark").parse(sentence(text))
    assert first.type == "paragraph_open"
