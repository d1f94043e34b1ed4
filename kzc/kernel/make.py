# SPDX-License-Identifier: GPL-2.0-only
"""make on a kernel tree, out of tree and through ccache; what a killed one left is made again.

Kbuild takes a target for made that is newer than its sources and has the command of the last time.
One that make was writing when it was killed is cut, and passes. So a make that has not ended by
itself leaves a mark, and the next one first removes all that was written since.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from kzc.errors import CommandFailed
from kzc.git import full_disk_told
from kzc.proc import Runner

# the same input gives the same bytes, whoever builds where and when
_FIXED = {
    "KBUILD_BUILD_TIMESTAMP": "1970-01-01",
    "KBUILD_BUILD_USER": "kzc",
    "KBUILD_BUILD_HOST": "kzc",
    "KBUILD_BUILD_VERSION": "1",
    "LC_ALL": "C",
}
_MARK = "kzc-making"
_KEPT = (".config", "kzc")  # beginnings of names: nothing that make makes


@dataclass(frozen=True)
class Shop:
    """Where building happens: `store` holds finished kernels, `notes` what builds took."""

    store: Path
    notes: Path
    ccache: Path
    jobs: int
    vng: str = "vng"


@dataclass(frozen=True)
class Place:
    """Where one build happens: source worktree, build folder, raw log."""

    src: Path
    out: Path
    log: Path


def make(words: Sequence[str], place: Place, shop: Shop, runner: Runner) -> Iterator[str]:
    """The lines of a make with these options and targets. Raises CommandFailed."""
    tools = ["CC=ccache gcc", "HOSTCC=ccache gcc"]
    where = ["-C", str(place.src), f"O={place.out}", f"-j{shop.jobs}", "ARCH=x86_64"]
    with _marked(place.out):
        yield from runner.stream(
            ["make", *where, *tools, *words], log=place.log, env=_environment(shop, place.src)
        )


@contextmanager
def _marked(out: Path) -> Iterator[None]:
    mark = out / _MARK
    with full_disk_told():
        out.mkdir(parents=True, exist_ok=True)
        if mark.exists():
            _remove_since(out, mark.stat().st_mtime_ns)
        mark.write_bytes(b"")
    try:
        yield
    except CommandFailed as failed:
        if failed.code < 128:
            mark.unlink()  # it cleaned up itself
        raise
    mark.unlink()


def _remove_since(folder: Path, moment: int) -> None:
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                _remove_since(Path(entry.path), moment)
            elif (
                not entry.name.startswith(_KEPT)
                and entry.stat(follow_symlinks=False).st_mtime_ns >= moment
            ):
                os.unlink(entry.path)


def _environment(shop: Shop, src: Path) -> dict[str, str]:
    base = {"CCACHE_DIR": str(shop.ccache), "CCACHE_BASEDIR": str(src.parent)}
    # the kernel has the compiler write its dependencies, so no second preprocessor run is needed
    base["CCACHE_DEPEND"] = "1"
    return {**_FIXED, **base, "CCACHE_NOHASHDIR": "1", "CCACHE_MAXSIZE": "5G"}
