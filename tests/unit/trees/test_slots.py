# SPDX-License-Identifier: GPL-2.0-only
"""Worktrees: one per user at a time, incremental, and mended after whatever cut a run short."""

from __future__ import annotations

import os
import shutil
import signal
import sys
import time
from pathlib import Path

import pytest

from kzc.errors import HostError
from kzc.git import IDENTITY, Git
from kzc.settings import Settings
from kzc.trees.checkouts import tree_of_path
from kzc.trees.cleaning import clean
from kzc.trees.slots import READY, admin_folder, checkout, move, visit
from kzc.trees.tree import Tree
from tests.fakelinux import commit, edit
from tests.plain import RUNNER


@pytest.fixture
def tree(kernel: Path, settings: Settings) -> Tree:
    return tree_of_path("", kernel, settings, RUNNER)


@pytest.fixture
def newer(kernel: Path, tree: Tree, settings: Settings) -> Tree:
    edit(kernel / "net/socket.c", "int socket_3;", "char socket_3;")
    commit(kernel)
    return tree_of_path("", kernel, settings, RUNNER)


def times(folder: Path) -> dict[str, int]:
    files = (path for path in folder.rglob("*") if path.is_file() and path.name != ".git")
    return {str(path.relative_to(folder)): path.stat().st_mtime_ns for path in files}


def content_matches(slot: Path, commit_id: str) -> bool:
    git = Git(RUNNER, slot)
    clean_now = not git.out("status", "--porcelain", "--ignored")
    return clean_now and git.commit_of("HEAD") == commit_id


def test_only_changed_files_get_new_times_and_strangers_go(
    tree: Tree, newer: Tree, settings: Settings
) -> None:
    with checkout(tree.repo, tree.commit, settings, RUNNER) as slot:
        before = times(slot.path)
        (slot.path / "vmlinux.o").write_text("left over")
        edit(slot.path / "Kbuild", "net", "gone")
    with checkout(tree.repo, newer.commit, settings, RUNNER) as slot:
        after = times(slot.path)
        assert content_matches(slot.path, newer.commit)
        assert (slot.path / "scripts/run").stat().st_mode & 0o100
    assert {name for name in before if before[name] != after[name]} == {"net/socket.c", "Kbuild"}
    assert before.keys() == after.keys()


def test_two_at_once_get_two_and_later_ones_share(tree: Tree, settings: Settings) -> None:
    with (
        checkout(tree.repo, tree.commit, settings, RUNNER) as one,
        checkout(tree.repo, tree.commit, settings, RUNNER) as two,
    ):
        assert (one.number, two.number) == (0, 1)
        assert content_matches(one.path, tree.commit)
        assert content_matches(two.path, tree.commit)
    with checkout(tree.repo, tree.commit, settings, RUNNER) as again:
        assert again.path == one.path


def test_a_visit_makes_nothing_look_new(tree: Tree, newer: Tree, settings: Settings) -> None:
    files = ["net/core/sock.c", "../outside.c", "net/none.c"]
    (settings.cache / "outside.c").write_text("int x;")
    with visit(tree.repo, tree.commit, files, settings, RUNNER) as slot:
        assert content_matches(slot.path, tree.commit)
    before = times(slot.path)
    with visit(tree.repo, newer.commit, files, settings, RUNNER) as slot:
        assert content_matches(slot.path, newer.commit)
        edit(slot.path / "net/core/sock.c", "int sock_3;", "long sock_3;")
        Git(RUNNER, slot.path).run("commit", "-qam", "a patch", env=IDENTITY)
    assert content_matches(slot.path, tree.commit)
    assert times(slot.path) == before
    # what is another the next time has another time, though it was there in a visit
    with checkout(tree.repo, newer.commit, settings, RUNNER) as slot:
        after = times(slot.path)
    assert {name for name in before if before[name] != after[name]} == {"net/socket.c"}


def test_a_held_slot_can_be_moved(tree: Tree, newer: Tree, settings: Settings) -> None:
    with checkout(tree.repo, tree.commit, settings, RUNNER) as slot:
        move(slot, newer.commit, RUNNER)
        assert content_matches(slot.path, newer.commit)


@pytest.mark.parametrize(
    "damage",
    ["index.lock", "no .git", "no admin", "no index", "torn index", "no marker", "am", "no src"],
)
def test_whatever_was_cut_short_is_mended(
    tree: Tree, newer: Tree, settings: Settings, damage: str
) -> None:
    with checkout(tree.repo, tree.commit, settings, RUNNER) as slot:
        admin = admin_folder(slot.path)
    assert admin is not None
    if damage == "index.lock":
        (admin / "index.lock").write_text("")
        (admin / "HEAD.lock").write_text("")
        edit(slot.path / "net/socket.c", "int socket_3;", "char socket_3;")
    elif damage == "no .git":
        (slot.path / ".git").unlink()
    elif damage == "no admin":
        shutil.rmtree(admin)
    elif damage == "no index":
        (admin / "index").unlink()
    elif damage == "torn index":
        os.truncate(admin / "index", 100)
    elif damage == "no marker":
        (slot.folder / READY).unlink()
        (admin / "locked").write_text("initializing")
    elif damage == "am":
        (admin / "rebase-apply").mkdir()
        (admin / "rebase-apply/applying").write_text("")
    elif damage == "no src":
        shutil.rmtree(slot.path)
        (admin / "locked").write_text("initializing")
    with checkout(tree.repo, newer.commit, settings, RUNNER) as slot:
        assert content_matches(slot.path, newer.commit)


