# SPDX-License-Identifier: GPL-2.0-only
"""Writing so that a kill or a full disk never leaves half a file behind."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from kzc.errors import HostError, UsageError

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_NO_PLACE = frozenset({errno.ENOENT, errno.ENOTDIR, errno.EEXIST, errno.ENAMETOOLONG, errno.ELOOP})


@contextmanager
def blamed(path: Path, *, named: bool = False) -> Iterator[None]:
    """Turn what the system says against writing `path` into a HostError, or into a UsageError
    where the user has `named` a place that is none."""
    try:
        yield
    except OSError as error:
        message = f"cannot write {path}: {error.strerror or error}"
        if named and error.errno in _NO_PLACE:
            raise UsageError(message, "name a place in a folder that is there") from error
        raise HostError(message, _next(error, named)) from error


def _next(error: OSError, named: bool) -> str:
    other = "choose another place" if named else "choose another data folder"
    if error.errno in _FULL:
        return f"make room (`kzc clean` frees what can be made again), or {other}"
    return f"see that it can be written, or {other}"


def write(file: int, data: bytes) -> None:
    """Write all of `data` to a descriptor and wait until the disk has it. Raises OSError."""
    while data:
        data = data[os.write(file, data) :]
    os.fsync(file)


def append(file: int, data: bytes) -> None:
    """Like `write`, at the end; where it fails the file is as before. Raises OSError."""
    end = os.fstat(file).st_size
    try:
        write(file, data)
    except OSError:
        os.ftruncate(file, end)
        raise


def replace(path: Path, data: bytes) -> None:
    """Put `data` in the place of a file, at once. Raises OSError; the old file stays then."""
    spare = path.with_name(f".{path.name}.new")
    file = os.open(spare, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    try:
        write(file, data)
    finally:
        os.close(file)
    spare.replace(path)
