# SPDX-License-Identifier: GPL-2.0-only
"""Where hunks land: offsets as git says them, functions as git's cpp driver names them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from kzc.git import Git
from kzc.proc import LocalRunner
from kzc.series.apply import apply_series
from kzc.series.diff import parse_diff
from kzc.series.fit import HunkFit, PatchFit, check_patch, worst_fit
from kzc.series.landing import FAR, function_above, name_of, succeeded
from kzc.series.outcomes import outcomes
from kzc.series.read import read_file
from kzc.values import Fit, Patch, Series, Verdict
from tests.fakelinux import commit, make_kernel
from tests.plain import RUNNER

BODY = "{\n\tint err;\n\n\terr = check(sk);\n\tif (err)\n\t\treturn err;\n\treturn 0;\n}\n\n"
ODD = """\
/* a comment */
#include <linux/net.h>

static const struct proto_ops ops = {
\t.family = 1,
\t.poll = poll,
};

static int first(struct sock *sk)
{
\tint a;
\tif (a)
\t\tgoto out;
\ta = 2;
out:
\ta = 3;
  indented:
\ta = 4;
\treturn a;
}

SYSCALL_DEFINE2(second, int, fd, int, flags)
{
\tint b;

\tb = 1;
\treturn b;
}
EXPORT_SYMBOL_GPL(second);