def test_a_lost_git_file_does_not_lead_to_the_repository_around_the_cache(
    kernel: Path, tmp_path: Path
) -> None:
    settings = Settings(cache=kernel / "cache", data=tmp_path / "data", jobs=1)
    tree = tree_of_path("", kernel, settings, RUNNER)
    with checkout(tree.repo, tree.commit, settings, RUNNER) as slot:
        pass
    (slot.path / ".git").unlink()
    edit(kernel / "Kbuild", "net", "mine")
    with checkout(tree.repo, tree.commit, settings, RUNNER) as slot:
        assert content_matches(slot.path, tree.commit)
    assert "mine" in (kernel / "Kbuild").read_text()


def test_sigkill_frees_the_slot(tree: Tree, settings: Settings, tmp_path: Path) -> None:
    child = os.fork()
    if child == 0:
        with checkout(tree.repo, tree.commit, settings, RUNNER):
            (tmp_path / "held").touch()
            time.sleep(60)
        os._exit(1)
    while not (tmp_path / "held").exists():
        time.sleep(0.01)
    with checkout(tree.repo, tree.commit, settings, RUNNER) as second:
        assert second.number == 1
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    with checkout(tree.repo, tree.commit, settings, RUNNER) as first:
        assert first.number == 0


def test_a_commit_that_is_not_there(tree: Tree, settings: Settings) -> None:
    missing = "0" * 39 + "1"
    with (
        pytest.raises(HostError, match="has no commit"),
        checkout(tree.repo, missing, settings, RUNNER),
    ):
        pass
    with checkout(tree.repo, tree.commit, settings, RUNNER) as slot:
        assert slot.number == 0


def test_clean_takes_what_is_old_and_leaves_what_is_held(tree: Tree, settings: Settings) -> None:
    with checkout(tree.repo, tree.commit, settings, RUNNER) as held:
        with checkout(tree.repo, tree.commit, settings, RUNNER) as free:
            pass
        removed = clean(settings, everything=True)
        assert [entry.path for entry in removed] == [free.folder]
        assert removed[0].size > 10_000
        assert content_matches(held.path, tree.commit)
    assert clean(settings, older_than_days=1) == ()
    assert {entry.path for entry in clean(settings, everything=True)} == {held.folder, tree.repo}


def test_clean_by_age_and_of_products_and_half_made_repositories(
    tree: Tree, settings: Settings
) -> None:
    with checkout(tree.repo, tree.commit, settings, RUNNER) as slot:
        pass
    old = time.time() - 10 * 86400
    kernels = [settings.cache / "kernels" / name for name in ("old", "new")]
    for folder in kernels:
        folder.mkdir(parents=True)
    for path in (slot.folder / READY, kernels[0]):
        os.utime(path, (old, old))
    half_made = settings.cache / "repos/.making-x.git"
    half_made.mkdir()
    removed = {entry.path for entry in clean(settings, older_than_days=7)}
    assert removed == {slot.folder, kernels[0], half_made}
    assert kernels[1].exists()
    again = tree_of_path("", Path(tree.source), settings, RUNNER)
    with checkout(again.repo, again.commit, settings, RUNNER) as slot:
        assert content_matches(slot.path, again.commit)


def test_a_full_disk_is_told_with_the_way_out(kernel: Path, tmp_path: Path) -> None:
    if os.geteuid() or sys.platform != "linux":
        pytest.skip("mounting a small file system needs root")
    small = tmp_path / "small"
    small.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=512k", "none", str(small)]
    if RUNNER.capture(mount, check=False).code:
        pytest.skip("no mount here")
    try:
        (kernel / "big.c").write_bytes(os.urandom(2 << 20))
        commit(kernel)
        settings = Settings(cache=small / "cache", data=tmp_path / "data", jobs=1)
        tree = tree_of_path("", kernel, settings, RUNNER)
        with (
            pytest.raises(HostError, match="the disk is full") as caught,
            checkout(tree.repo, tree.commit, settings, RUNNER),
        ):
            pass
        assert "kzc clean" in caught.value.hint
        (kernel / "big.c").unlink()
        commit(kernel)
        clean(settings, everything=True)
        tree = tree_of_path("", kernel, settings, RUNNER)
        with checkout(tree.repo, tree.commit, settings, RUNNER) as slot:
            assert content_matches(slot.path, tree.commit)
    finally:
        RUNNER.capture(["umount", str(small)])
