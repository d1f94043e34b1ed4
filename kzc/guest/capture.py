# SPDX-License-Identifier: GPL-2.0-only
"""The packets of a pair, seen on the host by vsockmon (drivers/net/vsockmon.c) and kept as a pcap.

A capture is evidence beside the verdict: where the host cannot make one, the reason is kept.
"""

from __future__ import annotations

import secrets
import shlex
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from kzc.errors import KzcError
from kzc.hosts.host import Host

_SNAP = 128  # bytes of a packet: all its headers
_LISTENING = b"listening on"
_PATIENCE = 30.0


@dataclass
class Capture:
    """`file` on this machine, or the reason why there is none."""

    file: Path
    reason: str = ""


@contextmanager
def capturing(host: Host, folder: Path, lacks: frozenset[str]) -> Iterator[Capture]:
    """Capture to vsock.pcap in `folder` as long as the `with` block runs."""
    found = Capture(folder / "vsock.pcap")
    missing = lacks & {"tcpdump", "ip"}
    if missing:
        found.reason = f"{host.name} has no {', '.join(sorted(missing))}"
        yield found
        return
    name, there = f"kzc{secrets.token_hex(4)}", host.folder / f"{secrets.token_hex(4)}.pcap"
    log = folder / "tcpdump.log"
    command = f"""PATH=$PATH:/usr/sbin
ip link add {name} up type vsockmon || exit
exec tcpdump -i {name} -s {_SNAP} -U -Z root -w {shlex.quote(str(there))}"""
    try:
        with host.runner.spawn(["sh", "-c", command], log=log) as child:
            end = time.monotonic() + _PATIENCE
            while _LISTENING not in log.read_bytes() and child.code is None:
                if time.monotonic() > end:
                    break
                time.sleep(0.1)
            yield found
        _fetch(host, there, found, log)
    finally:
        with suppress(KzcError):
            remove = f"PATH=$PATH:/usr/sbin; ip link del {name}"
            host.runner.capture(["sh", "-c", remove], check=False, timeout=20)


def _fetch(host: Host, there: Path, found: Capture, log: Path) -> None:
    try:
        host.get(there, found.file)
    except KzcError as error:
        said = log.read_text(errors="replace").strip().splitlines()
        found.reason = said[-1] if said else error.message
