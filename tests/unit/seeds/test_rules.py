# SPDX-License-Identifier: GPL-2.0-only
"""The rules of claims: what a figure with its interval says, and which texts are no rules."""

from __future__ import annotations

import pytest

from kzc.seeds.rules import Kind, Rule, judge, parse_rule
from kzc.seeds.values import Found, Word, fold

HOLDS, NOT, UNTOLD = Word.HOLDS, Word.NOT, Word.UNTOLD


def rule(text: str) -> Rule:
    found = parse_rule(text)
    assert isinstance(found, Rule)
    return found


@pytest.mark.parametrize(
    ("text", "posted", "figure", "word"),
    [
        ("same side", 41.0, (87, 86, 88), HOLDS),
        ("same side", 41.0, (104, 103, 105), NOT),
        ("same side", 333.0, (87, 86, 88), NOT),
        ("same side", 333.0, (120, 90, 130), UNTOLD),
        ("same side", 117.0, (100, 100, 100), NOT),
        ("same side", 41.0, (100, 100, 100), NOT),
        ("below 100", None, (99, 98, 99.9), HOLDS),
        ("below 100", None, (99, 98, 100.1), UNTOLD),
        ("below 100", None, (100, 100, 100), NOT),
        ("at most 100", None, (100, 100, 100), HOLDS),
        ("at most 5", None, (5.1, 5.1, 5.1), NOT),
        ("above 100", None, (100, 100, 100), NOT),
        ("at least 99.9", None, (99.9, 99.9, 100), HOLDS),
        ("at least 99.9", None, (99, 98, 99.5), NOT),
        ("within 2", 106.0, (107, 106.5, 107.5), HOLDS),
        ("within 2", 106.0, (100, 99, 101), NOT),
        ("within 2", 106.0, (112, 111, 113), NOT),
        ("within 2", 106.0, (108, 107, 109), UNTOLD),
    ],
)
def test_a_figure_counts_with_its_interval(
    text: str, posted: float | None, figure: tuple[float, float, float], word: Word
) -> None:
    value, low, high = figure
    said, why = judge(rule(text), Found(value, low, high), posted)
    assert said is word
    assert bool(why) is (word is not HOLDS)


def test_no_figure_says_nothing_but_why() -> None:
    assert judge(rule("below 100"), Found(reason="it was copied"), 1) == (UNTOLD, "it was copied")
    assert judge(rule("same side"), Found(50, 50, 50), None)[0] is UNTOLD


@pytest.mark.parametrize("text", ["", "same side 3", "below", "under 3", "below x", "within -1"])
def test_what_is_no_rule_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no rule"):
        parse_rule(text)


def test_a_rule_is_written_as_it_is_read() -> None:
    for text in ("same side", "below 100", "at least 99.9", "within 2"):
        assert str(rule(text)) == text
    assert parse_rule(Rule(Kind.ABOVE, 1)) == Rule(Kind.ABOVE, 1)


def test_of_several_the_one_that_does_not_hold_decides() -> None:
    assert fold([HOLDS, HOLDS]) is HOLDS
    assert fold([HOLDS, UNTOLD]) is UNTOLD
    assert fold([UNTOLD, NOT, HOLDS]) is NOT
    assert fold([]) is UNTOLD
