# SPDX-License-Identifier: GPL-2.0-only
"""Words for a kernel, with real repositories, series and images."""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from kzc.errors import UsageError
from kzc.git import Git
from kzc.jobs.choice import Choice, Finder
from kzc.jobs.workshop import imported_folder
from kzc.series.imported import save_imported
from kzc.series.read import take_path
from kzc.settings import Settings
from kzc.trees.find import add_tree, find_tree
from kzc.values import KernelBuild
from tests.fakelinux import commit, edit, make_kernel, make_series
from tests.plain import RUNNER
from tests.unit.kernel.test_bzimage import bzimage


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout with the tag v1 one commit behind its branch main, mails, a carried series."""
    top = tmp_path_factory.mktemp("template")
    folder = make_kernel(top / "linux")
    Git(RUNNER, folder).run("tag", "v1")
    edit(folder / "Makefile", "SUBLEVEL = 117", "SUBLEVEL = 118")
    commit(folder)
    carried = top / "patches/widen"
    carried.mkdir(parents=True)
    make_series(folder, top / "mails")
    shutil.copytree(top / "mails", carried / "6.12")
    (carried / "series.toml").write_text('title = "Widen"\n[bases."6.12"]\n')
    return top


@pytest.fixture
def kernel(template: Path, tmp_path: Path) -> Path:
    shutil.copytree(template, tmp_path, dirs_exist_ok=True)
    return tmp_path / "linux"


@pytest.fixture
def finder(kernel: Path, tmp_path: Path) -> Finder:
    """Standing beside the checkout."""
    settings = Settings(cache=tmp_path / "cache", data=tmp_path / "data", jobs=1)
    tree = find_tree(str(kernel), tmp_path, settings, RUNNER)
    return Finder(tree, tmp_path, settings, RUNNER, tmp_path / "patches")


def built(finder: Finder, key: str) -> KernelBuild:
    """A kernel in the cache, as kzc leaves it."""
    folder = finder.settings.cache / "kernels" / key
    folder.mkdir(parents=True)
    (folder / "bzImage").write_bytes(bzimage("6.12.118"))
    made = KernelBuild(key, str(folder), str(folder / "bzImage"), "h", "6.12.118", "t", "gcc")
    (folder / "kernel.json").write_text(json.dumps(asdict(made)))
    return replace(made, cached=True)


def kernel_of(choice: Choice) -> KernelBuild:
    assert choice.ready is not None
    assert choice.tests_from_run
    return choice.ready.kernel


def test_a_series_that_its_tree_has_already_is_the_tree(finder: Finder, kernel: Path) -> None:
    manifest = finder.patches / "widen/series.toml"
    mark = 'present = [{ file = "Makefile", has = "SUBLEVEL = 118" }]\n'
    manifest.write_text(mark + manifest.read_text())
    assert finder.find("widen").series is None
    assert finder.find(f"widen@{kernel}#v1").series is not None


def test_a_tag_a_branch_and_an_id_are_commits_of_the_run_s_tree(
    finder: Finder, kernel: Path
) -> None:
    old = Git(RUNNER, kernel).commit_of("v1")
    for word in ("v1", "main~1", old[:12]):
        choice = finder.find(word)
        assert (choice.tree.commit, choice.tree.version) == (old, "6.12.117"), word
        assert (choice.series, choice.ready, choice.tests_from_run) == (None, None, False)
    assert finder.find("main").tree.version == "6.12.118"


def test_a_commit_of_a_fetched_tree_may_have_to_be_fetched(finder: Finder, kernel: Path) -> None:
    tree = find_tree(f"file://{kernel}", finder.cwd, finder.settings, RUNNER)
    fetched = replace(finder, tree=tree)
    assert fetched.find(tree.commit[:12]).tree.commit == tree.commit
    assert fetched.find("v1").tree.version == "6.12.117"
    with pytest.raises(UsageError, match="v9 is no kernel to choose") as caught:
        fetched.find("v9")
    assert "cannot fetch v9" in caught.value.message


def test_trees_by_name_path_and_address(finder: Finder, kernel: Path) -> None:
    add_tree("mine", str(kernel), finder.cwd, finder.settings, RUNNER)
    for word in ("mine", "linux", f"file://{kernel}"):
        assert finder.find(word).tree.version == "6.12.118", word
    for word in ("linux#v1", f"file://{kernel}#v1"):
        assert finder.find(word).tree.version == "6.12.117", word


def test_a_series_is_on_the_run_s_tree_or_on_another(finder: Finder) -> None:
    mails = sorted((finder.cwd / "mails").iterdir())
    mbox = finder.cwd / "all.mbox"
    mbox.write_bytes(b"".join(mail.read_bytes() for mail in mails))
    for word in ("widen", "widen@", "mails", "all.mbox"):
        choice = finder.find(word)
        assert choice.tree == finder.tree, word
        assert choice.series is not None, word
        assert choice.ready is None
    assert len(finder.find("widen").series.patches) == 3  # type: ignore[union-attr]
    for word in ("widen@linux#v1", "mails@linux#v1"):
        choice = finder.find(word)
        assert choice.tree.version == "6.12.117", word
        assert choice.series is not None
    found = finder.find("v1..main").series
    assert found is not None
    assert len(found.patches) == 1


def test_an_imported_series_is_one_by_its_name(finder: Finder) -> None:
    intake = take_path(finder.cwd / "mails")
    named = replace(intake, series=replace(intake.series, name="mine"))
    save_imported(imported_folder(finder.settings), named, set())
    for word in ("mine", "mine@", "mine@linux#v1"):
        assert finder.find(word).series == named.series
    add_tree("mine", str(finder.cwd / "linux"), finder.cwd, finder.settings, RUNNER)
    with pytest.raises(UsageError, match=r"the tree of .* and the imported series"):
        finder.find("mine")


def test_mails_in_a_kernel_s_folder_do_not_make_it_a_series(finder: Finder, kernel: Path) -> None:
    for file in (finder.cwd / "mails").iterdir():
        (kernel / file.name).write_bytes(file.read_bytes())
    assert finder.find("linux").series is None


def test_images_that_are_there(finder: Finder) -> None:
    here = built(finder, "abcdef012345")
    (finder.cwd / "vmlinuz").write_bytes(bzimage("6.1.0-9-none"))
    (finder.cwd / "lib/modules/6.1.0-9-none").mkdir(parents=True)
    (finder.cwd / "lib/modules/6.1.0-9-none/modules.dep").touch()
    foreign = finder.find("vmlinuz")
    assert kernel_of(foreign).release == "6.1.0-9-none"
    assert foreign.tree == finder.tree
    assert foreign.ready is not None
    assert foreign.ready.modules == finder.cwd / "lib/modules/6.1.0-9-none"
    assert "no 9p" in foreign.ready.not_vng
    for word in ("abcd", "abcdef012345", here.folder, here.image):
        choice = finder.find(word)
        assert kernel_of(choice) == here, word
        assert choice.ready is not None
        assert (choice.ready.modules, choice.ready.not_vng) == (None, "")


def test_a_word_with_two_meanings_names_both(finder: Finder, kernel: Path) -> None:
    add_tree("widen", str(kernel), finder.cwd, finder.settings, RUNNER)
    with pytest.raises(UsageError, match="widen is more than one thing") as caught:
        finder.find("widen")
    assert f"the tree of {kernel}" in caught.value.message
    assert "the carried series" in caught.value.message
    assert "widen@ for the series" in caught.value.hint
    assert finder.find("widen@").series is not None
    Git(RUNNER, kernel).run("branch", "topic", "v1")
    add_tree("topic", str(kernel), finder.cwd, finder.settings, RUNNER)
    with pytest.raises(UsageError, match=r"the tree of .* and commit "):
        finder.find("topic")
    assert finder.find("refs/heads/topic").tree.version == "6.12.117"


def test_a_prefix_of_several_keys(finder: Finder) -> None:
    built(finder, "abcdef012345")
    built(finder, "abcdef543210")
    with pytest.raises(UsageError, match="abcdef012345, abcdef543210"):
        finder.find("abcdef")
    assert kernel_of(finder.find("abcdef5")).key == "abcdef543210"


def test_what_is_nothing_lists_what_it_could_have_been(finder: Finder) -> None:
    for word in ("", "nothing", "-x", "--all", "../nothing", "a b", "ffff"):
        with pytest.raises(UsageError, match="is no kernel to choose") as caught:
            finder.find(word)
        assert "there are: widen" in caught.value.message
        assert "SERIES@TREE" in caught.value.hint
    with pytest.raises(UsageError, match="File name too long"):
        finder.find("a" * 5000)


def test_what_a_spelled_out_word_lacks_is_said(finder: Finder) -> None:
    for word, said in (
        ("widen@nowhere", "nowhere is no tree"),
        ("nothing@linux", "nothing is no series"),
        ("linux#v9", "there is no commit v9"),
        ("v1..v9", "there is no commit v9"),
        ("debian:nothing at all", "names no package"),
    ):
        with pytest.raises(UsageError, match=said):
            finder.find(word)
