# SPDX-License-Identifier: GPL-2.0-only
"""`kzc doctor` and `kzc clean`: this machine and what kzc keeps on it."""

from __future__ import annotations

import re
from pathlib import Path

from rich.console import Console

from kzc.cli.doctor import run_doctor
from kzc.errors import UsageError
from kzc.kernel import compiler_cache
from kzc.proc import LocalRunner
from kzc.results.store import Store
from kzc.settings import load_settings
from kzc.trees import cleaning

_DAYS = 30
_SIZE = re.compile(r"(\d+(?:\.\d+)?) ?([KMGTkmgt])(?:i?[Bb])?", re.ASCII)


def doctor(as_json: bool) -> int:
    """The table of needs."""
    settings = load_settings({}, Path.cwd())
    return run_doctor(settings, LocalRunner(), as_json, Console())


def clean(everything: bool, days: int | None, size: str) -> int:
    """Remove what is old from the cache, then the longest unused until it is small enough."""
    settings, runner = load_settings({}, Path.cwd()), LocalRunner()
    below = size_in_bytes(size) if size else None
    if days is None and below is None:
        days = _DAYS
    removed = cleaning.clean(settings, older_than_days=days, everything=everything, below=below)
    if days is not None or everything:
        for copy in Store.of(settings).clean(0 if everything else (days or 0) * 86400.0):
            print(f"    copy of logs  {copy}")
    for entry in removed:
        print(f"{entry.size / 2**20:8.0f} MiB  {entry.path}")
    freed = sum(entry.size for entry in removed)
    ccache = settings.cache / "ccache"
    rest = None
    if below is not None and ccache.is_dir():
        others = cleaning.size_of(settings.cache) - cleaning.size_of(ccache)
        rest = max(below - others, 0)
    less = compiler_cache.trim(
        ccache, runner, older_than_days=days, everything=everything, below=rest
    )
    if less:
        print(f"{less / 2**20:8.0f} MiB  {ccache} (by ccache)")
    print(f"{(freed + less) / 2**20:8.0f} MiB freed")
    if below is not None and settings.cache.is_dir():
        _say_what_stays(cleaning.size_of(settings.cache), below)
    return 0


def _say_what_stays(left: int, below: int) -> None:
    if left >= below:
        print(f"{left / 2**20:8.0f} MiB stay: they are in use, or small")


def size_in_bytes(size: str) -> int:
    """The number of bytes in 20G, 500M, 1.5T (powers of 1024). Raises UsageError."""
    found = _SIZE.fullmatch(size.strip())
    if found is None:
        raise UsageError(f"{size!r} is no size", "like this: 20G, 500M or 1.5T")
    return int(float(found[1]) * 1024 ** "KMGT".index(found[2].upper()) * 1024)
