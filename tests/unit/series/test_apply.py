# SPDX-License-Identifier: GPL-2.0-only
"""Series on real repositories: what applies, what is there, what conflicts, and where."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from kzc.errors import UsageError
from kzc.git import Git
from kzc.series.apply import Applied, apply_series
from kzc.series.fit import check_patch, locate
from kzc.series.outcomes import outcomes
from kzc.series.read import read_file, read_folder
from kzc.values import Fit, Patch, Series, Verdict
from tests.fakelinux import commit, edit, make_kernel
from tests.plain import RUNNER


def fits(applied: Applied) -> list[Fit]:
    return [fit.fit for fit in applied.fits]


def git(folder: Path) -> Git:
    return Git(RUNNER, folder)


def test_a_commit_per_patch_as_the_author_made_it(kernel: Path, mails: Path) -> None:
    series = read_folder(mails)
    base = git(kernel).commit_of("HEAD")
    applied = apply_series(kernel, series, RUNNER)
    assert applied.whole
    assert (applied.base, applied.cached) == (base, False)
    assert applied.commits == tuple(git(kernel).commit_of(f"HEAD~{back}") for back in (2, 1, 0))
    assert applied.head == applied.commits[-1]
    assert applied.tree_id == git(kernel).out("rev-parse", "HEAD^{tree}")
    assert git(kernel).out("log", "--format=%s %an %cn", "-3").splitlines() == [
        "net: widen socket_30 kzc kzc",
        "net: widen sock_20 kzc kzc",
        "net: widen socket_10 kzc kzc",
    ]
    assert "long socket_30;" in (kernel / "net/socket.c").read_text()


def test_the_same_series_is_the_same_commits_anywhere(mails: Path, tmp_path: Path) -> None:
    series = read_folder(mails)
    one = apply_series(make_kernel(tmp_path / "one"), series, RUNNER)
    two = apply_series(make_kernel(tmp_path / "two"), series, RUNNER)
    assert one.commits == two.commits


def test_the_second_time_it_is_remembered(kernel: Path, mails: Path) -> None:
    series = read_folder(mails)
    first = apply_series(kernel, series, RUNNER)
    git(kernel).run("checkout", "-q", "--detach", first.base)
    second = apply_series(kernel, series, RUNNER)
    assert second == replace(first, cached=True)
    assert git(kernel).commit_of("HEAD") == first.head
    # kept from gc by a ref of its own
    git(kernel).run("checkout", "-q", "-f", first.base)
    git(kernel).run("reflog", "expire", "--expire=now", "--all")
    git(kernel).run("gc", "-q", "--prune=now")
    assert apply_series(kernel, series, RUNNER).cached


def test_a_memory_that_lost_its_commits_or_is_torn_is_made_again(kernel: Path, mails: Path) -> None:
    series = read_folder(mails)
    first = apply_series(kernel, series, RUNNER)
    (memory,) = (kernel / ".git/kzc-applied").iterdir()
    memory.write_text(memory.read_text().replace(first.head, "0" * 39 + "1"))
    git(kernel).run("checkout", "-q", "-f", "--detach", first.base)
    assert apply_series(kernel, series, RUNNER) == first
    memory.write_text("{")
    git(kernel).run("checkout", "-q", "-f", "--detach", first.base)
    assert apply_series(kernel, series, RUNNER) == first


def test_a_patch_that_is_in_the_tree_makes_no_commit(kernel: Path, mails: Path) -> None:
    edit(kernel / "net/core/sock.c", "int sock_20;", "long sock_20;")
    commit(kernel)
    series = read_folder(mails)
    applied = apply_series(kernel, series, RUNNER)
    assert fits(applied) == [Fit.APPLIES, Fit.ALREADY, Fit.APPLIES]
    assert applied.commits[1] is None
    assert applied.whole
    found = outcomes(applied, series)
    assert [outcome.verdict for outcome in found] == [Verdict.PASS, Verdict.SKIP, Verdict.PASS]
    assert found[1].reason == "already in the tree"
    assert found[0].subject == "1/3 net: widen socket_10"
    assert found[2].detail["commit"] == applied.head


def test_a_conflict_stops_with_both_sides_and_a_clean_worktree(kernel: Path, mails: Path) -> None:
    path = kernel / "net/core/sock.c"
    path.write_text("// one\n// more\n" + path.read_text())
    edit(path, "int sock_20;", "char sock_20;")
    commit(kernel)
    series = read_folder(mails)
    applied = apply_series(kernel, series, RUNNER)
    assert fits(applied) == [Fit.APPLIES, Fit.CONFLICT]
    assert not applied.whole
    assert applied.commits[1:] == (None, None)
    assert git(kernel).commit_of("HEAD") == applied.head == applied.commits[0]
    assert git(kernel).out("status", "--porcelain") == ""
    passed, failed, rest = outcomes(applied, series)
    assert (passed.verdict, failed.verdict, rest.verdict) == (
        Verdict.PASS,
        Verdict.FAIL,
        Verdict.NOT_RUN,
    )
    (hunk,) = failed.detail["hunks"]
    assert failed.reason == f"conflict at net/core/sock.c:{hunk['line']}"
    assert "-int sock_20;" in hunk["patch"]
    there = hunk["tree"].splitlines()
    assert path.read_text().splitlines()[hunk["line"] - 1] == there[0]
    assert "char sock_20;" in there
    assert "    22  char sock_20;\n" in failed.detail["log"]
    assert rest.reason == "patch 2/3 does not apply"


def test_a_conflict_is_remembered_too(kernel: Path, mails: Path) -> None:
    edit(kernel / "net/socket.c", "int socket_10;", "char socket_10;")
    base = commit(kernel)
    first = apply_series(kernel, read_folder(mails), RUNNER)
    second = apply_series(kernel, read_folder(mails), RUNNER)
    assert first.head == base
    assert second == replace(first, cached=True)


def test_of_a_half_merged_patch_each_hunk_is_told(kernel: Path, tmp_path: Path) -> None:
    git(kernel).run("checkout", "-q", "-b", "topic")
    for number in (5, 20, 35):
        edit(kernel / "net/socket.c", f"int socket_{number};", f"long socket_{number};")
    commit(kernel, "net: widen three")
    mail = git(kernel).run("format-patch", "--stdout", "-1").raw
    (tmp_path / "x.patch").write_bytes(mail)
    (patch,) = read_file(tmp_path / "x.patch").patches
    git(kernel).run("checkout", "-q", "main")
    edit(kernel / "net/socket.c", "int socket_5;", "long socket_5;")
    edit(kernel / "net/socket.c", "int socket_34;", "char socket_34;")
    commit(kernel)
    found = check_patch(kernel, patch, RUNNER)
    assert found.fit is Fit.CONFLICT
    assert [hunk.fit for hunk in found.hunks] == [Fit.ALREADY, Fit.APPLIES, Fit.CONFLICT]
    assert found.hunks[2].there


def patch_of(text: str, tmp_path: Path) -> Patch:
    (tmp_path / "p.diff").write_text(text)
    return read_file(tmp_path / "p.diff").patches[0]


def test_a_patch_that_fits_both_ways_is_doubtful(kernel: Path, tmp_path: Path) -> None:
    block = "a\nb\nc\nd\ne\n"
    (kernel / "net/socket.c").write_text(f"{block}{block.replace('c', 'c' + chr(10) + 'new')}")
    commit(kernel)
    text = "--- a/net/socket.c\n+++ b/net/socket.c\n@@ -2,3 +2,4 @@\n b\n c\n+new\n d\n"
    patch = patch_of(text, tmp_path)
    assert check_patch(kernel, patch, RUNNER).fit is Fit.BOTH
    series = Series("p", "p", (patch,))
    applied = apply_series(kernel, series, RUNNER)
    assert applied.commits == (None,)
    (outcome,) = outcomes(applied, series)
    assert outcome.verdict is Verdict.FAIL
    assert "doubtful" in outcome.reason


def test_no_fuzz_and_no_changed_context(kernel: Path, tmp_path: Path) -> None:
    text = (
        "--- a/net/socket.c\n+++ b/net/socket.c\n@@ -9,3 +9,4 @@\n"
        " int socket_9;\n int socket_10;\n+new\n int something_else;\n"
    )
    found = check_patch(kernel, patch_of(text, tmp_path), RUNNER)
    assert found.fit is Fit.CONFLICT
    assert (found.hunks[0].line, found.hunks[0].there[2]) == (7, "int socket_9;")


@pytest.mark.parametrize(
    ("text", "note"),
    [
        ("--- a/gone.c\n+++ b/gone.c\n@@ -1 +1 @@\n-a\n+b\n", "the tree has no gone.c"),
        ("--- /dev/null\n+++ b/Kbuild\n@@ -0,0 +1 @@\n+x\n", "the tree already has Kbuild"),
        (
            "--- a/Kbuild\n+++ b/Kbuild\n@@ -1,2 +1,2 @@\n foreign\n-a\n+b\n",
            "nothing of the hunk's context is in the file",
        ),
    ],
)
def test_why_there_is_no_place(kernel: Path, tmp_path: Path, text: str, note: str) -> None:
    found = check_patch(kernel, patch_of(text, tmp_path), RUNNER)
    assert found.fit is Fit.CONFLICT
    assert found.hunks[0].note == note


def test_a_worktree_with_changes_is_left_alone(kernel: Path, mails: Path) -> None:
    series = read_folder(mails)
    edit(kernel / "Kbuild", "net", "mine")
    with pytest.raises(UsageError, match="has uncommitted changes"):
        apply_series(kernel, series, RUNNER)
    assert "mine" in (kernel / "Kbuild").read_text()


def test_hooks_signing_and_a_killed_am_do_not_matter(kernel: Path, mails: Path) -> None:
    hook = kernel / ".git/hooks/applypatch-msg"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\nexit 1\n")
    hook.chmod(0o755)
    git(kernel).run("config", "commit.gpgsign", "true")
    git(kernel).run("config", "am.threeWay", "true")
    left = kernel / ".git/rebase-apply"
    left.mkdir()
    (left / "applying").touch()
    assert apply_series(kernel, read_folder(mails), RUNNER).whole


def test_a_mail_without_a_date_gives_the_same_commit_always(kernel: Path, tmp_path: Path) -> None:
    text = "--- a/Kbuild\n+++ b/Kbuild\n@@ -1 +1 @@\n-obj-y += net/\n+obj-y += x/\n"
    applied = apply_series(kernel, Series("p", "p", (patch_of(text, tmp_path),)), RUNNER)
    assert applied.whole
    assert git(kernel).out("log", "-1", "--format=%at %ct") == "946684800 946684800"


def test_where_most_of_a_hunk_is() -> None:
    lines = ["{", "a", "}", "x", "{", "b", "c", "}", "a", "b", "zzz"]
    assert locate(["b", "c", "}"], lines, 0) == 5
    assert locate(["a", "b", "other"], lines, 0) == 8
    assert locate(["a"], lines, 8) == 8
    assert locate(["a"], lines, 0) == 1
    assert locate(["nothing", ""], lines, 0) == -1
