# SPDX-License-Identifier: GPL-2.0-only
"""The file system of a mini guest: busybox, an init, the agent, static test binaries, modules.

A newc cpio archive as Documentation/driver-api/early-userspace/buffer-format.rst of the kernel
describes it, written without root and without a clock: the same files give the same bytes.
"""

from __future__ import annotations

import stat
from collections.abc import Iterable, Mapping
from pathlib import Path

from kzc.errors import HostError, UsageError
from kzc.guest.modules import needed, read_module

_FOLDERS = ("bin", "dev", "proc", "sys", "tmp", "run", "root", "etc", "kzc", "kzc/bin")
_MODULES = "kzc/modules"
_ETC = {
    "etc/passwd": b"root:x:0:0:root:/root:/bin/sh\n",
    "etc/hosts": b"127.0.0.1 localhost\n::1 localhost\n",
    "etc/fstab": b"".join(
        b"none %s %s defaults 0 0\n" % (place, kind)
        for place, kind in (
            (b"/proc", b"proc"),
            (b"/sys", b"sysfs"),
            (b"/dev/pts", b"devpts"),
            (b"/tmp", b"tmpfs"),
            (b"/run", b"tmpfs"),
            (b"/sys/kernel/debug", b"debugfs"),
            (b"/sys/kernel/tracing", b"tracefs"),
        )
    ),
}


def build(
    busybox: Path,
    files: Mapping[str, Path],
    own: Path = Path(__file__).parent,
    *,
    modules: Path | None = None,
) -> bytes:
    """The archive: `files` maps a path in the guest (without leading slash) to a host file.

    `modules` is the lib/modules/RELEASE of a kernel that needs some of them as a guest; they
    go to kzc/modules, named so that init.sh loads them in order. Raises HostError when busybox
    is missing or not static or a module cannot be read, UsageError when a file is missing.
    """
    entries = [_entry(name, stat.S_IFDIR | 0o755) for name in _FOLDERS]
    entries += [_entry(name, stat.S_IFDIR | 0o755) for name in _parents(files)]
    entries.append(_entry("dev/console", stat.S_IFCHR | 0o600, device=(5, 1)))
    # before /dev is mounted a shell wants it for whatever it runs in the background
    entries.append(_entry("dev/null", stat.S_IFCHR | 0o666, device=(1, 3)))
    entries.append(_entry("bin/busybox", stat.S_IFREG | 0o755, _static(busybox)))
    entries.append(_entry("init", stat.S_IFREG | 0o755, (own / "init.sh").read_bytes()))
    entries.append(_entry("kzc/agent.sh", stat.S_IFREG | 0o755, (own / "agent.sh").read_bytes()))
    entries += [_entry(name, stat.S_IFREG | 0o644, data) for name, data in _ETC.items()]
    for name, path in sorted(files.items()):
        entries.append(_entry(name, stat.S_IFREG | 0o755, _read(path)))
    if modules is not None:
        entries.append(_entry(_MODULES, stat.S_IFDIR | 0o755))
    for number, path in enumerate(needed(modules) if modules is not None else ()):
        name = f"{_MODULES}/{number:03d}-{path.name.partition('.ko')[0]}.ko"
        entries.append(_entry(name, stat.S_IFREG | 0o644, read_module(path)))
    entries.append(_entry("TRAILER!!!", 0))
    return b"".join(entries)


def _parents(files: Iterable[str]) -> list[str]:
    found = {str(parent) for name in files for parent in Path(name).parents}
    return sorted(found - set(_FOLDERS) - {"."})


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path} cannot be taken into the guest: {error.strerror}") from None


def _static(busybox: Path) -> bytes:
    try:
        data = busybox.read_bytes()
    except OSError as error:
        raise HostError(
            f"{busybox} cannot be read: {error.strerror}", "apt-get install busybox-static"
        ) from None
    if b"/ld-linux" in data[:4096]:
        raise HostError(f"{busybox} is not a static binary", "apt-get install busybox-static")
    return data


def _entry(name: str, mode: int, data: bytes = b"", device: tuple[int, int] = (0, 0)) -> bytes:
    raw = name.encode() + b"\0"
    links = 2 if stat.S_ISDIR(mode) else 1
    fields = (0, mode, 0, 0, links, 0, len(data), 0, 0, *device, len(raw), 0)
    head = b"070701" + b"".join(b"%08X" % value for value in fields) + raw
    return _pad(head) + _pad(data)


def _pad(data: bytes) -> bytes:
    return data + b"\0" * (-len(data) % 4)
