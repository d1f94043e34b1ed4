# SPDX-License-Identifier: GPL-2.0-only
"""What the index lines of a series say of its base, and how commits are scored by them."""

from __future__ import annotations

from pathlib import Path

import pytest

from kzc.git import Git
from kzc.series.blobs import (
    FORMAT,
    Score,
    Wanted,
    answers,
    paths,
    questions,
    sample,
    score,
    wanted,
)
from kzc.series.read import read_folder
from kzc.values import Patch
from tests.fakelinux import commit
from tests.plain import RUNNER


def patch(diff: str) -> Patch:
    return Patch(1, "x", "a <a@b>", f"Subject: x\n\nx\n---\n{diff}".encode(), ())


def changed(name: str, index: str = "index 1111111..2222222 100644\n") -> str:
    return f"diff --git a/{name} b/{name}\n{index}--- a/{name}\n+++ b/{name}\n@@ -1 +1 @@\n-a\n+b\n"


NEW = (
    "diff --git a/n.c b/n.c\nnew file mode 100644\nindex 000000000..3333333\n"
    "--- /dev/null\n+++ b/n.c\n@@ -0,0 +1 @@\n+x\n"
)
GONE = (
    "diff --git a/g.c b/g.c\ndeleted file mode 100644\nindex 4444444..0000000\n"
    "--- a/g.c\n+++ /dev/null\n@@ -1 +0,0 @@\n-x\n"
)
MOVED = "diff --git a/o.c b/p.c\nsimilarity index 100%\nrename from o.c\nrename to p.c\n"
MOVED_AND_CHANGED = (
    "diff --git a/o.c b/p.c\nsimilarity index 90%\nrename from o.c\nrename to p.c\n"
    "index 5555555..6666666 100644\n--- a/o.c\n+++ b/p.c\n@@ -1 +1 @@\n-a\n+b\n"
)


@pytest.mark.parametrize(
    ("diff", "wants"),
    [
        (changed("a.c"), (Wanted("a.c", "1111111"),)),
        (changed("a.c", f"index {'a' * 40}..{'b' * 40} 100755\n"), (Wanted("a.c", "a" * 40),)),
        (changed("a.c", "index 1111..2222\n"), (Wanted("a.c", "1111"),)),
        (changed("a.c", ""), (Wanted("a.c"),)),
        (NEW, (Wanted("n.c", new=True),)),
        ("--- a/n.c\n+++ b/n.c\n@@ -0,0 +1 @@\n+x\n", (Wanted("n.c", new=True),)),
        (GONE, (Wanted("g.c", "4444444"),)),
        (MOVED, (Wanted("o.c"), Wanted("p.c", new=True))),
        (MOVED_AND_CHANGED, (Wanted("o.c", "5555555"), Wanted("p.c", new=True))),
        (changed("a.c") + NEW, (Wanted("a.c", "1111111"), Wanted("n.c", new=True))),
    ],
)
def test_what_a_diff_wants(diff: str, wants: tuple[Wanted, ...]) -> None:
    assert wanted([patch(diff)]) == wants


def test_only_the_first_patch_that_touches_a_path_tells_of_the_base() -> None:
    later = changed("a.c", "index 2222222..7777777 100644\n")
    on_new = changed("n.c", "index 3333333..8888888 100644\n")
    on_moved = changed("p.c", "index 6666666..9999999 100644\n")
    series = [patch(changed("a.c") + NEW + MOVED_AND_CHANGED), patch(later + on_new + on_moved)]
    assert wanted(series) == wanted(series[:1])
    assert paths(series) == ("a.c", "n.c", "o.c", "p.c")


def test_scores() -> None:
    wants = (Wanted("a", "11"), Wanted("b", "22"), Wanted("c"), Wanted("n", new=True))
    whole = {"a": "11f", "b": "22f", "c": "333"}
    assert score(wants, whole) == Score(2, 2)
    assert score(wants, whole).share == 1
    assert score(wants, {"a": "11f", "b": "12f", "n": "5"}) == Score(1, 2, ("n",), ("c",))
    assert score(wants[2:], {"c": "1"}).share == 0


def test_a_sample_is_of_those_that_tell() -> None:
    wants = [Wanted(f"n{at}", new=True) for at in range(5)]
    wants += [Wanted(f"b{at}", "1234") for at in range(10)]
    few = sample(wants, 4)
    assert 3 <= len(few) <= 4
    assert all(want.blob for want in few)
    assert sample(wants[:5], 9) == tuple(wants[:5])
    assert sample([], 4) == ()


def test_git_answers_in_the_order_of_the_questions(kernel: Path, mails: Path) -> None:
    (kernel / "net/with blank.c").write_text("x\n")
    second = commit(kernel, "second")
    git = Git(RUNNER, kernel)
    commits = [git.commit_of("HEAD~1"), second]
    names = ["net/with blank.c", "net/socket.c", "nowhere", "net"]
    asked = questions(commits, names)
    found = answers(git.run("cat-file", FORMAT, stdin=asked).raw, commits, names)
    blob = git.out("rev-parse", "HEAD:net/socket.c")
    assert found[commits[0]] == {"net/socket.c": blob, "net": "tree"}
    assert found[second]["net/with blank.c"] == git.out("rev-parse", "HEAD:net/with blank.c")
    wants = wanted(read_folder(mails).patches)
    assert [want.path for want in wants] == ["net/socket.c", "net/core/sock.c"]
    assert score(wants[:1], found[second]) == Score(1, 1)


def test_an_answer_that_is_cut_is_no_file() -> None:
    assert answers(b"", ["c"], ["a", "b"]) == {"c": {}}
    assert answers(b"c:a missing\n" + b"1" * 40 + b" blob\n", ["c"], ["a", "b"]) == {
        "c": {"b": "1" * 40}
    }
