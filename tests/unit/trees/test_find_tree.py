# SPDX-License-Identifier: GPL-2.0-only
"""Names, sources and where the user stands."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from kzc.errors import HostError, UsageError
from kzc.git import Git
from kzc.settings import Settings
from kzc.trees import registry
from kzc.trees.find import add_tree, check_source, check_tree, find_tree, split_path
from kzc.trees.tree import kernel_version
from tests.fakelinux import commit, edit
from tests.plain import RUNNER


def test_where_one_stands_is_the_tree(kernel: Path, settings: Settings, tmp_path: Path) -> None:
    tree = find_tree(None, kernel / "net/core", settings, RUNNER)
    assert tree.commit == Git(RUNNER, kernel).commit_of("HEAD")
    with pytest.raises(UsageError, match="is in no kernel checkout and none is named"):
        find_tree(None, tmp_path, settings, RUNNER)
    chosen = settings.model_copy(update={"tree": str(kernel)})
    assert find_tree(None, tmp_path, chosen, RUNNER).commit == tree.commit


def test_an_added_tree_has_a_name_and_follows_its_checkout(
    kernel: Path, settings: Settings, tmp_path: Path
) -> None:
    added = add_tree("mine", "linux", tmp_path, settings, RUNNER)
    assert added.source == str(kernel)
    assert registry.show("mine", settings) == added
    edit(kernel / "Kbuild", "net", "new")
    head = commit(kernel)
    assert find_tree("mine", Path("/"), settings, RUNNER).commit == head
    assert [tree.name for tree in registry.listed(settings)] == ["mine"]
    registry.remove("mine", settings)
    assert registry.listed(settings) == ()
    with pytest.raises(UsageError, match="there is no tree mine"):
        registry.remove("mine", settings)


def test_a_name_stays_with_its_source(kernel: Path, settings: Settings, tmp_path: Path) -> None:
    add_tree("mine", str(kernel), tmp_path, settings, RUNNER)
    add_tree("mine", str(kernel), tmp_path, settings, RUNNER)
    shutil.copytree(kernel, tmp_path / "other")
    with pytest.raises(UsageError, match="the name mine is taken by"):
        add_tree("mine", "other", tmp_path, settings, RUNNER)


@pytest.mark.parametrize("name", ["", "Mine", "a/b", "..", "-x", "a b", "ä"])
def test_what_is_no_name(kernel: Path, settings: Settings, name: str) -> None:
    with pytest.raises(UsageError, match="is no name for a tree"):
        add_tree(name, str(kernel), kernel, settings, RUNNER)
    assert not (settings.data / "trees").exists()


def test_a_git_url_with_a_ref(kernel: Path, settings: Settings) -> None:
    first = Git(RUNNER, kernel).commit_of("HEAD")
    Git(RUNNER, kernel).run("tag", "v1")
    edit(kernel / "Makefile", "EXTRAVERSION =", "EXTRAVERSION = -rc3")
    second = commit(kernel)
    url = f"file://{kernel}"
    tagged = add_tree("tagged", f"{url}#v1", kernel, settings, RUNNER)
    assert (tagged.commit, tagged.version, tagged.kind) == (first, "6.12.117", "git")
    newest = find_tree(url, kernel, settings, RUNNER)
    assert (newest.commit, newest.version) == (second, "6.12.117-rc3")
    assert newest.repo == tagged.repo
    # fetched once: it is there without the remote, until the cache is gone
    shutil.move(kernel, kernel.with_name("away"))
    assert find_tree("tagged", Path("/"), settings, RUNNER) == tagged
    shutil.rmtree(settings.cache)
    with pytest.raises(HostError, match="cannot fetch v1"):
        find_tree("tagged", Path("/"), settings, RUNNER)
    shutil.move(kernel.with_name("away"), kernel)
    assert find_tree("tagged", Path("/"), settings, RUNNER) == tagged


def test_a_remote_that_does_not_answer_leaves_nothing(settings: Settings, tmp_path: Path) -> None:
    with pytest.raises(HostError, match="cannot fetch main") as caught:
        find_tree("git://localhost:1/linux.git#main", tmp_path, settings, RUNNER)
    assert "git ls-remote git://localhost:1/linux.git main" in caught.value.hint
    assert not [path for path in (settings.cache / "repos").iterdir() if path.suffix == ".git"]


def test_what_is_no_tree(kernel: Path, settings: Settings, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="nowhere is no tree: neither the name of one nor"):
        find_tree("nowhere", tmp_path, settings, RUNNER)
    with pytest.raises(UsageError, match="--dirty needs a checkout"):
        find_tree("debian:linux-source-6.12", tmp_path, settings, RUNNER, dirty=True)
    with pytest.raises(UsageError, match="--dirty needs a checkout with files, at its HEAD"):
        find_tree(f"{kernel}#main", tmp_path, settings, RUNNER, dirty=True)


def test_a_damaged_entry_is_named(kernel: Path, settings: Settings) -> None:
    add_tree("mine", str(kernel), kernel, settings, RUNNER)
    file = settings.data / "trees/mine.json"
    whole = json.loads(file.read_text())
    for text in ("{", "[]", json.dumps({**whole, "kind": "cvs"})):
        file.write_text(text)
        with pytest.raises(HostError, match=r"mine\.json is damaged"):
            find_tree("mine", kernel, settings, RUNNER)


def test_paths_with_a_ref(tmp_path: Path) -> None:
    (tmp_path / "odd#name").mkdir()
    assert split_path("odd#name", tmp_path) == (tmp_path / "odd#name", "")
    assert split_path("linux#v6.12", tmp_path) == (tmp_path / "linux", "v6.12")
    assert split_path("/abs", tmp_path) == (Path("/abs"), "")


def test_versions_as_makefiles_spell_them() -> None:
    lines = ["# x", "VERSION = 7", "PATCHLEVEL = 0", "SUBLEVEL = 0", "EXTRAVERSION = -rc1", "N = V"]
    assert kernel_version(lines) == "7.0.0-rc1"
    assert kernel_version(["VERSION = 7", "PATCHLEVEL = x", "SUBLEVEL = 0"]) == ""
    assert kernel_version([]) == ""


def test_what_can_be_no_tree_is_known_without_fetching_or_writing(
    kernel: Path, settings: Settings, tmp_path: Path
) -> None:
    (tmp_path / "empty").mkdir()
    for spec in ("linux", "linux#HEAD", "debian:linux-source-9.9@sid", "https://x.invalid/l#v1"):
        check_tree(spec, tmp_path, settings, RUNNER)
    for spec, said in (
        ("nope", "nope is no tree: neither the name of one nor a folder"),
        ("linux#nope", "there is no commit nope"),
        ("empty", "is no kernel tree"),
        ("debian:", "debian: names no package"),
    ):
        with pytest.raises(UsageError, match=said):
            check_tree(spec, tmp_path, settings, RUNNER)
    assert not settings.data.exists()
    assert not settings.cache.exists()
    add_tree("mine", "linux", tmp_path, settings, RUNNER)
    check_tree("mine", tmp_path, settings, RUNNER)
    with pytest.raises(UsageError, match="mine is no tree"):
        check_source("mine", tmp_path, settings, RUNNER)
    shutil.rmtree(kernel)
    with pytest.raises(UsageError, match="is no tree"):
        check_tree("mine", tmp_path, settings, RUNNER)