enum third {
\tONE,
\tTWO,
};
"""


def patch_of(text: str, tmp_path: Path) -> Patch:
    (tmp_path / "p.diff").write_text(text)
    return read_file(tmp_path / "p.diff").patches[0]


def fit_of(text: str, tree: str, tmp_path: Path, name: str = "x.c") -> PatchFit:
    """The fit of a patch to a plain folder with one file, which is no worktree."""
    folder = tmp_path / "tree"
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(tree)
    return check_patch(folder, patch_of(text, tmp_path), RUNNER)


def hunk_of(at: str, named: str = "", name: str = "x.c", before: str = "\t\treturn err;\n") -> str:
    """A patch that adds a line between two that every function of BODY has."""
    lines = "".join(f" {line}\n" for line in f"\tif (err)\n{before}".splitlines())
    return f"--- a/{name}\n+++ b/{name}\n@@ {at} @@ {named}\n{lines}+\tmore();\n \treturn 0;\n"


def only(fit: PatchFit) -> HunkFit:
    (hunk,) = fit.hunks
    return hunk


def test_functions_are_those_that_git_names(tmp_path: Path) -> None:
    """Every line of a file with odd corners changed on its own, and git asked."""
    kernel = make_kernel(tmp_path / "linux")
    (kernel / ".gitattributes").write_text("*.[ch] diff=cpp\n")
    (kernel / "x.c").write_text(ODD)
    git = Git(RUNNER, kernel)
    lines = ODD.splitlines()
    commit(kernel)
    # two variants, each changing every second line, so that no two changes are one hunk
    for odd in (0, 1):
        changed = [f"{line}~" if at % 2 == odd else line for at, line in enumerate(lines)]
        (kernel / "x.c").write_text("".join(f"{line}\n" for line in changed))
        said = git.out("diff", "-U0").splitlines()
        found = [re.match(r"@@ -(\d+)\S* \S+ @@ ?(.*)", line) for line in said]
        hunks = [(int(match[1]), match[2].strip()) for match in found if match]
        assert len(hunks) >= len(lines) // 2
        for at, named in hunks:
            assert function_above(lines, at - 1).strip()[:80] == named, at


@pytest.mark.parametrize(
    ("line", "name"),
    [
        (
            "static int sock_recv_errqueue(struct sock *sk, struct msghdr *msg,",
            "sock_recv_errqueue()",
        ),
        ("SYSCALL_DEFINE3(recvmsg, int, fd, int, flags)", "SYSCALL_DEFINE3(recvmsg)"),
        ("module_init(vsock_init);", "module_init(vsock_init)"),
        ("static DEFINE_MUTEX(lock);", "DEFINE_MUTEX(lock)"),
        ("static const struct proto_ops vsock_ops = {", "struct proto_ops vsock_ops"),
        ("struct msghdr {", "struct msghdr"),
        ("int (*hook)(int) = NULL;", "int(*hook)"),
        ("", ""),
    ],
)
def test_names_for_people(line: str, name: str) -> None:
    assert name_of(line) == name


def test_what_git_says_of_each_file() -> None:
    said = (
        "Checking patch a.c...\nHunk #2 succeeded at 9 (offset 1 line).\n"
        "Checking patch b.c...\nChecking patch c.c...\n"
        "Hunk #1 succeeded at 1305 (offset -1295 lines).\n"
    )
    assert succeeded(said) == ({2: 9}, {}, {1: 1305})
    assert succeeded("") == ()


def test_a_hunk_in_its_function_is_no_doubt(tmp_path: Path) -> None:
    tree = f"int first(struct sock *sk)\n{BODY}int second(struct sock *sk, int flags)\n{BODY}"
    # the second function got an argument since: it is the same function
    fit = fit_of(hunk_of("-16,3 +16,4", "int second(struct sock *sk)"), tree, tmp_path)
    hunk = only(fit)
    assert (fit.fit, hunk.fit) == (Fit.APPLIES, Fit.APPLIES)
    assert (hunk.line, hunk.offset, hunk.function, hunk.doubt) == (16, 0, "second()", "")


def test_a_hunk_in_another_function_is_flagged(tmp_path: Path) -> None:
    tree = f"int first(struct sock *sk)\n{BODY}int second(struct sock *sk)\n{BODY}"
    fit = fit_of(hunk_of("-13,3 +13,4", "int bar(struct sock *sk)"), tree, tmp_path)
    hunk = only(fit)
    assert fit.fit is Fit.APPLIES
    assert (hunk.line, hunk.offset, hunk.function) == (16, 3, "second()")
    assert hunk.doubt == "x.c hunk 1 lands in second(), its @@ line names bar()"
    assert fit.doubts == (hunk.doubt,)


@pytest.mark.parametrize(
    ("at", "named", "name"),
    [
        ("-16,3 +16,4", "", "x.c"),  # the mail names none
        ("-16,3 +16,4", "bar:", "x.rst"),  # not C: the cpp driver has no say
    ],
)
def test_nothing_to_compare_is_no_doubt(tmp_path: Path, at: str, named: str, name: str) -> None:
    tree = f"int first(struct sock *sk)\n{BODY}int second(struct sock *sk)\n{BODY}"
    assert only(fit_of(hunk_of(at, named, name), tree, tmp_path, name)).doubt == ""


def test_a_hunk_that_shows_its_function_itself_is_no_doubt(tmp_path: Path) -> None:
    """A function came between: the `@@` line's is not the one above any more, and need not be."""
    text = (
        "--- a/x.c\n+++ b/x.c\n@@ -9,4 +9,5 @@ int gone(void)\n"
        " \n int second(int a)\n {\n+\tx;\n \tint err;\n"
    )
    tree = f"int first(int a)\n{BODY}int second(int a)\n{BODY}"
    hunk = only(fit_of(text, tree, tmp_path))
    assert (hunk.function, hunk.line, hunk.offset, hunk.doubt) == ("first()", 10, 1, "")


def test_far_from_its_place_is_flagged_in_the_right_function_too(tmp_path: Path) -> None:
    above = "/* */\n" * 1295
    tree = f"{above}int first(struct sock *sk)\n{BODY}"
    fit = fit_of(hunk_of("-5,3 +5,4", "int first(struct sock *sk)"), tree, tmp_path)
    hunk = only(fit)
    assert (hunk.line, hunk.offset) == (1301, 1296)
    assert hunk.doubt == "x.c hunk 1 lands 1296 lines from its place, in first()"
    near = f"{'/* */' + chr(10)}" * (FAR - 2) + f"int first(struct sock *sk)\n{BODY}"
    assert only(fit_of(hunk_of("-5,3 +5,4", "int first("), near, tmp_path)).doubt == ""


