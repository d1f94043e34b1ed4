# SPDX-License-Identifier: GPL-2.0-only
"""ccache's part of the cache, which only ccache itself makes smaller: a build may be using it."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from kzc.proc import Runner

_STATED = re.compile(r"cache_size_kibibyte\s+(\d+)")


def trim(
    folder: Path,
    runner: Runner,
    *,
    older_than_days: int | None = None,
    everything: bool = False,
    below: int | None = None,
) -> int:
    """Have ccache forget what is old, everything, or the longest unused down to `below` bytes.

    Returns the bytes freed, as ccache counts them; nothing happens where ccache is not installed.
    """
    if shutil.which("ccache") is None or not folder.is_dir():
        return 0
    before = _size(folder, runner)
    if everything:
        _ccache(folder, runner, "--clear")
    elif older_than_days is not None:
        _ccache(folder, runner, "--evict-older-than", f"{older_than_days}d")
    if below is not None and not everything:
        # the limit of a build is in its environment too, so this one changes nothing for later
        limit = {"CCACHE_MAXSIZE": f"{max(below // 1024, 1)}Ki"}
        _ccache(folder, runner, "--cleanup", more=limit)
    return max(before - _size(folder, runner), 0)


def _size(folder: Path, runner: Runner) -> int:
    stated = _STATED.search(_ccache(folder, runner, "--print-stats"))
    return int(stated[1]) * 1024 if stated else 0


def _ccache(folder: Path, runner: Runner, *words: str, more: dict[str, str] | None = None) -> str:
    done = runner.capture(
        ["ccache", *words], env={"CCACHE_DIR": str(folder), **(more or {})}, check=False
    )
    return done.stdout
