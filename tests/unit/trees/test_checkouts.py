# SPDX-License-Identifier: GPL-2.0-only
"""A user's checkout as a tree: read right, and not written to by a single byte."""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path

import pytest

from kzc.errors import UsageError
from kzc.git import IDENTITY, Git
from kzc.settings import Settings
from kzc.trees.checkouts import Changes, describe_changes, parse_status, tree_of_path
from kzc.trees.slots import checkout
from tests.fakelinux import commit, edit, make_kernel, write_kernel
from tests.plain import RUNNER


def fingerprint(folder: Path) -> dict[str, tuple[str, int, int]]:
    """Content, mode and time of all that is in a folder, .git included.

    Not the time of object files: git renews it where it would have written the same object.
    """
    found = {}
    for path in sorted(folder.rglob("*")):
        status = path.lstat()
        data = path.read_bytes() if path.is_file() else b""
        digest = hashlib.sha256(data).hexdigest()
        is_object = ".git/objects/" in str(path) and path.is_file()
        when = 0 if is_object else status.st_mtime_ns
        found[str(path.relative_to(folder))] = (digest, status.st_mode, when)
    return found


def show(repo: Path, what: str) -> str:
    return Git(RUNNER, git_dir=repo).run("show", what).stdout


def test_the_tree_is_head_under_the_makefiles_version(kernel: Path, settings: Settings) -> None:
    tree = tree_of_path("", kernel, settings, RUNNER)
    assert tree.commit == Git(RUNNER, kernel).commit_of("HEAD")
    assert (tree.name, tree.version, tree.kind, tree.dirty) == ("linux", "6.12.117", "path", "")
    assert tree.repo.is_relative_to(settings.cache)
    assert tree.tree_id == Git(RUNNER, kernel).out("rev-parse", "HEAD^{tree}")


@pytest.mark.parametrize("dirty", [False, True])
def test_no_byte_of_the_checkout_changes(kernel: Path, settings: Settings, dirty: bool) -> None:
    edit(kernel / "net/socket.c", "int socket_3;", "char socket_3;")
    (kernel / "new.c").write_text("int new;\n")
    # looks changed to git, which would refresh its index if it were let
    os.utime(kernel / "Kconfig", (1, 1))
    before = fingerprint(kernel)
    tree = tree_of_path("", kernel, settings, RUNNER, dirty=dirty)
    with checkout(tree.repo, tree.commit, settings, RUNNER) as slot:
        assert (slot.path / "Makefile").exists()
    assert fingerprint(kernel) == before


def test_uncommitted_changes_are_said_and_left_out(kernel: Path, settings: Settings) -> None:
    edit(kernel / "net/socket.c", "int socket_3;", "char socket_3;")
    (kernel / "new.c").write_text("int new;\n")
    tree = tree_of_path("", kernel, settings, RUNNER)
    assert tree.commit == Git(RUNNER, kernel).commit_of("HEAD")
    assert tree.dirty == "1 file changed, left out (--dirty takes them); 1 untracked file, left out"


def test_dirty_takes_edits_deletions_and_what_is_staged(kernel: Path, settings: Settings) -> None:
    edit(kernel / "net/socket.c", "int socket_3;", "char socket_3;")
    (kernel / "Kbuild").rename(kernel / "Kbuild.old")
    (kernel / "Kbuild").write_text("obj-y += new.o\n")
    (kernel / "include/linux/socket.h").unlink()
    (kernel / "staged.c").write_text("int staged;\n")
    (kernel / "loose.c").write_text("int loose;\n")
    Git(RUNNER, kernel).run("add", "staged.c")
    tree = tree_of_path("", kernel, settings, RUNNER, dirty=True)
    listed = Git(RUNNER, git_dir=tree.repo).out("ls-tree", "-r", "--name-only", tree.commit)
    assert "staged.c" in listed.splitlines()
    assert "loose.c" not in listed.splitlines()
    assert "include/linux/socket.h" not in listed.splitlines()
    assert "char socket_3;" in show(tree.repo, f"{tree.commit}:net/socket.c")
    assert tree.dirty.startswith("4 files changed, taken")


def test_dirty_gives_the_same_commit_again(kernel: Path, settings: Settings) -> None:
    edit(kernel / "net/socket.c", "int socket_3;", "char socket_3;")
    first = tree_of_path("", kernel, settings, RUNNER, dirty=True)
    assert tree_of_path("", kernel, settings, RUNNER, dirty=True).commit == first.commit
    assert first.commit != tree_of_path("", kernel, settings, RUNNER).commit


