# SPDX-License-Identifier: GPL-2.0-only
"""What the kernel counts as pinned or locked: of the machine, of a process, of a user.

MSG_ZEROCOPY's pages are counted by none of the first two, only held and, of a user without
CAP_IPC_LOCK, counted against RLIMIT_MEMLOCK where no file shows it: so that is tried out.
"""

from __future__ import annotations

import errno
import os
import resource
import socket
import time
from collections.abc import Mapping
from pathlib import Path

from qemu_migration import faults
from qemu_migration.command import NOBODY
from qemu_migration.errors import Failed

SO_ZEROCOPY, MSG_ZEROCOPY = 60, 0x4000000
_MACHINE = ("Unevictable", "Mlocked")  # meminfo, in kB
_PROCESS = ("VmPin", "VmLck")  # status, in kB
_PINS = ("nr_foll_pin_acquired", "nr_foll_pin_released")  # vmstat
_PAGE = 4096
_PROBED = 64  # pages; a send is counted as two more than it has


def machine() -> dict[str, int]:
    """Pages pinned and kB unevictable and locked, of all processes together."""
    return counts(Path("/proc/meminfo").read_text(), Path("/proc/vmstat").read_text())


def process(pid: int) -> dict[str, int]:
    """kB that a process has pinned and locked."""
    found = _numbers(Path(f"/proc/{pid}/status").read_text(errors="replace"))
    return {name: found[name] for name in _PROCESS if name in found}


def counts(meminfo: str, vmstat: str) -> dict[str, int]:
    """The same out of the files' texts. Pure."""
    memory, events = _numbers(meminfo), _numbers(vmstat)
    found = {name: memory[name] for name in _MACHINE if name in memory}
    if all(name in events for name in _PINS):
        found["Pinned"] = events[_PINS[0]] - events[_PINS[1]]
    return found


def _numbers(text: str) -> dict[str, int]:
    words = (line.replace(":", " ").split() for line in text.splitlines())
    return {line[0]: int(line[1]) for line in words if len(line) > 1 and line[1].isdigit()}


def more(before: Mapping[str, int], after: Mapping[str, int]) -> str:
    """What is more after than before, in words; empty if nothing is."""
    grown = {name: after[name] - number for name, number in before.items() if after[name] > number}
    return ", ".join(f"{name} grew by {number}" for name, number in grown.items())


def settled(before: Mapping[str, int], patience: float) -> str:
    """What is more than before, after waiting for it to go away: the machine's own life may lock a
    page for a moment."""
    end = time.monotonic() + patience
    while (grown := more(before, machine())) and time.monotonic() < end:
        time.sleep(0.1)
    return grown


def still_counted(patience: float) -> bool:
    """Whether pages of nobody's are still counted as locked after `patience` seconds.

    A child that is nobody sends as many with MSG_ZEROCOPY as its limit allows, which succeeds only
    where nothing else is counted.
    """
    child = os.fork()
    if not child:
        status = 2
        try:
            faults.spare()
            status = int(_probe(patience))
        except OSError as error:
            print(f"# the send that looks for locked pages: {error}", flush=True)
        finally:
            os._exit(status)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if status not in {0, 1}:
        raise Failed(f"the send that looks for locked pages ended with {status}")
    return bool(status)


def _probe(patience: float) -> bool:
    with socket.create_server(("127.0.0.1", 0)) as server:
        sender = socket.create_connection(server.getsockname())
        receiver, _ = server.accept()
    with sender, receiver:
        sender.setsockopt(socket.SOL_SOCKET, SO_ZEROCOPY, 1)
        sender.setblocking(False)
        # behind this nothing can be imported any more: nobody may not read where it lies
        os.setgroups([])
        os.setresgid(NOBODY, NOBODY, NOBODY)
        os.setresuid(NOBODY, NOBODY, NOBODY)
        resource.setrlimit(resource.RLIMIT_MEMLOCK, (_PROBED * _PAGE, _PROBED * _PAGE))
        data = bytes((_PROBED - 2) * _PAGE)
        end = time.monotonic() + patience
        while _refused(sender, data):
            if time.monotonic() >= end:
                return True
            time.sleep(0.1)
    return False


def _refused(sender: socket.socket, data: bytes) -> bool:
    try:
        sender.send(data, MSG_ZEROCOPY)
    except OSError as error:
        if error.errno != errno.ENOBUFS:
            raise
        return True
    return False
