# SPDX-License-Identifier: GPL-2.0-only
"""Give disk space back: worktrees, repositories and products that no run holds.

Each entry is removed under its lock, which whoever uses it takes before he looks for it.
"""

from __future__ import annotations

import math
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from kzc.inuse import alone
from kzc.settings import Settings
from kzc.trees.repos import STAMP
from kzc.trees.slots import READY, discard

_HOUR = 3600.0
_DAY = 24 * _HOUR
# folders of the cache whose entries are named by content and made again when missed
_PRODUCTS = ("kernels", "tests", "images", "checks")
_MAKING, _GONE = ".making-", ".gone-"


@dataclass(frozen=True)
class Removed:
    """Something that was taken away, and the bytes it held on the disk."""

    path: Path
    size: int


def clean(
    settings: Settings,
    *,
    older_than_days: float | None = 0.0,
    everything: bool = False,
    below: int | None = None,
) -> tuple[Removed, ...]:
    """Remove what was not used for that many days (None: age is no reason); `everything` takes all
    that is free. Then, with `below`, the longest unused until the cache has fewer bytes.

    Repositories go last, once no worktree needs them; trees that were fetched or unpacked are got
    again from their source when asked for. What is locked stays.
    """
    now = time.time()
    limit = -math.inf if older_than_days is None else now - older_than_days * _DAY
    removed = list(_clean(settings, now if everything else limit))
    if below is not None:
        total = size_of(settings.cache) if settings.cache.is_dir() else 0
        for entry in _longest_unused(settings):
            if total < below:
                break
            if gone := entry.removed(settings, math.inf):
                total -= gone.size
                removed.append(gone)
    return tuple(removed)


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


@dataclass(frozen=True)
class _Slot:
    folder: Path

    @property
    def used(self) -> float:
        return _used(self.folder, READY)

    def removed(self, _settings: Settings, limit: float) -> Removed | None:
        try:
            with FileLock(f"{self.folder}.lock", timeout=0):
                if not self.folder.is_dir() or self.used > limit:
                    return None
                size = size_of(self.folder)
                discard(self.folder)
                shutil.rmtree(self.folder)
                return Removed(self.folder, size)
        except Timeout:
            return None


@dataclass(frozen=True)
class _Repo:
    folder: Path

    @property
    def used(self) -> float:
        return _used(self.folder, STAMP)

    def removed(self, settings: Settings, limit: float) -> Removed | None:
        try:
            with FileLock(f"{self.folder}.lock", timeout=0):
                work = (settings.cache / "work").glob("*/")
                needed = {folder.name.rpartition("-")[0] for folder in work}
                key = self.folder.name.removesuffix(".git")
                if not self.folder.is_dir() or key in needed or self.used > limit:
                    return None
                return _taken(self.folder, _MAKING)
        except Timeout:
            return None


@dataclass(frozen=True)
class _Product:
    folder: Path

    @property
    def used(self) -> float:
        return _used(self.folder, "")

    def removed(self, _settings: Settings, limit: float) -> Removed | None:
        with ExitStack() as stack:
            # the first for those who use it, the second for those who make it
            if not stack.enter_context(alone(self.folder)):
                return None
            making = Path(f"{self.folder}.lock")
            try:
                if making.exists():
                    stack.enter_context(FileLock(making, timeout=0))
            except Timeout:
                return None
            if not self.folder.is_dir() or self.used > limit:
                return None
            return _taken(self.folder, _GONE)


_Entry = _Slot | _Product | _Repo


def _clean(settings: Settings, limit: float) -> Iterator[Removed]:
    yield from _leftovers(settings)
    entries: tuple[_Entry, ...] = (*_slots(settings), *_products(settings), *_repos(settings))
    for entry in entries:
        if gone := entry.removed(settings, limit):
            yield gone


def _longest_unused(settings: Settings) -> Iterator[_Entry]:
    first: list[_Entry] = [*_slots(settings), *_products(settings)]
    yield from sorted(first, key=lambda entry: entry.used)
    yield from sorted(_repos(settings), key=lambda entry: entry.used)


def _slots(settings: Settings) -> list[_Slot]:
    return [_Slot(path) for path in sorted((settings.cache / "work").glob("*-*[0-9]/"))]


def _repos(settings: Settings) -> list[_Repo]:
    return [_Repo(path) for path in sorted((settings.cache / "repos").glob("[!.]*.git"))]


def _products(settings: Settings) -> list[_Product]:
    return [
        _Product(path)
        for name in _PRODUCTS
        for path in sorted((settings.cache / name).glob("[!.]*/"))
    ]


def _leftovers(settings: Settings) -> Iterator[Removed]:
    """What a kzc that was killed left half made or half removed."""
    for name in ("repos", *_PRODUCTS):
        for path in sorted((settings.cache / name).glob(".*/")):
            if path.name.startswith(_MAKING):
                whole = path.with_name(path.name.removeprefix(_MAKING))
                try:
                    with FileLock(f"{whole}.lock", timeout=0):
                        yield _rid(path)
                except Timeout:
                    continue
            elif path.name.startswith(_GONE) or _used(path, "") < time.time() - _HOUR:
                yield _rid(path)


def _taken(folder: Path, prefix: str) -> Removed:
    """Rename first: a removal cut short leaves nothing that looks like the whole."""
    size = size_of(folder)
    doomed = folder.with_name(f"{prefix}{folder.name}")
    if doomed.exists():
        shutil.rmtree(doomed)
    shutil.rmtree(folder.rename(doomed))
    return Removed(folder, size)


def _rid(path: Path) -> Removed:
    size = size_of(path)
    shutil.rmtree(path, ignore_errors=True)  # somebody else may be at it
    return Removed(path, size)


def _used(folder: Path, stamp: str) -> float:
    """When it was used last; a long time ago if it is not there any more."""
    for path in (folder / stamp, folder):
        try:
            return path.stat().st_mtime
        except FileNotFoundError:
            continue
    return 0.0