def test_an_edit_within_the_clocks_grain_is_seen(kernel: Path, settings: Settings) -> None:
    file = kernel / "net/socket.c"
    status = file.stat()
    index = kernel / ".git/index"
    edit(file, "int socket_3;", "INT socket_3;")
    os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))
    os.utime(index, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert "1 file changed" in tree_of_path("", kernel, settings, RUNNER).dirty


def test_a_linked_worktree_is_a_source_and_its_branch_counts(
    kernel: Path, settings: Settings, tmp_path: Path
) -> None:
    linked = tmp_path / "linked"
    Git(RUNNER, kernel).run("worktree", "add", "-q", "-b", "topic", str(linked))
    edit(linked / "net/socket.c", "int socket_3;", "char socket_3;")
    topic = commit(linked)
    edit(linked / "net/socket.c", "int socket_4;", "char socket_4;")
    before = fingerprint(kernel), fingerprint(linked)
    tree = tree_of_path("", linked, settings, RUNNER, dirty=True)
    assert show(tree.repo, f"{tree.commit}^").startswith(f"commit {topic}")
    assert "char socket_4;" in show(tree.repo, f"{tree.commit}:net/socket.c")
    assert (fingerprint(kernel), fingerprint(linked)) == before
    assert tree_of_path("", kernel, settings, RUNNER).repo == tree.repo


def test_a_git_folder_a_bare_clone_and_a_shallow_one_are_sources(
    kernel: Path, settings: Settings, tmp_path: Path
) -> None:
    edit(kernel / "net/socket.c", "int socket_3;", "char socket_3;")
    head = commit(kernel)
    Git(RUNNER).run("clone", "-q", "--bare", str(kernel), str(tmp_path / "bare.git"))
    Git(RUNNER).run(
        "clone", "-q", "--depth=1", f"file://{kernel}", str(tmp_path / "shallow"), check=True
    )
    for path in (kernel / ".git", tmp_path / "bare.git", tmp_path / "shallow"):
        tree = tree_of_path("", path, settings, RUNNER)
        assert tree.commit == head
        with checkout(tree.repo, tree.commit, settings, RUNNER) as slot:
            assert Git(RUNNER, slot.path).out("log", "--format=%H").split()[0] == head


def test_objects_that_the_checkout_borrows_itself_are_found(
    kernel: Path, settings: Settings, tmp_path: Path
) -> None:
    Git(RUNNER).run("clone", "-q", "--shared", str(kernel), str(tmp_path / "shared"))
    info = tmp_path / "shared/.git/objects/info/alternates"
    info.write_text(os.path.relpath(kernel / ".git/objects", tmp_path / "shared/.git/objects"))
    tree = tree_of_path("", tmp_path / "shared", settings, RUNNER)
    with checkout(tree.repo, tree.commit, settings, RUNNER) as slot:
        assert (slot.path / "net/socket.c").read_text() == (kernel / "net/socket.c").read_text()


def test_another_ref_of_the_checkout(kernel: Path, settings: Settings) -> None:
    first = Git(RUNNER, kernel).commit_of("HEAD")
    edit(kernel / "net/socket.c", "int socket_3;", "char socket_3;")
    commit(kernel)
    assert tree_of_path("", kernel, settings, RUNNER, ref="HEAD^").commit == first
    with pytest.raises(UsageError, match="there is no commit nowhere"):
        tree_of_path("", kernel, settings, RUNNER, ref="nowhere")


def test_the_users_configuration_does_not_matter(
    kernel: Path, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    evil = tmp_path / "gitconfig"
    evil.write_text("[core]\n\tautocrlf = true\n\tfsmonitor = false\n[status]\n\tshort = false\n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(evil))
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "nowhere"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(tmp_path / "no-index"))
    tree = tree_of_path("", kernel, settings, RUNNER)
    assert tree.dirty == ""
    with checkout(tree.repo, tree.commit, settings, RUNNER) as slot:
        assert b"\r" not in (slot.path / "net/socket.c").read_bytes()


def test_no_kernel_no_git_no_commit_and_a_merge_in_progress(
    settings: Settings, tmp_path: Path, kernel: Path
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "Makefile").write_text("all:\n")
    with pytest.raises(UsageError, match="no kernel tree: it lacks Kbuild, Kconfig, arch, scripts"):
        tree_of_path("", other, settings, RUNNER)
    commit(other)
    with pytest.raises(UsageError, match="no kernel tree: it lacks Kbuild"):
        tree_of_path("", other, settings, RUNNER)
    unpacked = write_kernel(tmp_path / "unpacked")
    with pytest.raises(UsageError, match="is a kernel tree, but no git checkout"):
        tree_of_path("", unpacked, settings, RUNNER)
    Git(RUNNER, unpacked).run("init", "-q")
    with pytest.raises(UsageError, match="there is no commit HEAD"):
        tree_of_path("", unpacked, settings, RUNNER)
    _conflict(kernel)
    with pytest.raises(UsageError, match="Kbuild is unmerged"):
        tree_of_path("", kernel, settings, RUNNER, dirty=True)
    shutil.rmtree(kernel)
    with pytest.raises(UsageError, match="there is no such folder"):
        tree_of_path("", kernel, settings, RUNNER)


def test_a_makefile_without_a_version_is_no_kernels(settings: Settings, tmp_path: Path) -> None:
    folder = make_kernel(tmp_path / "odd")
    edit(folder / "Makefile", "VERSION = 6\n", "")
    commit(folder)
    with pytest.raises(UsageError, match="lacks a VERSION in its Makefile"):
        tree_of_path("", folder, settings, RUNNER)


def test_status_fields_are_counted() -> None:
    fields = [" M a.c", "R  new.c", "old.c", "?? x", "UU both.c", "A  b.c", "?? y"]
    assert parse_status(fields) == Changes(3, 2, ("both.c",))
    assert describe_changes(Changes(), True) == ""
    assert describe_changes(Changes(2), True) == "2 files changed, taken"


def _conflict(kernel: Path) -> None:
    git = Git(RUNNER, kernel)
    git.run("checkout", "-q", "-b", "side")
    (kernel / "Kbuild").write_text("side\n")
    commit(kernel)
    git.run("checkout", "-q", "main")
    (kernel / "Kbuild").write_text("main\n")
    commit(kernel)
    assert "CONFLICT" in git.run("merge", "side", env=IDENTITY, check=False).stdout
