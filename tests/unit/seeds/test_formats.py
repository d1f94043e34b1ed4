# SPDX-License-Identifier: GPL-2.0-only
"""The page of the seeds in each format; nothing from outside is markup there."""

from __future__ import annotations

import json
from dataclasses import replace
from html.parser import HTMLParser

from kzc.results.clean import code, paired, sentence, short
from kzc.seeds import formats, html
from kzc.seeds.values import Answer, Document, Made, Point, Word

EVIL = "\x1b[31mred <script>alert(1)</script> | `x` \u202e"
POINT = Point("4K", "41 % (2 of 5)", "104 % (7 of 6 cycles)", Word.NOT, "104 is not below 100")
MADE = Made("20261122-0", "2026-11-22T05:58:18.0Z", "kzc bench", "6.12", "wall time", ("UNCLEAN",))
COST = Answer(
    "cost",
    "It costs less.",
    "a table",
    "plan txzc",
    "below 100",
    Word.NOT,
    "4K: 104 is not below 100",
    (POINT,),
    MADE,
    "kzc bench --plan txzc",
    "as it was",
)
OPEN = Answer("open", "It is so.", "", "", "", Word.UNTOLD, "nobody can tell")
SEED = Document(
    "002", "A title", "Somebody", "slides", "", ("https://a.example/1",), "", (COST, OPEN)
)


def long(text: str) -> str:
    return short(text, 4000)


def evil() -> Document:
    point = Point(EVIL, EVIL, EVIL, Word.NOT, EVIL)
    made = Made(EVIL, EVIL, EVIL, EVIL, EVIL, (EVIL,))
    answer = replace(COST, why=EVIL, points=(point,), made=made, command=EVIL)
    return replace(SEED, answers=(answer,))


def test_text_has_each_claim_with_its_figures_run_and_command() -> None:
    shown = formats.text([SEED], long)
    for each in (
        "2 claims: 0 hold, 1 do not hold, 1 cannot be told",
        "DOES NOT HOLD: cost",
        "CANNOT BE TOLD: open",
        "4K  41 % (2 of 5)  104 % (7 of 6 cycles)  does not hold",
        "run       20261122-0, 2026-11-22 05:58 UTC: kzc bench",
        "kernel    6.12; wall time; UNCLEAN",
        "again     kzc bench --plan txzc",
        "note      as it was",
        "why       nobody can tell",
    ):
        assert each in shown


def test_markdown_is_a_table_for_each_claim() -> None:
    shown = formats.markdown([SEED], sentence, code)
    assert "| 4K | 41 % (2 of 5) | 104 % (7 of 6 cycles) | does not hold |" in shown
    assert "- again: `kzc bench --plan txzc`" in shown
    assert "<https://a.example/1>" in shown


def test_json_has_all_of_it() -> None:
    found = json.loads(formats.to_json([SEED], paired))
    assert found["schema"] == "kzc-seeds/1"
    assert found["counts"] == {"holds": 0, "does not hold": 1, "cannot be told": 1}
    claim = found["seeds"][0]["claims"][0]
    assert claim["points"][0]["word"] == "does not hold"
    assert claim["made"]["run"] == "20261122-0"


class Tags(HTMLParser):
    """What tags there are."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.seen: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)


def test_html_is_one_page_and_a_fragment_for_reports() -> None:
    shown = html.page([SEED], long)
    assert shown.startswith("<!DOCTYPE html>")
    assert "does not hold</span> cost" in shown
    part = html.fragment([SEED], long, [replace(SEED, seed="004")])
    assert "<html" not in part
    assert "Claims of which this run says nothing" in part
    assert part.count("<article") == 2


def test_nothing_from_outside_is_markup_or_drives_a_terminal() -> None:
    tags = Tags(html.page([evil()], long)).seen
    assert "script" not in tags
    for shown in (
        formats.text([evil()], long),
        formats.markdown([evil()], sentence, code),
        html.fragment([evil()], long),
    ):
        assert "\x1b" not in shown
        assert "\u202e" not in shown
