# SPDX-License-Identifier: GPL-2.0-only
"""One step of a port: merging a commit, applying a mail, telling what was moved; and its state."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from kzc.errors import HostError
from kzc.git import Git
from kzc.series import port as steps
from kzc.series.port import How, Port, Step, Tried
from tests.fakelinux import commit, edit
from tests.plain import RUNNER

PORT = Port("n", "s", "6.12", "7.3", "b" * 40, "b" * 40, (Step("one"), Step("two", "c" * 40)))


def test_a_port_is_read_as_it_was_written() -> None:
    port = replace(PORT, conflicts=("net/a.c",)).went(How.MERGED, "d" * 40, "moved")
    assert steps.read(steps.written(port)) == port
    assert (port.at, port.done, port.stopped, port.head) == (1, False, False, "d" * 40)
    waiting = port.waits(Tried("", ("net/b.c",), "conflict"))
    assert (waiting.at, waiting.stopped, waiting.steps[1].note) == (1, True, "conflict")
    ended = waiting.went(How.ALREADY, "")
    assert (ended.done, ended.head, ended.steps[1].how) == (True, "d" * 40, How.ALREADY)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"form": 1}', '{"form": 9}'])
def test_a_damaged_state_is_told(text: str) -> None:
    with pytest.raises(HostError, match="damaged"):
        steps.read(text)


def diff_at(start: int, named: str = "int f(void)", context: str = "a") -> bytes:
    return (
        f"--- a/x.c\n+++ b/x.c\n@@ -{start},2 +{start},3 @@ {named}\n {context}\n+b\n c\n"
    ).encode()


@pytest.mark.parametrize(
    ("new", "how", "note"),
    [
        (diff_at(9), How.UNCHANGED, ""),
        (diff_at(12), How.MERGED, "1 of 1 hunks moved, at most 3 lines"),
        (diff_at(9, context="x"), How.MERGED, "1 of 1 hunks have other lines now"),
        (diff_at(9, "int g(void)"), How.MERGED, "x.c: what was below f() is below g() now"),
    ],
)
def test_what_became_of_a_patch(new: bytes, how: How, note: str) -> None:
    assert steps.compare(diff_at(9), new) == (how, note)


def topic(kernel: Path) -> tuple[Git, str, str]:
    """A repository, its base, and a commit on it that nobody has checked out."""
    git = Git(RUNNER, kernel)
    base = git.commit_of("HEAD")
    edit(kernel / "net/socket.c", "int socket_20;", "long socket_20;")
    original = commit(kernel, "net: widen\n\nBecause.")
    git.run("reset", "-q", "--hard", base)
    return git, base, original


def test_a_merge_takes_what_apply_would_not(kernel: Path) -> None:
    git, _, original = topic(kernel)
    # the context differs, the line does not
    edit(kernel / "net/socket.c", "int socket_17;", "char socket_17;")
    (kernel / "net/core/sock.c").unlink()
    head = commit(kernel)
    tried = steps.merge(git, head, original)
    made = steps.commit(git, tried.tree, head, steps.author_of(git, original))
    assert git.out("diff", "--name-only", head, made) == "net/socket.c"
    assert git.out("show", "-s", "--format=%B", made) == "net: widen\n\nBecause."
    assert "long socket_20;" in git.out("show", f"{made}:net/socket.c")
    assert git.out("status", "--porcelain") == ""
    assert made == steps.commit(git, tried.tree, head, steps.author_of(git, original))


def test_a_merge_that_cannot_be_names_the_files(kernel: Path) -> None:
    git, _, original = topic(kernel)
    edit(kernel / "net/socket.c", "int socket_20;", "char socket_20;")
    assert steps.merge(git, commit(kernel), original) == Tried("", ("net/socket.c",))


def test_a_mail_is_applied_merged_or_refused(kernel: Path, tmp_path: Path) -> None:
    git, base, original = topic(kernel)
    mail = git.run("format-patch", "--stdout", "--full-index", "-1", original).raw
    unknown = git.run("format-patch", "--stdout", "--no-prefix", "-1", original).raw
    index = tmp_path / "index"
    assert unknown
    whole = steps.apply_mail(git, base, mail, index)
    assert whole.tree == git.out("rev-parse", f"{original}^{{tree}}")
    assert not index.exists()
    # there already
    assert steps.apply_mail(git, original, mail, index).tree == whole.tree
    # other context: the blobs are at hand, so it is merged
    edit(kernel / "net/socket.c", "int socket_17;", "char socket_17;")
    other = commit(kernel)
    assert steps.apply_mail(git, other, mail, index).tree
    # and where they are not, nothing is guessed
    cut = b"\n".join(line for line in mail.split(b"\n") if not line.startswith(b"index "))
    assert steps.apply_mail(git, other, cut, index) == Tried("", ("net/socket.c",))
    authored = steps.author_of_mail(git, mail, tmp_path)
    assert (authored.name, authored.message) == ("kzc", "net: widen\n\nBecause.\n")
