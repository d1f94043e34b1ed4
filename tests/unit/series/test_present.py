# SPDX-License-Identifier: GPL-2.0-only
"""Whether a tree has a carried series' feature: by what its files say, not by its version."""

from __future__ import annotations

from pathlib import Path

import pytest

from kzc.errors import CommandFailed, UsageError
from kzc.git import Git
from kzc.series.manifest import Base, Manifest, Mark, load_manifest
from kzc.series.present import find_present
from tests.fakelinux import make_kernel
from tests.plain import RUNNER

ONE = Mark(file="net/socket.c", has="int socket_7;")
TWO = Mark(file="include/linux/socket.h", has="SO_ZEROCOPY 60")


def manifest(*marks: Mark, since: str = "v6.7") -> Manifest:
    return Manifest(title="t", upstream_since=since, present=marks, bases={"6.1": Base()})


@pytest.fixture
def git(tmp_path: Path) -> Git:
    return Git(RUNNER, make_kernel(tmp_path / "linux"))


def test_all_marks_are_there(git: Git) -> None:
    found = find_present(git, git.commit_of("HEAD"), "three", manifest(ONE, TWO))
    assert found is not None
    assert found.places == ("net/socket.c:7", "include/linux/socket.h:1")
    assert found.reason("6.12.117") == "6.12.117 has it already (since v6.7): nothing to apply"


@pytest.mark.parametrize(
    "other",
    [
        Mark(file="net/socket.c", has="int socket_7$"),  # a fixed text, no pattern
        Mark(file="net/nothing.c", has="int"),
        Mark(file="net/socket", has="int"),
    ],
)
def test_one_mark_that_is_missing_is_enough(git: Git, other: Mark) -> None:
    assert find_present(git, git.commit_of("HEAD"), "three", manifest(ONE, other)) is None


def test_without_marks_nothing_is_known(git: Git) -> None:
    assert find_present(git, git.commit_of("HEAD"), "three", manifest()) is None


def test_the_commit_counts_not_the_files_that_lie_about(git: Git) -> None:
    assert git.cwd is not None
    (git.cwd / "net/socket.c").write_text("int other;\n")
    assert find_present(git, git.commit_of("HEAD"), "three", manifest(ONE)) is not None


def test_a_commit_that_cannot_be_read_is_no_answer(git: Git) -> None:
    with pytest.raises(CommandFailed):
        find_present(git, "0" * 40, "three", manifest(ONE))


def test_a_series_without_a_release_says_no_release(git: Git) -> None:
    found = find_present(git, git.commit_of("HEAD"), "three", manifest(ONE, since=""))
    assert found is not None
    assert found.reason("6.12.1") == "6.12.1 has it already: nothing to apply"


@pytest.mark.parametrize("file", ["../x", "/etc/passwd", "", "a//b", "a/../b", ":(top)x"])
def test_a_mark_names_a_file_inside_the_tree(tmp_path: Path, file: str) -> None:
    (tmp_path / "6.12").mkdir()
    mark = f'present = [{{ file = "{file}", has = "x" }}]'
    (tmp_path / "series.toml").write_text(f'title = "x"\n{mark}\n[bases."6.12"]\n')
    with pytest.raises(UsageError, match=r"present\.0\.file: "):
        load_manifest(tmp_path)
