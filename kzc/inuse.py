# SPDX-License-Identifier: GPL-2.0-only
"""Who holds a file or folder: locks that the system takes back when their holder dies (flock(2)).

A lock is a file beside what it guards. Rule: first lock, then look whether the thing is there; who
removes a thing takes its lock for himself first, and the lock's file goes with the thing.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path


@contextmanager
def using(folder: Path) -> Iterator[None]:
    """Nobody removes `folder`, which need not be there yet, as long as the block runs."""
    lock = _take(_beside(folder), fcntl.LOCK_SH)
    try:
        yield
    finally:
        os.close(lock)


@contextmanager
def holding() -> Iterator[Callable[[Path], None]]:
    """What is handed to the function is in use until the block ends."""
    with ExitStack() as stack:
        held: set[Path] = set()

        def use(folder: Path) -> None:
            if folder not in held:
                stack.enter_context(using(folder))
                held.add(folder)

        yield use


@contextmanager
def alone(folder: Path) -> Iterator[bool]:
    """True when nobody uses `folder`; nobody begins to before the block ends, then."""
    with orphaned(_beside(folder)) as free:
        yield free


@contextmanager
def owned(path: Path, waiting: Callable[[], None] = lambda: None) -> Iterator[None]:
    """Hold the lock file `path` itself; it is gone when the block has ended. Another holder is
    waited for, after a call of `waiting`."""
    try:
        lock = _take(path, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        waiting()
        lock = _take(path, fcntl.LOCK_EX)
    try:
        yield
    finally:
        path.unlink(missing_ok=True)
        os.close(lock)


@contextmanager
def orphaned(path: Path) -> Iterator[bool]:
    """True when the holder of the lock file `path` is dead; the file is removed, then."""
    try:
        lock = _take(path, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        yield False
        return
    try:
        yield True
    finally:
        path.unlink(missing_ok=True)
        os.close(lock)


def _beside(folder: Path) -> Path:
    return folder.with_name(f".{folder.name}.in-use")


def _take(path: Path, how: int) -> int:
    """A descriptor with the lock. Raises BlockingIOError where LOCK_NB says so."""
    path.parent.mkdir(parents=True, exist_ok=True)
    while True:
        lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, how)
            if _same(lock, path):
                return lock
        except BaseException:
            os.close(lock)
            raise
        os.close(lock)  # who had it before has removed the file: it guards nothing any more


def _same(lock: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(lock), os.stat(path))
    except FileNotFoundError:
        return False
