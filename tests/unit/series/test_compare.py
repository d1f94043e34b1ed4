# SPDX-License-Identifier: GPL-2.0-only
"""Which patch became which, and what is said of it: compare.py, matching.py, assign.py."""

from __future__ import annotations

import itertools
import random

import pytest

from kzc.errors import UsageError
from kzc.series.assign import assign
from kzc.series.compare import Comparison, Pair, Share, What, compare_series
from kzc.values import Patch, Series
from tests.unit.series.versions import SIGNED, diff, lines, patch, series


def places(found: Comparison) -> list[tuple[int, int, What]]:
    return [(pair.old, pair.new, pair.what) for pair in found.pairs]


def of(found: Comparison, new: int) -> Pair:
    return next(pair for pair in found.pairs if pair.new == new)


A = patch("net: add a", diff({"a.c": lines("a")}))
B = patch("net: add b", diff({"b.c": lines("b")}))
C = patch("net: add c", diff({"c.c": lines("c")}))


def test_a_patch_with_another_title_and_nearly_the_same_diff_is_the_same_one() -> None:
    changed = [*lines("b")[:-1], "+int other;"]
    renamed = patch("vsock: something else entirely", diff({"b.c": changed}))
    found = compare_series(series(A, B), series(A, renamed))
    assert places(found) == [(1, 1, What.UNCHANGED), (2, 2, What.CHANGED)]
    pair = of(found, 2)
    assert (pair.message.title, pair.came, pair.gone) == ("net: add b", 1, 1)


def test_a_patch_with_the_same_title_and_another_diff_is_the_same_one() -> None:
    rewritten = patch("net: add b", diff({"z.c": lines("rewritten")}))
    found = compare_series(series(A, B), series(A, rewritten))
    assert places(found) == [(1, 1, What.UNCHANGED), (2, 2, What.CHANGED)]


def test_an_unrelated_patch_is_new_and_the_other_dropped() -> None:
    found = compare_series(series(A, B), series(A, patch("tcp: fix it", diff({"z.c": ["+z"]}))))
    assert places(found) == [
        (1, 1, What.UNCHANGED),
        (2, 0, What.DROPPED),
        (0, 2, What.NEW),
    ]
    assert all(not pair.went and not pair.came_from for pair in found.pairs)


def test_two_patches_with_one_title_are_told_apart_by_their_lines() -> None:
    one, other = (patch("net: cleanup", diff({"n.c": lines(word)})) for word in ("one", "other"))
    found = compare_series(series(one, A, other), series(other, A, one))
    assert {(pair.old, pair.new) for pair in found.pairs} == {(1, 3), (2, 2), (3, 1)}
    assert {pair.what for pair in found.pairs} == {What.UNCHANGED}


def test_of_equal_patches_those_at_the_same_place_are_pairs() -> None:
    found = compare_series(series(A, A, A), series(A, A, A))
    assert [(pair.old, pair.new) for pair in found.pairs] == [(1, 1), (2, 2), (3, 3)]


def test_of_two_equal_ones_that_at_the_nearer_place_is_kept() -> None:
    found = compare_series(series(A, B, A), series(B, A))
    assert places(found) == [
        (1, 0, What.DROPPED),
        (2, 1, What.UNCHANGED),
        (3, 2, What.UNCHANGED),
    ]


def test_one_sure_pair_says_more_than_two_doubtful_ones() -> None:
    a, b = lines("a", 10), lines("b", 10)
    whole = patch("net: do everything", diff({"x.c": [*a, *b]}))
    again = patch("rework of the queue", diff({"x.c": [*a, *b, "+int more;"]}))
    half, other = (patch(word * 9, diff({"x.c": each})) for word, each in (("k", a), ("q", b)))
    found = compare_series(series(whole, half), series(other, again))
    assert (1, 2, What.CHANGED) in places(found)
    assert (2, 0, What.DROPPED) in places(found)


def test_a_file_and_a_prefix_in_common_do_not_make_a_patch_the_same() -> None:
    old = patch("vsock: fix a leak in release", diff({"v.c": lines("leak")}))
    new = patch("vsock: fix a race in connect", diff({"v.c": lines("race")}))
    found = compare_series(series(A, old), series(A, new))
    assert {pair.what for pair in found.pairs} == {What.UNCHANGED, What.DROPPED, What.NEW}


