# SPDX-License-Identifier: GPL-2.0-only
"""Files by their content: `logs/AB/SHA256.zst`, each compressed and kept once. Nothing else.

A file gets its name when it is whole, so that a kill leaves none that is cut; what is read is
checked against its name.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import shutil
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from kzc.errors import HostError
from kzc.results.disk import blamed

HASH = re.compile(r"[0-9a-f]{64}")
_CHUNK = 1 << 20
_PART = ".part-"
_HOUR = 3600.0


class Elsewhere(HostError):
    """A content is not on this machine, though its run is known."""


@dataclass(frozen=True)
class Blob:
    """A content: its SHA-256 in hexadecimal digits, and its size in bytes."""

    sha256: str
    size: int


@dataclass(frozen=True)
class Kept:
    """A file of a run: its path in the run's folder, and its content."""

    path: str
    blob: Blob


@dataclass(frozen=True)
class Blobs:
    """All contents under a folder. Any number of kzc may use it at once."""

    folder: Path

    def add(self, source: BinaryIO, limit: int | None = None) -> Blob:
        """Keep what can be read from `source`. Raises HostError when the disk refuses, and
        OverflowError where there are more than `limit` bytes."""
        import zstandard

        digest, size = hashlib.sha256(), 0
        with blamed(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
            part = self.folder / f"{_PART}{os.getpid()}-{secrets.token_hex(4)}"
            try:
                with (
                    part.open("xb") as file,
                    zstandard.ZstdCompressor().stream_writer(file, closefd=False) as packed,
                ):
                    while data := source.read(_CHUNK):
                        size += len(data)
                        if limit is not None and size > limit:
                            raise OverflowError
                        digest.update(data)
                        packed.write(data)
                blob = Blob(digest.hexdigest(), size)
                self._settle(part, self._path(blob.sha256))
            finally:
                part.unlink(missing_ok=True)
        return blob

    def has(self, sha256: str) -> bool:
        return self._path(sha256).is_file()

    @contextmanager
    def opened(self, sha256: str) -> Iterator[BinaryIO]:
        """A content to read, unchecked. Raises HostError where it is not here."""
        import zstandard

        path = self._path(sha256)
        try:
            with path.open("rb") as file, zstandard.ZstdDecompressor().stream_reader(file) as plain:
                yield plain
        except FileNotFoundError:
            raise Elsewhere(
                f"the content {sha256} is not in {self.folder}",
                "logs stay on the machine that made them; `kzc export` there and `kzc load` here "
                "bring a run along",
            ) from None
        except (OSError, zstandard.ZstdError) as error:
            raise HostError(f"cannot read {path}: {error}") from error

    def copy(self, sha256: str, path: Path) -> None:
        """Put a content into a new file. Raises HostError; no file is left then."""
        digest = hashlib.sha256()
        part = path.with_name(f"{_PART}{secrets.token_hex(4)}")
        try:
            with blamed(path), self.opened(sha256) as source, part.open("xb") as file:
                while data := source.read(_CHUNK):
                    digest.update(data)
                    file.write(data)
            if digest.hexdigest() != sha256:
                raise HostError(f"{self._path(sha256)} is damaged: its content is another")
            with blamed(path):
                part.replace(path)
        finally:
            part.unlink(missing_ok=True)

    def sweep(self) -> tuple[Path, ...]:
        """Remove what a kill left half made, an hour ago or more."""
        gone = []
        for path in self.folder.glob(".*"):
            with suppress(OSError):
                if not _young(path):
                    shutil.rmtree(path) if path.is_dir() else path.unlink()
                    gone.append(path)
        return tuple(gone)

    def forget_all_but(self, wanted: Collection[str]) -> tuple[int, int]:
        """Remove contents that are not wanted, and were not for an hour: their number, and their
        bytes on the disk."""
        number = size = 0
        for path in self.folder.glob("??/*.zst"):
            if path.stem in wanted or _young(path):
                continue
            # out of the way first: who adds it from here on makes it anew
            doomed = self.folder / f"{_PART}{path.name}"
            with suppress(OSError):
                path.rename(doomed)
                if _young(doomed):
                    doomed.replace(path)
                    continue
                size += doomed.stat().st_size
                doomed.unlink()
                number += 1
        return number, size

    def _path(self, sha256: str) -> Path:
        if not HASH.fullmatch(sha256):
            raise HostError(f"{sha256!r} names no content")
        return self.folder / sha256[:2] / f"{sha256}.zst"

    def _settle(self, part: Path, path: Path) -> None:
        with suppress(FileNotFoundError):
            os.utime(path)  # tells forget_all_but() that somebody is about to name it
            return
        path.parent.mkdir(exist_ok=True)
        file = os.open(part, os.O_RDONLY)
        try:
            os.fsync(file)  # else a loss of power could leave an empty file of that name
        finally:
            os.close(file)
        part.replace(path)


def _young(path: Path) -> bool:
    """Whether somebody wrote or wanted it within the hour. Raises FileNotFoundError."""
    return path.stat().st_mtime > time.time() - _HOUR
