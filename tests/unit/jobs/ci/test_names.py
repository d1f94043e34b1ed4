# SPDX-License-Identifier: GPL-2.0-only
"""Trees and series of a matrix that can be nothing are told before any job is planned."""

from __future__ import annotations

from pathlib import Path

import pytest

from kzc.errors import UsageError
from kzc.jobs.ci.names import Names
from kzc.settings import Settings
from kzc.shared import shared_folder
from kzc.trees.find import add_tree
from tests.fakelinux import make_kernel
from tests.plain import RUNNER
from tests.unit.jobs.ci.samples import matrix


def checked(folder: Path, trees: str, series: str = "none", sources: str = "") -> None:
    text = f"[ci.trees]\n{sources}\n[[ci.matrix]]\ntrees = ['{trees}']\nseries = ['{series}']\n"
    settings = Settings(cache=folder / "cache", data=folder / "data")
    names = Names(folder / "kzc.toml", settings, RUNNER, shared_folder("patches"))
    names.check(matrix(folder, text))


def test_whatever_can_be_a_tree_or_a_series_is_taken(tmp_path: Path) -> None:
    linux = make_kernel(tmp_path / "linux")
    settings = Settings(cache=tmp_path / "cache", data=tmp_path / "data")
    add_tree("mine", str(linux), tmp_path, settings, RUNNER)
    for tree in ("mine", "linux", "debian:linux-source-6.12", "https://x.invalid/linux.git#v6.12"):
        checked(tmp_path, tree)
    checked(tmp_path, "new", sources="new = 'debian:linux-source-6.1'")
    patch = tmp_path / "a.patch"
    patch.write_text("Subject: [PATCH] a\n\n--- a/b\n+++ b/b\n@@ -1 +1 @@\n-a\n+b\n-- \n")
    for series in ("scm-zc-notification", "HEAD~2..HEAD", "a.patch", "none"):
        checked(tmp_path, "mine", series)


@pytest.mark.parametrize(
    ("words", "said", "hint"),
    [
        (("nope",), "ci.matrix.0.trees: nope is no tree", "kzc tree add"),
        (("debian:",), "ci.matrix.0.trees: debian: names no package", "linux-source"),
        (("new", "none", "new = 'nowhere'"), "ci.trees.new: nowhere is no tree", "kzc tree add"),
        (("New", "none", "New = '.'"), "ci.trees.New: 'New' is no name for a tree", "lower case"),
        (("debian:x1", "nope"), "ci.matrix.0.series: nope is no series", "scm-zc-notification"),
    ],
)
def test_what_can_be_neither_is_named_with_file_and_field(
    tmp_path: Path, words: tuple[str, ...], said: str, hint: str
) -> None:
    with pytest.raises(UsageError) as caught:
        checked(tmp_path, *words)
    assert caught.value.message.startswith(f"{tmp_path / 'kzc.toml'}: {said}")
    assert hint in caught.value.hint