def test_a_few_lines_in_common_are_no_hint() -> None:
    dropped = patch("net: dropped", diff({"d.c": lines("d", 8)}))
    new = patch("vsock: quite new", diff({"e.c": [*lines("d", 3), *lines("e", 7)]}))
    found = compare_series(series(A, dropped), series(A, new))
    assert [(pair.went, pair.came_from) for pair in found.pairs] == [((), ())] * 3


def test_a_title_that_went_to_another_patch_does_not_take_the_lines_along() -> None:
    taken = patch("net: add a", diff({"b.c": lines("b")}))
    renamed = patch("net: rename", diff({"a.c": lines("a")}))
    found = compare_series(series(A, B), series(taken, renamed))
    assert {(pair.old, pair.new) for pair in found.pairs} == {(1, 2), (2, 1)}


def test_one_change_to_many_files_is_told_apart_by_the_file() -> None:
    def converted(path: str, *more: str) -> Patch:
        return patch("treewide: use new_call()", diff({path: ["-old_call();", *more]}))

    old = series(converted("a.c", "+new_call();"), converted("b.c", "+new_call();"))
    new = series(converted("b.c", "+new_call(0);"), converted("a.c", "+new_call(0);"))
    found = compare_series(old, new)
    assert {(pair.old, pair.new) for pair in found.pairs} == {(1, 2), (2, 1)}


def test_only_what_stands_in_another_order_is_moved() -> None:
    first = patch("net: first", diff({"f.c": lines("first")}))
    found = compare_series(series(A, B, C), series(first, C, A, B))
    moved = {pair.title: pair.moved for pair in found.pairs}
    assert moved == {
        "net: first": False,
        "net: add c": True,
        "net: add a": False,
        "net: add b": False,
    }
    assert all(pair.what in (What.UNCHANGED, What.NEW) for pair in found.pairs)


def test_a_split_patch_says_where_its_lines_went() -> None:
    whole = patch("net: add two", diff({"x.c": lines("x", 12), "y.c": lines("y", 7)}))
    part = patch("net: add two", diff({"x.c": lines("x", 12)}))
    rest = patch("net: add the second", diff({"y.c": lines("y", 7)}))
    found = compare_series(series(A, whole), series(A, rest, part))
    assert of(found, 2).what is What.NEW
    assert of(found, 2).came_from == (Share(2, 7),)
    assert of(found, 3).went == (Share(2, 7),)
    (file,) = of(found, 3).files
    assert (file.path, file.gone, file.elsewhere) == ("y.c", 7, 2)


def test_a_patch_that_was_merged_into_another_says_so() -> None:
    merged = patch("net: add b", diff({"b.c": lines("b"), "c.c": lines("c")}))
    found = compare_series(series(A, B, C), series(A, merged))
    dropped = next(pair for pair in found.pairs if pair.what is What.DROPPED)
    assert (dropped.old, dropped.went) == (3, (Share(2, 8),))
    assert of(found, 2).came_from == (Share(3, 8),)
    (file,) = of(found, 2).files
    assert (file.path, file.came, file.elsewhere) == ("c.c", 8, 3)


def test_a_file_that_went_from_one_patch_to_another_is_followed() -> None:
    one = {"h.h": lines("h", 3), "a.c": lines("a")}
    old = series(patch("net: add a", diff(one)), B)
    new = series(A, patch("net: add b", diff({"b.c": lines("b"), "h.h": lines("h", 3)})))
    found = compare_series(old, new)
    assert places(found) == [(1, 1, What.CHANGED), (2, 2, What.CHANGED)]
    assert [(f.path, f.elsewhere) for f in of(found, 1).files] == [("h.h", 2)]
    assert [(f.path, f.elsewhere) for f in of(found, 2).files] == [("h.h", 1)]


