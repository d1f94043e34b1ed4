# SPDX-License-Identifier: GPL-2.0-only
"""Debian's kernel images: a package becomes a folder with vmlinuz and modules, ready to boot.

The folder is named by package and version and appears whole or not at all. Its modules are
uncompressed and have their modules.dep, and `lib/modules` lies where virtme-ng looks for it:
in a folder above the vmlinuz.
"""

from __future__ import annotations

import lzma
import os
import re
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from kzc.errors import CommandFailed, HostError, UsageError
from kzc.git import disk_full, full_disk_told, word
from kzc.proc import Runner
from kzc.settings import Settings
from kzc.trees import repos
from kzc.trees.apt import Apt, Package, with_apt
from kzc.trees.debian import parse_package

PREFIX = "debian:linux-image-"
# package and unpacked files as a multiple of the package; 6.1 for amd64 takes 7, and 7.3 less
_SPACE = 9
_CHAIN = 4  # meta packages that lead to an image, at most
# Debian 14 moves what is in an image package into these
_PARTS = ("linux-base-", "linux-binary-", "linux-modules-")
_PLACES = ("boot/vmlinuz-*", "usr/lib/modules/*/vmlinuz")
_DEPMOD = ("depmod", "/usr/sbin/depmod", "/sbin/depmod")


@dataclass(frozen=True)
class Image:
    """An unpacked kernel package; `modules` is its lib/modules/RELEASE."""

    vmlinuz: Path
    release: str
    modules: Path
    package: str
    version: str


def find_image(spec: str, settings: Settings, runner: Runner) -> Image:
    """The kernel of `debian:linux-image-NAME[@SUITE]`, fetched unless it is in the cache.

    A meta package (linux-image-amd64) is followed to the image it depends on. Raises UsageError
    for a package that is not there or has no kernel in it, HostError without network, disk
    space or depmod.
    """
    package, suite = parse_package(spec.removeprefix("debian:"))
    if not package.startswith("linux-image-"):
        raise UsageError(f"{spec} is no kernel image", "like this: debian:linux-image-amd64@SUITE")
    state = settings.cache / "apt" / word(suite or "own")

    def fetched(apt: Apt, named: Package) -> Image:
        found = _real(apt, named, spec)
        folder = settings.cache / "images" / f"{found.name}_{word(found.version)}"
        with repos.locked(folder):
            if not folder.exists():
                repos.make(folder, lambda scratch, made: _fetch(apt, found, scratch, made))
            # for `clean`, which goes by the folder's own time
            os.utime(folder)
        return opened(folder, found)

    return with_apt(runner, state, suite, package, fetched)


def opened(folder: Path, package: Package) -> Image:
    """The image in an unpacked package. Raises UsageError where there is no kernel in it."""
    vmlinuz = next((path for place in _PLACES for path in sorted(folder.glob(place))), None)
    release = ""
    if vmlinuz is not None:
        release = vmlinuz.name.partition("-")[2] or vmlinuz.parent.name
    modules = folder / "lib/modules" / release
    if vmlinuz is None or not modules.is_dir():
        raise UsageError(
            f"the package {package.name} has no kernel with modules in it",
            "ask for another one: apt-cache search ^linux-image-",
        )
    return Image(vmlinuz, release, modules, package.name, package.version)


def parse_depends(lines: Iterable[str], prefixes: tuple[str, ...]) -> tuple[str, ...]:
    """Names beginning with one of `prefixes` in the output of `apt-cache depends`."""
    found = (re.match(r"\s*\|?(?:Pre)?Depends: <?([^\s>]+)", line) for line in lines)
    names = (match[1] for match in found if match)
    return tuple(dict.fromkeys(name for name in names if name.startswith(prefixes)))


def _real(apt: Apt, package: Package, spec: str) -> Package:
    """The package at the end of a chain of meta packages."""
    for _ in range(_CHAIN):
        deeper = _depends(apt, package.name, ("linux-image-",))
        if not deeper:
            return package
        package = apt.known(deeper[0])
    raise UsageError(f"{spec}: it leads from package to package, lastly to {package.name}")


def _depends(apt: Apt, package: str, prefixes: tuple[str, ...]) -> tuple[str, ...]:
    argv = ["apt-cache", "-c", str(apt.config), "depends", "--important", package]
    done = apt.runner.capture(argv, env={"LC_ALL": "C"})
    return parse_depends(done.stdout.splitlines(), prefixes)


def _fetch(apt: Apt, image: Package, scratch: Path, made: Path) -> None:
    """Download the image and its parts, unpack them into `made` and make that fit to boot."""
    parts = [image]
    for name in _depends(apt, image.name, _PARTS):
        part = apt.show(name)
        if part is None:
            raise HostError(f"{image.name} needs {name}, which apt does not have", "apt-get update")
        parts.append(part)
    _need(scratch, sum(part.size for part in parts) * _SPACE)
    for part in parts:
        folder = scratch / part.name
        folder.mkdir()
        _unpack(apt.download(part, folder), made, apt.runner)
    if not (made / "lib").exists() and (made / "usr/lib/modules").is_dir():
        (made / "lib").symlink_to("usr/lib")
    found = opened(made, image)
    with full_disk_told():
        uncompress(found.modules)
    _depmod(made, found.release, apt.runner)


def uncompress(modules: Path) -> None:
    """Replace each .ko.xz below `modules`: busybox and virtme-ng's initramfs take .ko only."""
    for packed in modules.rglob("*.ko.xz"):
        packed.with_suffix("").write_bytes(lzma.decompress(packed.read_bytes()))
        packed.unlink()


def _unpack(deb: Path, folder: Path, runner: Runner) -> None:
    try:
        runner.capture(["dpkg-deb", "-x", str(deb), str(folder)])
    except CommandFailed as failed:
        if "No space left" in failed.tail or "quota exceeded" in failed.tail:
            raise disk_full(failed.tail.splitlines()[-1]) from failed
        raise
    deb.unlink()


def _depmod(folder: Path, release: str, runner: Runner) -> None:
    depmod = next(filter(None, map(shutil.which, _DEPMOD)), None)
    if depmod is None:
        raise HostError("there is no depmod", "apt-get install kmod")
    runner.capture([depmod, "-b", str(folder), release])


def _need(folder: Path, size: int) -> None:
    free = shutil.disk_usage(folder).free
    if free < size:
        raise disk_full(
            f"{folder} has {free / 1e9:.1f} GB left, the kernel image needs {size / 1e9:.1f} GB"
        )
