# SPDX-License-Identifier: GPL-2.0-only
"""The command line of a QEMU that is migrated. Pure; running it is process.py's.

It runs as nobody: root's locked pages are not counted (CAP_IPC_LOCK), and libvirt's QEMU is not
root's either. Its memory, its monitor and what writes to its memory come as open descriptors.
"""

from __future__ import annotations

from dataclasses import dataclass

NOBODY = 65534


@dataclass(frozen=True)
class Spec:
    """`memory` (bytes) behind the descriptor `memory_fd`; `locked` is RLIMIT_MEMLOCK in bytes. One
    with `waits` takes a migration in."""

    namespace: str
    memory: int
    locked: int
    memory_fd: int
    monitor_fd: int
    writer_fd: int
    waits: bool = False


def argv(spec: Spec, qemu: str) -> list[str]:
    """The whole command, from entering the namespace on; each word replaces the one before it, so
    that the process is QEMU in the end."""
    backend = (
        f"memory-backend-file,id=ram,size={spec.memory},share=on,mem-path=/proc/self/fd/"
        f"{spec.memory_fd}"
    )
    return [
        *("nsenter", f"--net=/run/netns/{spec.namespace}"),
        *("prlimit", f"--memlock={spec.locked}:{spec.locked}"),
        *("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"),
        *(qemu, "-S", "-accel", "tcg", "-machine", "pc,memory-backend=ram"),
        *("-m", f"{spec.memory >> 20}M", "-object", backend),
        *("-nodefaults", "-no-user-config", "-display", "none"),
        *("-chardev", f"socket,id=monitor,fd={spec.monitor_fd}"),
        *("-mon", "chardev=monitor,mode=control"),
        *("-chardev", f"socket,id=qtest,fd={spec.writer_fd}", "-qtest", "chardev:qtest"),
        *("-qtest-log", "none"),
        *(("-incoming", "defer") if spec.waits else ()),
    ]
