# SPDX-License-Identifier: GPL-2.0-only
"""The bare repositories in the cache, one per source: all that kzc writes it writes there.

A repository appears whole or not at all: it is made under another name and renamed, with a
file lock held, which the system takes back when kzc is killed.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock

from kzc.git import Git, full_disk_told, word
from kzc.proc import Runner
from kzc.settings import Settings

STAMP = "kzc-used"


def repo_path(settings: Settings, key: str) -> Path:
    """Where the repository of that key is, or would be."""
    return settings.cache / "repos" / f"{key}.git"


def key_of(name: str, source: str) -> str:
    """A folder's name that a person recognises and that no other source has."""
    return f"{word(name)}-{hashlib.sha256(source.encode()).hexdigest()[:8]}"


@contextmanager
def locked(repo: Path) -> Iterator[None]:
    """Nobody else makes, changes or removes this repository while the block runs."""
    with full_disk_told():
        repo.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{repo}.lock"):
            yield


def make(repo: Path, fill: Callable[[Path, Path], None]) -> None:
    """Call `fill` with an empty scratch folder and the path of a repository to make in it.

    Only what it leaves in that repository stays. To be called with the repository locked.
    """
    scratch = repo.with_name(f".making-{repo.name}")
    _remove(scratch)
    scratch.mkdir()
    try:
        made = scratch / repo.name
        fill(scratch, made)
        made.rename(repo)
    finally:
        _remove(scratch)


def init(repo: Path, runner: Runner, object_format: str = "sha1") -> Git:
    """An empty bare repository."""
    Git(runner).run("init", "-q", "--bare", f"--object-format={object_format}", str(repo))
    return Git(runner, git_dir=repo)


def touch(repo: Path) -> None:
    """Note that the repository is in use, for `clean`."""
    (repo / STAMP).touch()


def write_whole(path: Path, content: bytes) -> None:
    """Replace a file so that readers, and a kill, see the old content or the new."""
    with full_disk_told():
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f".{path.name}.{os.getpid()}")
        try:
            temporary.write_bytes(content)
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)


def _remove(folder: Path) -> None:
    if folder.exists():
        shutil.rmtree(folder)
