# SPDX-License-Identifier: GPL-2.0-only
"""What differs between two diffs, and that mere places do not: interdiff.py, changes.py."""

from __future__ import annotations

import pytest

from kzc.series.changes import changes_of
from kzc.series.interdiff import FileDelta, Mark, interdiff
from tests.unit.series.versions import diff, lines

HEAD = "diff --git a/{0} b/{0}\n"


def between(old: str, new: str, context: int = 2) -> tuple[FileDelta, ...]:
    return interdiff(changes_of(old.encode()), changes_of(new.encode()), context)


def told(file: FileDelta) -> list[str]:
    return [f"{line.mark}{line.text}" for line in file.lines]


@pytest.mark.parametrize(
    "other",
    [
        {"at": 4711},
        {"near": ("line above", "another line below")},
        {"near": ("quite another", "neighbourhood")},
        {"function": "int g(void)"},
    ],
    ids=str,
)
def test_numbers_context_and_a_function_s_name_alone_are_no_change(other: dict[str, str]) -> None:
    files = {"a.c": lines("a"), "b.c": ["-int old;", "+int new;"]}
    assert between(diff(files), diff(files, **other)) == ()  # type: ignore[arg-type]


def test_the_same_lines_in_another_function_are_moved() -> None:
    files = {"a.c": ["+\treturn 0;"]}
    (file,) = between(
        diff(files, function="int f(void)", near=("int above;", "int below;")),
        diff(files, function="int g(void)", near=("long other;", "long next;")),
    )
    assert told(file) == [">was in int f(void)", " +\treturn 0;"]
    assert file.lines[0].function == "int g(void)"
    assert (file.came, file.gone) == (0, 0)


def test_a_lone_brace_in_common_does_not_make_a_place_the_same() -> None:
    files = {"a.c": ["+\treturn 0;"]}
    near = {"near": ("{", "}")}
    (file,) = between(
        diff(files, function="int f(void)", near=near["near"]),
        diff(files, function="int g(void)", near=near["near"]),
    )
    assert file.marks >= {Mark.MOVED}


def test_a_changed_line_is_told_with_its_function_and_what_stands_around() -> None:
    old = lines("a", 9)
    new = [*old[:4], "+int changed;", *old[5:]]
    (file,) = between(diff({"a.c": old}), diff({"a.c": new}, at=99), context=1)
    assert file.path == "a.c"
    assert told(file) == [f" {old[3]}", f"-{old[4]}", "++int changed;", f" {old[5]}"]
    assert {line.function for line in file.lines} == {"int f(void)"}
    assert (file.came, file.gone) == (1, 1)


def test_a_line_that_is_removed_now_and_was_added_before_is_two_lines() -> None:
    (file,) = between(diff({"a.c": ["+same"]}), diff({"a.c": ["-same"]}))
    assert told(file) == ["-+same", "+-same"]


def test_a_file_more_and_a_file_less() -> None:
    found = between(
        diff({"a.c": ["+a"], "gone.c": ["+old thing"]}), diff({"a.c": ["+a"], "new.c": ["+fresh"]})
    )
    assert [(file.path, told(file)) for file in found] == [
        ("gone.c", ["-+old thing"]),
        ("new.c", ["++fresh"]),
    ]
    assert [file.marks for file in found] == [{Mark.GONE}, {Mark.CAME}]


def test_a_file_with_another_name_and_the_same_lines_was_renamed() -> None:
    (file,) = between(diff({"old.c": lines("x")}), diff({"new.c": [*lines("x"), "+int more;"]}))
    assert (file.path, file.before) == ("new.c", "old.c")
    assert (file.came, file.gone) == (1, 0)


def test_files_in_another_order_are_no_change() -> None:
    one, two = {"a.c": lines("a")}, {"b.c": lines("b")}
    assert between(diff(one) + diff(two), diff(two) + diff(one)) == ()


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("new file mode 100644\n", "new file mode 100755\n", ["-new file mode 100644"]),
        ("old mode 100644\nnew mode 100755\n", "", ["-old mode 100644", "-new mode 100755"]),
        ("index 1..2 100644\n", "index 3..4 100644\n", []),
        ("similarity index 90%\n", "similarity index 95%\n", []),
    ],
)
def test_of_a_head_modes_count_and_blob_ids_do_not(old: str, new: str, expected: list[str]) -> None:
    body = "--- a/f\n+++ b/f\n@@ -0,0 +1 @@\n+x\n"
    found = between(HEAD.format("f") + old + body, HEAD.format("f") + new + body)
    assert [line for file in found for line in told(file)][: len(expected)] == expected
    assert bool(found) == bool(expected)


def test_binary_content_is_compared_by_what_it_is() -> None:
    binary = HEAD.format("f") + "index 1..2\nGIT binary patch\nliteral 3\n{}\n\n"
    assert between(binary.format("abc"), binary.format("abc")) == ()
    (file,) = between(binary.format("abc"), binary.format("xyz"))
    assert all("binary content" in line for line in told(file))
    differs = HEAD.format("f") + "index 1..{}\nBinary files a/f and b/f differ\n"
    assert between(differs.format(2), differs.format(2)) == ()
    assert between(differs.format(2), differs.format(3))


def test_a_newline_that_is_missing_now_is_a_change() -> None:
    whole = HEAD.format("f") + "--- a/f\n+++ b/f\n@@ -0,0 +1 @@\n+x\n"
    (file,) = between(whole, whole + "\\ No newline at end of file\n")
    assert told(file) == [" +x", "+\\ No newline at end of file"]
