# SPDX-License-Identifier: GPL-2.0-only
"""Worktrees to build in, kept from run to run so that only changed files look new to make.

A slot belongs to the one who holds its file lock; two runs at once get two slots. A slot in
which anything was cut short is put right or made again before it is handed out.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from filelock import BaseFileLock, FileLock, Timeout

from kzc.errors import CommandFailed, HostError
from kzc.git import Git, full_disk_told
from kzc.proc import Runner
from kzc.settings import Settings
from kzc.trees.repos import locked, touch

READY = "ready"
# a slot that is so many files away has nothing made that a visit could spoil
_FAR = 500
_LEFTOVERS = ("index.lock", "HEAD.lock", "AUTO_MERGE.lock", "rebase-apply", "rebase-merge")


@dataclass(frozen=True)
class Slot:
    """A worktree in use: `path` holds the files, `folder` all that belongs to the slot."""

    path: Path
    folder: Path
    number: int
    repo: Path


@contextmanager
def checkout(tree_repo: Path, commit: str, settings: Settings, runner: Runner) -> Iterator[Slot]:
    """A worktree of `tree_repo` at `commit`, nobody else's as long as the block runs.

    Nothing untracked is left in it. Raises HostError: disk full, no such commit.
    """
    with _held(tree_repo, commit, settings, runner) as (slot, repo):
        _put(slot, repo, commit)
        yield slot


@contextmanager
def visit(
    tree_repo: Path, commit: str, files: Iterable[str], settings: Settings, runner: Runner
) -> Iterator[Slot]:
    """Like `checkout`, to make and check out commits that change `files` (paths in the tree).

    After the block the slot is where it was before, and its files look as old as they did, so that
    nothing is made again because of the visit. So nothing may be made of the files in the block.
    """
    with _held(tree_repo, commit, settings, runner) as (slot, repo):
        here = _head(slot, runner)
        changed = repo.find("diff", "--name-only", "--no-renames", here, commit) if here else ""
        names = {*files, *changed.splitlines()}
        if not here or len(names) > _FAR:
            _put(slot, repo, commit)
            yield slot
            return
        _put(slot, repo, here)
        times = {path: path.lstat().st_mtime_ns for path in _within(slot.path, names)}
        _put(slot, repo, commit)
        yield slot
        _put(slot, repo, here)
        for path, moment in times.items():
            os.utime(path, ns=(moment, moment), follow_symlinks=False)
        # git takes a file whose time has changed for one to write again
        git = Git(runner, slot.path, admin_folder(slot.path))
        git.run("update-index", "-q", "--refresh", check=False)


def look_new(slot: Slot, files: Iterable[str]) -> None:
    """Give files (paths in the tree) the time of now, so that all made of them is made again."""
    for path in _within(slot.path, files):
        os.utime(path, follow_symlinks=False)


def _within(top: Path, files: Iterable[str]) -> Iterator[Path]:
    """Those that are files; they may be links out of the tree, and are left alone then."""
    for file in files:
        path = top / file
        if path.is_file() and path.resolve().is_relative_to(top.resolve()):
            yield path


def admin_folder(worktree: Path) -> Path | None:
    """Where the repository keeps index and HEAD of a worktree, None if that is not intact."""
    try:
        said = (worktree / ".git").read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return None
    folder = Path(said.removeprefix("gitdir: ").rstrip("\n"))
    whole = said.startswith("gitdir: ") and all(
        (folder / name).is_file() for name in ("HEAD", "commondir", "gitdir")
    )
    return folder if whole else None


def discard(slot_folder: Path) -> None:
    """Take a slot's files away, the marker first, so that half of it never counts as a slot."""
    (slot_folder / READY).unlink(missing_ok=True)
    source = slot_folder / "src"
    admin = admin_folder(source)
    if source.exists():
        shutil.rmtree(source)
    if admin is not None:
        shutil.rmtree(admin, ignore_errors=True)


@contextmanager
def _held(
    tree_repo: Path, commit: str, settings: Settings, runner: Runner
) -> Iterator[tuple[Slot, Git]]:
    """A slot of one's own, wherever it is, for a commit that the repository has."""
    repo = Git(runner, git_dir=tree_repo)
    if not repo.commit_of(commit):
        raise HostError(
            f"{tree_repo} has no commit {commit}", "the cache was changed; try the command again"
        )
    slot, lock = _take(tree_repo, settings)
    try:
        touch(tree_repo)
        yield slot, repo
    finally:
        lock.release()


def _put(slot: Slot, repo: Git, commit: str) -> None:
    """Move a slot, made anew where that is the only way."""
    if not _ready(slot):
        _make(slot, repo, commit)
    try:
        move(slot, commit, repo.runner)
    except CommandFailed:
        _make(slot, repo, commit)
        move(slot, commit, repo.runner)


def _head(slot: Slot, runner: Runner) -> str:
    """The commit that a slot is at, empty if that cannot be told."""
    if not _ready(slot):
        return ""
    return Git(runner, git_dir=admin_folder(slot.path)).commit_of("HEAD")


def _take(tree_repo: Path, settings: Settings) -> tuple[Slot, BaseFileLock]:
    key = tree_repo.name.removesuffix(".git")
    work = settings.cache / "work"
    with full_disk_told():
        work.mkdir(parents=True, exist_ok=True)
        for number in count():
            folder = work / f"{key}-{number}"
            lock = FileLock(f"{folder}.lock")
            try:
                lock.acquire(timeout=0)
            except Timeout:
                continue
            folder.mkdir(exist_ok=True)
            return Slot(folder / "src", folder, number, tree_repo), lock
    raise AssertionError("count() does not end")


def _ready(slot: Slot) -> bool:
    admin = admin_folder(slot.path)
    if not (slot.folder / READY).is_file() or admin is None:
        return False
    return admin.parent.parent.resolve() == slot.repo.resolve()


def _make(slot: Slot, repo: Git, commit: str) -> None:
    with full_disk_told(), locked(slot.repo):
        discard(slot.folder)
        # twice --force: a killed `worktree add` leaves its entry behind, and locked
        words = ("worktree", "add", "-f", "-f", "--detach", "--no-checkout", str(slot.path), commit)
        repo.run(*words)
        (slot.folder / READY).touch()


def move(slot: Slot, commit: str, runner: Runner) -> None:
    """Put a slot that one holds at another commit; only files that differ get new times."""
    admin = admin_folder(slot.path)
    if admin is None:
        raise HostError(f"{slot.path} is no worktree any more", "`kzc clean`")
    for name in _LEFTOVERS:
        leftover = admin / name
        if leftover.is_dir():
            shutil.rmtree(leftover)
        else:
            leftover.unlink(missing_ok=True)
    # with its git folder named: a worktree that lost its .git must not lead git to another one
    git = Git(runner, slot.path, admin)
    git.run("checkout", "-q", "--detach", "-f", commit)
    git.run("clean", "-ffdxq")
    with full_disk_told():
        (slot.folder / READY).touch()
