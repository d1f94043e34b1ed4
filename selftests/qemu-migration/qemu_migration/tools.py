# SPDX-License-Identifier: GPL-2.0-only
"""Programs of the guest's that the suite needs: found, run, and named where they are missing."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

from qemu_migration.errors import Failed, Skipped

QEMU = "qemu-system-x86_64"
_NEEDED = {
    QEMU: "qemu-system-x86",
    "ip": "iproute2",
    "nsenter": "util-linux",
    "prlimit": "util-linux",
    "setpriv": "util-linux",
}
# /usr/sbin is not on everybody's PATH
PATH = f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin"


def require() -> None:
    """Raises Skipped naming what is missing, with its Debian package."""
    for name, package in _NEEDED.items():
        if shutil.which(name, path=PATH) is None:
            raise Skipped(f"the guest has no {name} (Debian package {package})")
    if sys.version_info < (3, 11):  # noqa: UP036 - it is the guest's, not the one that kzc runs on
        raise Skipped(f"the guest's python3 is {sys.version.split()[0]}, and has to be 3.11")
    if os.geteuid():
        raise Skipped("network namespaces and limits want root")


def run(*argv: str) -> str:
    """What a program printed. Raises Failed where it does not succeed."""
    found = shutil.which(argv[0], path=PATH) or argv[0]
    done = subprocess.run(
        [found, *argv[1:]], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise Failed(f"`{' '.join(argv)}` ended with {done.returncode}: {done.stderr.strip()}")
    return done.stdout
