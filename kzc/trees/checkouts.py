# SPDX-License-Identifier: GPL-2.0-only
"""Trees that the user has on disk: read through git, never written to, not even under .git.

A repository in the cache borrows the user's objects (objects/info/alternates); whatever has to
be recorded, uncommitted changes too, is recorded there, through an index of kzc's own. The one
trace left is git's: it renews the time of an object file instead of writing the object again.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from kzc.errors import CommandFailed, UsageError
from kzc.git import IDENTITY, Git, full_disk_told, keep
from kzc.proc import Runner
from kzc.settings import Settings
from kzc.trees import repos
from kzc.trees.tree import MARKS, Tree, describe, looks_like_kernel, no_kernel


@dataclass(frozen=True)
class Checkout:
    """Where git keeps what: `top` is None for a bare repository."""

    git: Git
    top: Path | None
    git_dir: Path
    common: Path


@dataclass(frozen=True)
class Changes:
    """Counts of files that differ from HEAD; `unmerged` are named."""

    changed: int = 0
    untracked: int = 0
    unmerged: tuple[str, ...] = ()


def open_checkout(path: Path, runner: Runner) -> Checkout:
    """The repository that `path` belongs to. Raises UsageError where there is none."""
    if not path.is_dir():
        raise UsageError(f"{path}: there is no such folder", "`kzc tree list` shows known trees")
    git = Git(runner, path)
    folders = git.find("rev-parse", "--path-format=absolute", "--git-dir", "--git-common-dir")
    if not folders and looks_like_kernel(path):
        raise UsageError(
            f"{path} is a kernel tree, but no git checkout",
            f"make it one: cd {path} && git init && git add -A -f && git commit -m base",
        )
    if not folders:
        raise no_kernel(str(path), [mark for mark in MARKS if not (path / mark).exists()] or MARKS)
    git_dir, common = folders.splitlines()
    top = git.find("rev-parse", "--show-toplevel")
    return Checkout(
        Git(runner, Path(top) if top else path, Path(git_dir)),
        Path(top) if top else None,
        Path(git_dir),
        Path(common),
    )


def tree_of_path(
    name: str,
    path: Path,
    settings: Settings,
    runner: Runner,
    *,
    ref: str = "",
    dirty: bool = False,
) -> Tree:
    """The tree at `ref` of the user's checkout, HEAD if empty.

    With `dirty`, the uncommitted changes of tracked files are a commit on top of it. Raises
    UsageError: no repository, no commit, no kernel, unmerged files.
    """
    user = open_checkout(path, runner)
    shown = str(user.top or path)
    source = f"{shown}#{ref}" if ref else shown
    commit = _commit_of(user, shown, ref)
    repo = _borrowing_repo(user, settings, runner)
    ours = Git(runner, git_dir=repo)
    note = ""
    if user.top is not None and not ref:
        commit, note = _with_changes(user, repo, commit, dirty)
    elif dirty:
        raise UsageError(f"{shown}: --dirty needs a checkout with files, at its HEAD")
    tree = describe(
        ours, repo, commit, name=name or Path(shown).name, source=source, kind="path", dirty=note
    )
    keep(ours, repo, f"refs/kzc/base/{commit[:12]}", commit)
    return tree


def check_path(path: Path, runner: Runner, ref: str = "") -> None:
    """Raise what `tree_of_path` would of that checkout and `ref`; nothing is written anywhere."""
    user = open_checkout(path, runner)
    shown = str(user.top or path)
    commit = _commit_of(user, shown, ref)
    describe(user.git, user.common, commit, name="", source=shown, kind="path")


def parse_status(entries: list[str]) -> Changes:
    """Count what `git status --porcelain=v1 -z` lists; `entries` are its fields."""
    changed = untracked = 0
    unmerged = []
    fields = iter(entries)
    for entry in fields:
        code, file = entry[:2], entry[3:]
        if code == "??":
            untracked += 1
        elif "U" in code or code in ("AA", "DD"):
            unmerged.append(file)
        elif code:
            changed += 1
        if "R" in code or "C" in code:
            next(fields, None)
    return Changes(changed, untracked, tuple(unmerged))


def describe_changes(changes: Changes, taken: bool) -> str:
    """One phrase on uncommitted changes, empty if there are none."""
    parts = []
    count = changes.changed + len(changes.unmerged)
    if count:
        fate = "taken" if taken else "left out (--dirty takes them)"
        parts.append(f"{count} {'file' if count == 1 else 'files'} changed, {fate}")
    if changes.untracked:
        new = "untracked file" if changes.untracked == 1 else "untracked files"
        parts.append(f"{changes.untracked} {new}, left out")
    return "; ".join(parts)


def _commit_of(user: Checkout, shown: str, ref: str) -> str:
    commit = user.git.commit_of(ref or "HEAD")
    if not commit:
        raise UsageError(f"{shown}: there is no commit {ref or 'HEAD'}")
    return commit


def _borrowing_repo(user: Checkout, settings: Settings, runner: Runner) -> Path:
    place = user.common.parent if user.common.name == ".git" else user.common
    repo = repos.repo_path(settings, repos.key_of(place.stem, str(user.common)))
    store = user.git.out("rev-parse", "--path-format=absolute", "--git-path", "objects")
    object_format = user.git.out("rev-parse", "--show-object-format")
    with repos.locked(repo):
        if not repo.exists():
            repos.make(repo, lambda _, made: _init(made, runner, object_format))
        lines = "".join(f"{line}\n" for line in _alternates(Path(store)))
        repos.write_whole(repo / "objects/info/alternates", lines.encode())
        shallow = user.common / "shallow"
        if shallow.exists():
            repos.write_whole(repo / "shallow", shallow.read_bytes())
        else:
            (repo / "shallow").unlink(missing_ok=True)
        repos.touch(repo)
    return repo


def _init(made: Path, runner: Runner, object_format: str) -> None:
    repos.init(made, runner, object_format)


def _alternates(store: Path, depth: int = 5) -> list[str]:
    """The store and those it borrows from: git follows no relative ones of those."""
    found = [str(store)]
    listed = store / "info/alternates"
    if depth and listed.is_file():
        for line in listed.read_text(errors="surrogateescape").splitlines():
            if line and not line.startswith("#"):
                found += _alternates((store / line).resolve(), depth - 1)
    return list(dict.fromkeys(found))


def _with_changes(user: Checkout, repo: Path, commit: str, take: bool) -> tuple[str, str]:
    assert user.top is not None
    index = repo / f"kzc-index-{os.getpid()}"
    env = {"GIT_INDEX_FILE": str(index), "GIT_OBJECT_DIRECTORY": str(repo / "objects")}
    try:
        with full_disk_told():
            try:
                # with its time: git takes files newer than the index for possibly changed
                shutil.copy2(user.git_dir / "index", index)
            except FileNotFoundError:
                return commit, ""
        words = ("status", "--porcelain=v1", "-z", "--ignore-submodules=all")
        raw = user.git.run(*words, env=env).stdout
        changes = parse_status([field for field in raw.split("\0") if field])
        note = describe_changes(changes, take)
        if not take or not (changes.changed or changes.unmerged):
            return commit, note
        if changes.unmerged:
            raise UsageError(
                f"{user.top}: {changes.unmerged[0]} is unmerged", "finish or abort the merge"
            )
        return _record(user, repo, commit, env), note
    finally:
        index.unlink(missing_ok=True)
        index.with_name(index.name + ".lock").unlink(missing_ok=True)


def _record(user: Checkout, repo: Path, commit: str, env: dict[str, str]) -> str:
    try:
        user.git.run("add", "-u", env=env)
    except CommandFailed as failed:
        raise UsageError(f"{user.top}: changes cannot be recorded: {failed.tail}") from failed
    tree = user.git.out("write-tree", env=env)
    ours = Git(user.git.runner, git_dir=repo)
    when = f"{ours.out('show', '-s', '--format=%ct', commit)} +0000"
    dates = {"GIT_AUTHOR_DATE": when, "GIT_COMMITTER_DATE": when}
    words = ("commit-tree", "-p", commit, "-m", "uncommitted changes", tree)
    return ours.out(*words, env={**IDENTITY, **dates})
