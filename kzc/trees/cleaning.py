# SPDX-License-Identifier: GPL-2.0-only
"""Give disk space back: worktrees, repositories and products that no run holds."""

from __future__ import annotations

import os
import shutil
import time
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from kzc.settings import Settings
from kzc.trees.repos import STAMP
from kzc.trees.slots import READY, discard

_HOUR = 3600.0
_DAY = 24 * _HOUR
# folders of the cache whose entries are named by content and made again when missed
_PRODUCTS = ("kernels", "tests")


@dataclass(frozen=True)
class Removed:
    """Something that was taken away, and the bytes it held on the disk."""

    path: Path
    size: int


def clean(
    settings: Settings, *, older_than_days: float = 0.0, everything: bool = False
) -> tuple[Removed, ...]:
    """Remove what was not used for that many days; `everything` takes all that is free.

    Repositories go once no worktree needs them; trees that were fetched or unpacked are got
    again from their source when asked for. What is locked stays, and so do kernels and test
    programs used within the hour: a guest may be starting from them.
    """
    now = time.time()
    limit = now if everything else now - older_than_days * _DAY
    return (
        *_clean_slots(settings, limit),
        *_clean_repos(settings, limit),
        *_clean_products(settings, min(limit, now - _HOUR)),
    )


def size_of(path: Path) -> int:
    """Bytes on the disk of a file, or of all that is below a folder."""
    total = path.lstat().st_blocks * 512
    for folder, folders, files in os.walk(path):
        for name in (*folders, *files):
            try:
                total += os.lstat(os.path.join(folder, name)).st_blocks * 512
            except FileNotFoundError:
                continue
    return total


def _clean_slots(settings: Settings, limit: float) -> list[Removed]:
    removed = []
    for folder in sorted((settings.cache / "work").glob("*-*[0-9]")):
        try:
            with FileLock(f"{folder}.lock", timeout=0):
                if not folder.is_dir() or _used(folder, READY) > limit:
                    continue
                size = size_of(folder)
                discard(folder)
                shutil.rmtree(folder)
                removed.append(Removed(folder, size))
        except Timeout:
            continue
    return removed


def _clean_repos(settings: Settings, limit: float) -> list[Removed]:
    removed = []
    for half_made in (settings.cache / "repos").glob(".making-*"):
        repo = half_made.with_name(half_made.name.removeprefix(".making-"))
        try:
            with FileLock(f"{repo}.lock", timeout=0):
                removed.append(Removed(half_made, size_of(half_made)))
                shutil.rmtree(half_made)
        except Timeout:
            continue
    needed = {folder.name.rpartition("-")[0] for folder in (settings.cache / "work").glob("*/")}
    for repo in sorted((settings.cache / "repos").glob("*.git")):
        try:
            with FileLock(f"{repo}.lock", timeout=0):
                if repo.name.removesuffix(".git") in needed or _used(repo, STAMP) > limit:
                    continue
                size = size_of(repo)
                # renamed first: a removal cut short leaves nothing that looks like a repository
                doomed = repo.rename(repo.with_name(f".making-{repo.name}"))
                shutil.rmtree(doomed)
                removed.append(Removed(repo, size))
        except Timeout:
            continue
    return removed


def _clean_products(settings: Settings, limit: float) -> list[Removed]:
    removed = []
    for name in _PRODUCTS:
        for folder in sorted((settings.cache / name).glob("*/")):
            if folder.stat().st_mtime <= limit:
                removed.append(Removed(folder, size_of(folder)))
                # renamed first: half a kernel must not be taken for one
                doomed = folder.rename(folder.with_name(f".gone-{folder.name}"))
                shutil.rmtree(doomed)
    return removed


def _used(folder: Path, stamp: str) -> float:
    try:
        return (folder / stamp).stat().st_mtime
    except FileNotFoundError:
        return folder.stat().st_mtime
