# SPDX-License-Identifier: GPL-2.0-only
"""This machine as a host: nothing is copied, the runner is the one that was handed in."""

from __future__ import annotations

import os
import shutil
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from kzc.errors import HostError
from kzc.hosts.relay import free_port
from kzc.proc import Runner

_SOCKET_PATH = 107


@dataclass(frozen=True)
class LocalListener:
    """A listening socket of this machine."""

    server: socket.socket

    def fileno(self) -> int:
        return self.server.fileno()

    def accept(self) -> socket.socket:
        return self.server.accept()[0]


@dataclass(frozen=True)
class LocalHost:
    """This machine."""

    runner: Runner
    folder: Path
    name: str = "this machine"
    lag: float = 0.002

    @contextmanager
    def scratch(self, name: str) -> Iterator[Path]:
        path = self.folder / name
        try:
            path.mkdir(mode=0o700)
        except OSError as error:
            raise HostError(f"no folder {path}: {error.strerror}") from None
        try:
            yield path
        finally:
            shutil.rmtree(path, ignore_errors=True)

    def put(self, path: Path) -> Path:
        if not path.is_file():
            raise HostError(f"{path} is not there or is no file")
        return path.absolute()

    def get(self, remote: Path, local: Path) -> None:
        partial = local.with_name(f"{local.name}.part")
        try:
            shutil.copy(remote, partial)
            os.replace(partial, local)
        except OSError as error:
            partial.unlink(missing_ok=True)
            raise HostError(f"{remote} could not be copied to {local}: {error.strerror}") from None

    @contextmanager
    def listen(self, path: Path) -> Iterator[LocalListener]:
        if len(os.fsencode(path)) > _SOCKET_PATH:
            raise HostError(
                f"no socket at {path}: unix(7) allows paths of {_SOCKET_PATH} bytes",
                "set TMPDIR to a folder with a shorter name",
            )
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as server:
            try:
                server.bind(str(path))
            except OSError as error:
                raise HostError(f"no socket at {path} on {self.name}: {error}") from None
            server.listen(1)
            try:
                yield LocalListener(server)
            finally:
                path.unlink(missing_ok=True)

    def free_port(self) -> int:
        return free_port()

    def alive(self, seconds: float = 10) -> bool:
        return True


@contextmanager
def local_host(runner: Runner) -> Iterator[LocalHost]:
    """This machine, with a scratch folder for as long as the `with` block runs."""
    with tempfile.TemporaryDirectory(prefix="kzc-") as folder:
        yield LocalHost(runner, Path(folder))
