# SPDX-License-Identifier: GPL-2.0-only
"""Files between this machine and a host over SFTP: by content hash, each sent once, always whole.

`folder/by-hash/HASH` holds what was sent (HASH ends with x for a program), in a folder of its own
under the file's name; other names of the same contents are links to it.
"""

from __future__ import annotations

import hashlib
import io
import os
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

import paramiko

from kzc.errors import HostError
from kzc.hosts.link import BROKEN, Link


class Copies:
    """What was sent to the scratch folder of a host. Safe to use from several threads."""

    def __init__(self, link: Link, folder: Path) -> None:
        self._link = link
        self._folder = folder
        self._sftp: paramiko.SFTPClient = link.sftp()
        self._lock = threading.Lock()
        self._sent: dict[str, dict[str, Path]] = {}
        self._made: set[Path] = set()

    def put(self, path: Path) -> Path:
        """Send a file unless its contents are there. Raises HostError."""
        try:
            with path.open("rb") as file, self._lock:
                runs = os.access(path, os.X_OK)
                key = hashlib.file_digest(file, "sha256").hexdigest() + ("x" if runs else "")
                names = self._sent.setdefault(key, {})
                if path.name not in names:
                    names[path.name] = self._place(key, path.name, file, next(iter(names), ""))
                return names[path.name]
        except OSError as error:
            if not self._link.active:
                raise self._link.lost(f"sending {path}") from None
            raise HostError(
                f"{path} could not be copied to {self._link.name}: {error.strerror or error}",
                f"is the disk of {self._folder} full?",
            ) from None
        except (paramiko.SSHException, EOFError):
            raise self._link.lost(f"sending {path}") from None

    def _place(self, key: str, name: str, file: IO[bytes], other: str) -> Path:
        home = self._folder / "by-hash" / key
        if other:
            self._sftp.symlink(other, str(home / name))
            return home / name
        for folder in (home.parent, home):
            if folder not in self._made:
                self._sftp.mkdir(str(folder), 0o700)
                self._made.add(folder)
        file.seek(0)
        self._send(file, home / name, 0o755 if key.endswith("x") else 0o644)
        return home / name

    def _send(self, file: IO[bytes], to: Path, mode: int) -> None:
        partial = f"{to}.part"
        try:
            self._sftp.putfo(file, partial)
            self._sftp.chmod(partial, mode)
            self._sftp.posix_rename(partial, str(to))
        except BROKEN:
            with suppress(*BROKEN):
                self._sftp.remove(partial)
            raise

    def get(self, remote: Path, local: Path) -> None:
        """Fetch a file. Raises HostError, and leaves nothing then."""
        partial = local.with_name(f"{local.name}.part")
        try:
            with self._lock:
                self._sftp.get(str(remote), str(partial))
            os.replace(partial, local)
        except BROKEN as error:
            partial.unlink(missing_ok=True)
            if not self._link.active:
                raise self._link.lost(f"fetching {remote}") from None
            why = error.strerror if isinstance(error, OSError) and error.strerror else error
            raise HostError(
                f"{remote} of {self._link.name} could not be copied to {local}: {why}"
            ) from None

    def make_folder(self, path: Path) -> None:
        """A private folder on the host. Raises HostError."""
        try:
            with self._lock:
                self._sftp.mkdir(str(path), 0o700)
        except BROKEN as error:
            if not self._link.active:
                raise self._link.lost(f"making {path}") from None
            raise HostError(f"no folder {path} on {self._link.name}: {error}") from None

    @contextmanager
    def scrap(self, contents: bytes) -> Iterator[Path]:
        """A file of these bytes, for as long as the `with` block runs."""
        path = self._folder / f"input-{secrets.token_hex(8)}"
        try:
            with self._lock:
                self._send(io.BytesIO(contents), path, 0o600)
        except BROKEN as error:
            if not self._link.active:
                raise self._link.lost() from None
            raise HostError(f"no file {path} on {self._link.name}: {error}") from None
        try:
            yield path
        finally:
            with suppress(*BROKEN), self._lock:
                self._sftp.remove(str(path))

    def close(self) -> None:
        with suppress(*BROKEN):
            self._sftp.close()