def test_trailers_that_came_are_only_a_change_of_the_message() -> None:
    review = "Reviewed-by: Rae Viewer <rae@example.org>"
    acked = "Acked-by: Max Tainer\n <max@example.org>"
    before = patch("net: add a", diff({"a.c": lines("a")}), trailers=(SIGNED, acked))
    after = patch("net: add a", diff({"a.c": lines("a")}), trailers=(review, SIGNED))
    (pair,) = compare_series(series(before), series(after)).pairs
    assert pair.what is What.MESSAGE
    assert pair.message.came == (review,)
    assert pair.message.gone == ("Acked-by: Max Tainer <max@example.org>",)
    assert pair.message.text == ()


def test_a_text_that_is_only_wrapped_otherwise_did_not_change() -> None:
    changes = diff({"a.c": lines("a")})
    wrapped = [patch("t", changes, text=text) for text in ("one two\nthree", "one\ntwo three")]
    other = patch("t", changes, text="one two\nfour")
    assert compare_series(series(wrapped[0]), series(wrapped[1])).pairs[0].what is What.UNCHANGED
    (pair,) = compare_series(series(wrapped[0]), series(other)).pairs
    assert pair.what is What.MESSAGE
    assert pair.message.text == (" one two", "-three", "+four")


def test_the_cover_letters_are_compared_too() -> None:
    found = compare_series(series(A, cover="Hello\nold\n"), series(A, cover="Hello\nnew\n"))
    assert found.cover == (" Hello", "-old", "+new")


def test_a_diff_that_cannot_be_read_names_series_and_patch() -> None:
    broken = Patch(1, "t", "a", b"Subject: t\n\n---\ndiff --git a/a b/a\n@@ -1,9 +1,9 @@\n a\n", ())
    with pytest.raises(UsageError, match="s: patch 1: a: hunk"):
        compare_series(series(A), series(broken))


def shuffled(number: int, seed: int) -> Series:
    """A series of any patches whose line numbers and blob ids come from `seed`."""
    shape, place = random.Random(number), random.Random(f"{number} {seed}")
    patches = []
    for at in range(shape.randint(1, 12)):
        files = {f"{shape.choice('abc')}{at}.c": lines(f"w{shape.randrange(4)}", 5)}
        title = shape.choice(("net: cleanup", f"net: step {at}"))
        patches.append(patch(title, diff(files, at=place.randint(1, 9000))))
    return series(*patches)


@pytest.mark.parametrize("number", range(20))
def test_a_series_at_other_line_numbers_is_unchanged(number: int) -> None:
    old, new = shuffled(number, 1), shuffled(number, 2)
    count = len(old.patches)
    assert old != new
    for other in (old, new):
        found = compare_series(old, other)
        assert places(found) == [(at, at, What.UNCHANGED) for at in range(1, count + 1)]
        assert not any(pair.moved for pair in found.pairs)


@pytest.mark.parametrize("number", range(20))
def test_a_series_in_any_order_is_found_again(number: int) -> None:
    old = shuffled(number, 1)
    order = list(range(len(old.patches)))
    random.Random(number).shuffle(order)
    new = series(*(old.patches[at] for at in order))
    found = compare_series(old, new)
    assert {pair.what for pair in found.pairs} == {What.UNCHANGED}
    assert [pair.old - 1 for pair in found.pairs] == order


@pytest.mark.parametrize("seed", range(60))
def test_the_assignment_is_the_best_there_is(seed: int) -> None:
    chance = random.Random(seed)
    rows, columns = chance.randint(1, 5), chance.randint(1, 5)
    scores = [
        [chance.choice((0.0, chance.random(), 0.5)) for _ in range(columns)] for _ in range(rows)
    ]
    found = assign(scores)
    assert len({row for row, _ in found}) == len({column for _, column in found}) == len(found)
    assert all(scores[row][column] > 0 for row, column in found)
    small, large = sorted((rows, columns))
    best = max(
        sum(scores[at][to] if rows <= columns else scores[to][at] for at, to in enumerate(chosen))
        for chosen in itertools.permutations(range(large), small)
    )
    assert sum(scores[row][column] for row, column in found) == pytest.approx(best)


def test_nothing_is_assigned_to_nothing() -> None:
    assert assign([]) == ()
    assert assign([[], []]) == ()
