# SPDX-License-Identifier: GPL-2.0-only
"""Equal lines of two texts: in order, really equal, and soon found in long and monotonous ones."""

from __future__ import annotations

import random
import time

import pytest

from kzc.series.align import equal_blocks, longest_rise


def check(old: list[str], new: list[str]) -> int:
    """The blocks are in order and equal; how many lines are in them."""
    at = to = total = 0
    for first, other, count in equal_blocks(old, new):
        assert first >= at
        assert other >= to
        assert count > 0
        assert old[first : first + count] == new[other : other + count]
        at, to, total = first + count, other + count, total + count
    return total


@pytest.mark.parametrize("seed", range(30))
def test_blocks_are_equal_and_in_order(seed: int) -> None:
    chance = random.Random(seed)
    old = [chance.choice("abcdef") for _ in range(chance.randint(0, 30))]
    new = [line for line in old if chance.random() > 0.3]
    assert check(old, new) >= len(new) * 0.5
    assert check(old, old) == len(old)
    assert check(old, []) == check([], old) == 0


def test_a_long_text_with_many_equal_lines_is_parted_at_those_that_are_unique() -> None:
    old = [f"line {at}" if at % 5 == 0 else "}" for at in range(3000)]
    new = [line for at, line in enumerate(old) if at % 97]
    begin = time.process_time()
    assert check(old, new) == len(new)
    assert time.process_time() - begin < 5  # difflib alone: 7 to 23


def test_a_long_text_without_a_unique_line_takes_no_time_and_loses_no_line() -> None:
    old = ["}", ""] * 5000
    new = [line for at, line in enumerate(old) if at % 7]
    begin = time.process_time()
    assert check(old, new) < len(new)
    assert time.process_time() - begin < 5  # difflib alone: 7 to 23


def test_the_longest_rise() -> None:
    assert longest_rise([(0, 2), (1, 0), (2, 1), (3, 3)]) == ((1, 0), (2, 1), (3, 3))
    assert longest_rise([(0, 2), (1, 1), (2, 0)]) == ((2, 0),)
    assert longest_rise([]) == ()
