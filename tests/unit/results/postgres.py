# SPDX-License-Identifier: GPL-2.0-only
"""A PostgreSQL of the tests' own: in a folder, on a socket in it, gone with the block."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

ROLE = "kzc"


def programs() -> Path | None:
    """Where Debian's package has initdb and postgres, of the newest version there is."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if found:
        return found[-1].parent
    there = shutil.which("initdb")
    return Path(there).resolve().parent if there else None


@contextmanager
def server(bin_folder: Path) -> Iterator[str]:
    """A server that refuses to run as root runs as nobody then. Yields the URL of a database."""
    user = "nobody" if os.getuid() == 0 else pwd.getpwuid(os.getuid()).pw_name
    folder = Path(tempfile.mkdtemp(prefix="kzc-pg-"))
    try:
        shutil.chown(folder, user)
        folder.chmod(0o700)
        data = folder / "data"
        begin: list[str | Path] = [
            bin_folder / "initdb",
            "-D",
            data,
            "-U",
            ROLE,
            "-A",
            "trust",
            "--no-sync",
        ]
        utf8 = ["-E", "UTF8", "--locale=C.UTF-8"]
        subprocess.run(
            [*begin, *utf8], user=user, cwd=folder, check=True, stdout=subprocess.DEVNULL
        )
        told = {"listen_addresses": "", "unix_socket_directories": str(folder), "fsync": "off"}
        told |= {"shared_buffers": "8MB", "autovacuum": "off", "max_connections": "40"}
        settings = [word for name, value in told.items() for word in ("-c", f"{name}={value}")]
        log = (folder / "log").open("wb")
        with (
            log,
            subprocess.Popen(
                [bin_folder / "postgres", "-D", data, *settings], user=user, cwd=folder, stderr=log
            ) as running,
        ):
            try:
                _await(bin_folder, folder, running)
                yield f"postgresql://{ROLE}@/postgres?host={quote(str(folder), safe='')}"
            finally:
                running.send_signal(2)  # ends connections, and then itself
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _await(bin_folder: Path, folder: Path, running: subprocess.Popen[bytes]) -> None:
    asked: list[str | Path] = [bin_folder / "pg_isready", "-q", "-h", folder, "-U", ROLE]
    while subprocess.run(asked, check=False).returncode:
        if running.poll() is not None:
            raise RuntimeError((folder / "log").read_text())
