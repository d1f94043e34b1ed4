# SPDX-License-Identifier: GPL-2.0-only
"""Statistics against distributions whose answers are known; all dice are seeded."""

from __future__ import annotations

import random

import pytest

from kzc.bench.statistics import ALPHA, adjusted, compare, summarize


def drawn(dice: random.Random, count: int = 10, middle: float = 100.0) -> list[float]:
    return [dice.gauss(middle, 3) for _ in range(count)]


def test_the_interval_holds_the_median_about_as_often_as_it_says() -> None:
    dice = random.Random(7)
    found = [summarize(drawn(dice, 12)) for _ in range(80)]
    held = sum(each.low <= 100 <= each.high for each in found) / len(found)
    assert 0.88 <= held <= 0.99


def test_more_rounds_make_it_narrower_and_the_same_rounds_make_the_same() -> None:
    dice = random.Random(3)
    few, many = summarize(drawn(dice, 6)), summarize(drawn(dice, 60))
    assert many.high - many.low < few.high - few.low
    assert summarize(few.values) == few


def test_few_or_equal_rounds_have_no_interval_to_speak_of() -> None:
    assert (summarize([3.0, 5.0]).low, summarize([3.0, 5.0]).high) == (3.0, 5.0)
    same = summarize([4.0] * 10)
    assert (same.low, same.median, same.high, same.spread) == (4.0, 4.0, 4.0, 0.0)
    with pytest.raises(ValueError, match="no values"):
        summarize([])


def test_an_outlier_is_marked_and_counts() -> None:
    values = [10.0, 10.1, 9.9, 10.05, 9.95, 10.02, 9.98, 14.0]
    found = summarize(values)
    assert found.outliers == (7,)
    assert found.n == 8
    assert found.values[7] == 14.0


def test_what_is_within_half_a_percent_is_none() -> None:
    assert summarize([1000.0] * 9 + [1004.0]).outliers == ()
    assert summarize([1000.0] * 9 + [1006.0]).outliers == (9,)


def test_the_spread_is_the_middle_half_of_the_rounds() -> None:
    assert summarize([float(each) for each in range(96, 105)]).spread == pytest.approx(0.04)


def test_noise_alone_is_called_a_difference_about_as_seldom_as_it_says() -> None:
    dice = random.Random(11)
    false = sum(compare(drawn(dice), drawn(dice)).p < ALPHA for _ in range(60)) / 60
    assert false <= 0.1


def test_ten_percent_are_found_with_their_interval() -> None:
    dice = random.Random(5)
    found = compare(drawn(dice), drawn(dice, middle=90.0))
    assert found.p < 0.001
    assert found.low < 0.9 < found.high < 1
    assert found.tellable


def test_equal_rounds_do_not_differ_and_constant_ones_may() -> None:
    assert compare([5.0] * 10, [5.0] * 10).p == 1.0
    assert compare([5.0] * 10, [6.0] * 10).p < 0.001


@pytest.mark.parametrize(("count", "tellable"), [(3, False), (4, True), (10, True)])
def test_too_few_rounds_can_never_tell(count: int, tellable: bool) -> None:
    old = [50.0 + each for each in range(count)]
    new = [90.0 + each for each in range(count)]
    found = compare(old, new)
    assert found.tellable is tellable
    assert (found.p < ALPHA) is tellable


def test_many_looks_make_a_chance_finding_less() -> None:
    assert adjusted(()) == ()
    assert adjusted([0.04]) == (0.04,)
    assert adjusted([0.04, *[0.9] * 19])[0] > ALPHA
    assert adjusted([0.001] * 20) == pytest.approx([0.001] * 20)
