# SPDX-License-Identifier: GPL-2.0-only
"""Kernels that are there already: what release a bzImage is of, and where its modules lie.

The header is the one of Documentation/arch/x86/boot.rst: "HdrS" at 0x202, and at 0x20e the
place of the version string, less 0x200.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from kzc.errors import HostError, UsageError
from kzc.values import Diagnostic, KernelBuild

_HEAD = 1 << 16  # the setup code with the version string is at most this long
_ELF = b"\x7fELF"
_MEASURED = "measurement-only"


def release_of(head: bytes) -> str | None:
    """The release in the first 64 KiB of an image, empty if it tells none; None: no bzImage."""
    if head[0x202:0x206] != b"HdrS":
        return None
    at = int.from_bytes(head[0x20E:0x210], "little") + 0x200
    text = head[at : head.find(b"\0", at)].decode(errors="replace") if at > 0x200 else ""
    return text.split()[0] if text.split() else ""


def is_image(path: Path) -> bool:
    """Whether this file is a bzImage. Raises UsageError for a vmlinux, which QEMU cannot start."""
    if not path.is_file():
        return False
    head = _head(path)
    if head.startswith(_ELF):
        raise UsageError(f"{path} is an ELF file", "name the bzImage or vmlinuz made along with it")
    return release_of(head) is not None


def image_at(path: Path) -> KernelBuild:
    """The kernel in a bzImage, or in a folder that has one.

    One that kzc built is told by the kernel.json beside it; another is named by its content,
    and its tree is not known (`tree_id` is empty). Raises UsageError where there is none.
    """
    image = path / "bzImage" if path.is_dir() else path
    if not image.is_file() or not is_image(image):
        raise UsageError(f"{path} is no bzImage")
    folder = image.parent
    known = built_in(folder) if image.name == "bzImage" else None
    if known is not None:
        return known
    return KernelBuild(
        key=_digest(image),
        folder=str(folder),
        image=str(image),
        config_hash="",
        release=release_of(_head(image)) or "",
        tree_id="",
        compiler="",
        cached=True,
    )


def built_in(folder: Path) -> KernelBuild | None:
    """The kernel that kzc put into that folder, None if it did not."""
    try:
        data = json.loads((folder / "kernel.json").read_text())
        data["warnings"] = tuple(Diagnostic(**entry) for entry in data["warnings"])
        found = KernelBuild(**data)
    except (OSError, ValueError, TypeError, KeyError):
        return None
    return replace(found, folder=str(folder), image=str(folder / "bzImage"), cached=True)


def built_before(prefix: str, store: Path) -> tuple[KernelBuild, ...]:
    """The kernels under `store` whose keys begin with `prefix`."""
    found = (built_in(folder) for folder in sorted(store.glob(f"{prefix}*")) if folder.is_dir())
    return tuple(kernel for kernel in found if kernel is not None)


def note_measured(folder: Path, names: Sequence[str]) -> None:
    """Note beside a kernel of kzc's that it has overlays which are for measurement only."""
    (folder / _MEASURED).write_text("".join(f"{name}\n" for name in names))


def measured(kernel: KernelBuild) -> tuple[str, ...]:
    """The overlays that were noted beside a kernel; none beside one that kzc did not build."""
    try:
        return tuple((Path(kernel.folder) / _MEASURED).read_text().splitlines())
    except (OSError, UnicodeDecodeError):
        return ()


def modules_of(image: Path, release: str) -> Path | None:
    """lib/modules/RELEASE in the nearest folder above the image, None if it has no modules."""
    places = (
        parent / lib / "modules" / release
        for parent in image.absolute().parents
        for lib in ("lib", "usr/lib")
    )
    return next((place for place in places if release and (place / "modules.dep").is_file()), None)


def _head(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(_HEAD)
    except OSError as error:
        raise HostError(f"{path} cannot be read: {error.strerror}") from None


def _digest(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()[:24]
    except OSError as error:
        raise HostError(f"{path} cannot be read: {error.strerror}") from None
