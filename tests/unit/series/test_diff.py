# SPDX-License-Identifier: GPL-2.0-only
"""Diffs as git writes them, and cut ones."""

from __future__ import annotations

import pytest

from kzc.series.diff import DiffError, count_changes, find_diff, hostile, parse_diff, unquote

MANY = b"""\
diff --git a/new.c b/new.c
new file mode 100644
index 000000000..e69de29bb
--- /dev/null
+++ b/new.c
@@ -0,0 +1,2 @@
+int a;
+-- int b;
diff --git a/old.c b/old.c
deleted file mode 100644
--- a/old.c
+++ /dev/null
@@ -1 +0,0 @@
-int old;
diff --git a/run b/run
old mode 100644
new mode 100755
diff --git a/from.c b/to.c
similarity index 90%
rename from from.c
rename to to.c
--- a/from.c
+++ b/to.c
@@ -1,3 +1,3 @@ struct x {
 one

-two
+three
@@ -9 +9 @@
-nine
\\ No newline at end of file
+ten
\\ No newline at end of file
diff --git a/logo.bin b/logo.bin
index 1..2 100644
GIT binary patch
literal 5
Mc$@+++ b/not-a-name

diff --git "a/sp ace" "b/sp ace"
--- "a/t\\303\\244b\\tx"
+++ "b/t\\303\\244b\\tx"
@@ -1 +1 @@
-x
+y
--\x20
2.39.5

"""


def test_every_kind_of_change_is_read() -> None:
    files = parse_diff(MANY)
    paths = [file.path for file in files]
    assert paths == ["new.c", "old.c", "run", "to.c", "logo.bin", "täb\tx"]
    assert files[3].names == ("from.c", "to.c")
    assert [len(file.hunks) for file in files] == [1, 1, 0, 2, 0, 1]
    assert files[3].hunks[0].before == ("one", "", "two")
    assert count_changes(files) == (6, 5, 4)
    assert files[3].head.startswith(b"diff --git a/from.c")
    assert files[3].hunks[1].text.endswith(b"\\ No newline at end of file\n")


def test_the_lines_a_hunk_expects() -> None:
    (file,) = parse_diff(b"--- a/x\n+++ b/x\n@@ -5,3 +5,3 @@\n a\n-b\n+c\n d\n")
    assert file.hunks[0].before == ("a", "b", "d")
    assert (file.hunks[0].start, file.path) == (5, "x")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"--- a/x\n+++ b/x\n@@ -1,2 +1,2 @@\n a\n-b\n", "x: hunk @@ -1,2 .* is cut at the end"),
        (b"--- a/x\n+++ b/x\n@@ -1,2 +1,2 @@\n a\n-b\n+c", r"is cut at '\+c'"),
        (b"--- a/x\n+++ b/x\n@@ -1,2 +1,2 @@\n a\nwrapped\n", "is cut at 'wrapped'"),
        (b"--- a/x\n+++ b/x\n@@ -1 +1 @@\n a\n@@ broken\n@@ -1 +1 @@\n", "a hunk without a file"),
        (b"--- a/x\n+++ b/x\n@@ -1,2 +1,1 @@\n a\n b\n", "other lines than it announces"),
    ],
)
def test_what_is_wrong_is_said(text: bytes, said: str) -> None:
    with pytest.raises(DiffError, match=said):
        parse_diff(text)


def test_a_diff_begins_where_git_says() -> None:
    text = b"talk\n--- a line\nof talk\n---\n x | 2 +-\n\n--- a/x\n+++ b/x\n@@ -1 +1 @@\n"
    assert find_diff(text).startswith(b"--- a/x\n")
    assert find_diff(b"talk\n---\nmore\n") == b""


def test_names_are_unquoted() -> None:
    assert unquote(b'"a/\\056\\056/\\"x\\\\\\n"\n') == 'a/../"x\\\n'
    assert unquote(b"b/x.c\t2024-01-01\n") == "b/x.c"


@pytest.mark.parametrize("name", ["net/a.c", "a..b/c", ".github/x", "x/.gitignore", "..."])
def test_honest_names(name: str) -> None:
    assert not hostile(name)
