# SPDX-License-Identifier: GPL-2.0-only
"""`kzc serve`: the kept runs in a browser, on this machine only unless it is told otherwise."""

from __future__ import annotations

import errno
import socket
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from kzc.cli.page import measures, sections_of
from kzc.errors import UsageError
from kzc.results.logs import OpenLog, in_folder
from kzc.results.page import Section
from kzc.results.store import Store
from kzc.results.wanted import Wanted
from kzc.settings import load_settings
from kzc.values import Run


@dataclass(frozen=True)
class Kept:
    """The runs of the store, as the pages want them."""

    store: Store

    def heads(self, wanted: Wanted) -> Sequence[Run]:
        """The runs that are wanted, the newest first."""
        return self.store.list(wanted)

    def known(self) -> Mapping[str, Sequence[str]]:
        """What all runs were made with and came to."""
        return self.store.known()

    def load(self, name: str) -> Run:
        """One run. Raises UsageError where there is none, HostError where it is damaged."""
        return self.store.load(name)

    def logs(self, run: Run) -> OpenLog:
        """The logs in the run's folder, or, where that was given up, as they are kept."""
        folder = self.store.folder / run.id
        if folder.is_dir():
            return in_folder(folder)
        known = {each.path: each.blob.sha256 for each in self.store.files(run)}

        def opened(path: str) -> AbstractContextManager[BinaryIO] | None:
            here = path in known and self.store.blobs.has(known[path])
            return self.store.blobs.opened(known[path]) if here else None

        return opened

    def sections(self, run: Run) -> Sequence[Section]:
        """What was measured, and what it says of claims."""
        folder = self.store.folder_of(run) if measures(run) else self.store.folder / run.id
        return sections_of(run, folder)


def serve(address: str, port: int, names: Sequence[str]) -> int:
    """Answer until a signal comes; port 0 takes any that is free. Raises UsageError."""
    import uvicorn

    from kzc.results.web import application

    listening = _listening(address, port)
    kept = Kept(Store.of(load_settings({}, Path.cwd())))
    config = uvicorn.Config(
        application(kept, [*names, *_called(address)]),
        log_level="warning",
        access_log=False,
        lifespan="off",
        server_header=False,
        timeout_graceful_shutdown=1,
    )
    host = f"[{address}]" if ":" in address else address
    print(f"http://{host}:{listening.getsockname()[1]}/ (Ctrl-C ends it)", flush=True)
    with listening:
        uvicorn.Server(config).run(sockets=[listening])
    return 0


def _listening(address: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        return socket.create_server((address, port), family=family)
    except (OSError, OverflowError, UnicodeError) as error:
        why = error.strerror if isinstance(error, OSError) else str(error)
        raise UsageError(f"cannot listen on {address}, port {port}: {why}", _next(error)) from None


def _next(error: Exception) -> str:
    number = (error.errno or 0) if isinstance(error, OSError) else 0
    # the resolver's numbers are negative, which is all that create_server leaves of its errors
    if number < 0 or number == errno.EADDRNOTAVAIL or isinstance(error, UnicodeError):
        return "an address of this machine, as --address 127.0.0.1, or 0.0.0.0 for all it has"
    return "another port: `kzc serve --port 0` takes one that is free"


def _called(address: str) -> tuple[str, ...]:
    """What requests call an address that is none of the loopback's and not all of them."""
    return () if address in ("0.0.0.0", "::") else (f"[{address}]" if ":" in address else address,)