def test_lines_are_the_trees_whatever_the_hunks_before_added(tmp_path: Path) -> None:
    lines = [f"int x_{number};" for number in range(1, 61)]
    two = (
        "--- a/x.c\n+++ b/x.c\n@@ -9,2 +9,5 @@\n int x_9;\n+a\n+b\n+c\n int x_10;\n"
        "@@ -39,2 +42,3 @@\n int x_39;\n+d\n int x_40;\n"
    )
    tree = "new\n" * 7 + "".join(f"{line}\n" for line in lines)
    fit = fit_of(two, tree, tmp_path)
    assert [(hunk.line, hunk.offset) for hunk in fit.hunks] == [(16, 7), (46, 7)]
    # and where it is in already, they are the places of what is there
    done = tree.replace("int x_10;", "a\nb\nc\nint x_10;").replace("int x_40;", "d\nint x_40;")
    fit = fit_of(two, done, tmp_path)
    assert fit.fit is Fit.ALREADY
    assert [(hunk.fit, hunk.line, hunk.offset) for hunk in fit.hunks] == [
        (Fit.ALREADY, 16, 7),
        (Fit.ALREADY, 49, 7),
    ]
    # one of two: each is asked on its own
    half = tree.replace("int x_10;", "a\nb\nc\nint x_10;")
    fit = fit_of(two, half, tmp_path)
    assert [(hunk.fit, hunk.line, hunk.offset) for hunk in fit.hunks] == [
        (Fit.ALREADY, 16, 7),
        (Fit.APPLIES, 49, 10),
    ]
    assert fit.fit is Fit.CONFLICT


class Counting(LocalRunner):
    """Counts the commands."""

    def __init__(self) -> None:
        self.calls = 0

    def capture(self, *args, **kwargs):  # type: ignore[no-untyped-def]
        self.calls += 1
        return super().capture(*args, **kwargs)


def test_a_patch_that_applies_costs_two_calls_whatever_its_size(tmp_path: Path) -> None:
    lines = [f"int x_{number};" for number in range(1, 401)]
    (tmp_path / "x.c").write_text("".join(f"{line}\n" for line in lines))
    hunks = "".join(
        f"@@ -{at},2 +{at + done},3 @@\n {lines[at - 1]}\n+new\n {lines[at]}\n"
        for done, at in enumerate(range(10, 390, 20))
    )
    runner = Counting()
    fit = check_patch(tmp_path, patch_of(f"--- a/x.c\n+++ b/x.c\n{hunks}", tmp_path), runner)
    assert (fit.fit, len(fit.hunks), runner.calls) == (Fit.APPLIES, 19, 2)


def test_a_doubt_is_in_the_outcome_and_is_remembered(kernel: Path, tmp_path: Path) -> None:
    (kernel / "x.c").write_text(f"int first(int a)\n{BODY}int second(int a)\n{BODY}")
    commit(kernel)
    patch = patch_of(hunk_of("-13,3 +13,4", "int bar(struct sock *sk)"), tmp_path)
    series = Series("p", "p", (patch,))
    applied = apply_series(kernel, series, RUNNER)
    assert (applied.whole, applied.fit) == (True, Fit.APPLIES)
    (outcome,) = outcomes(applied, series)
    words = "x.c hunk 1 lands in second(), its @@ line names bar()"
    assert outcome.verdict is Verdict.PASS
    assert outcome.reason == f"applies, but doubtful: {words}"
    assert outcome.detail["hunks"][0]["doubt"] == words
    assert outcome.detail["warnings"] == [
        {"file": "x.c", "line": 16, "kind": "doubtful", "text": words}
    ]
    Git(RUNNER, kernel).run("checkout", "-q", "--detach", applied.base)
    again = apply_series(kernel, series, RUNNER)
    assert again.cached
    assert again.fits == applied.fits


def test_the_worst_of_a_series() -> None:
    assert worst_fit([Fit.APPLIES, Fit.ALREADY]) is Fit.ALREADY
    assert worst_fit([Fit.BOTH, Fit.APPLIES]) is Fit.BOTH
    assert worst_fit([Fit.BOTH, Fit.CONFLICT, Fit.ALREADY]) is Fit.CONFLICT


def test_a_line_of_the_tree_that_speaks_as_git_does_fools_nobody(tmp_path: Path) -> None:
    """In a conflict git prints the lines it looked for."""
    said = "Hunk #1 succeeded at 99 (offset 9 lines)."
    text = f"--- a/x.c\n+++ b/x.c\n@@ -1,2 +1,3 @@\n a\n+b\n {said}\n"
    fit = fit_of(text, "c\nd\n", tmp_path)
    assert only(fit).fit is Fit.CONFLICT
    assert only(fit).line == 1
    assert len(parse_diff(text.encode())) == 1
