# SPDX-License-Identifier: GPL-2.0-only
"""What a new configuration begins with: the objects of the nearest one that was built beside it.

kbuild makes anew whatever depends on a symbol that differs, by fixdep's lists and the compiler's
command lines. Both folders lie in one slot, so no path in their objects is another's.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from kzc.kernel.fragment import parse_config

MOST = 64
"""Symbols in which two configurations may differ; with more, hardly an object stays."""
_OWN = ("kzc.config", ".config")


def difference(one: Mapping[str, str], other: Mapping[str, str]) -> int:
    """In how many symbols two .config differ."""
    return sum(one.get(name) != other.get(name) for name in one.keys() | other.keys())


def nearest(folder: Path, others: Iterable[Path]) -> Path | None:
    """The one of other build folders whose .config is nearest to the folder's, None if none is
    near."""
    config = _config(folder)
    ranked = sorted((difference(config, _config(each)), str(each)) for each in others)
    return Path(ranked[0][1]) if ranked and ranked[0][0] <= MOST else None


def begin_with(kin: Path, folder: Path) -> None:
    """Give a configured build folder all else that `kin` holds, with its times; all of it, or
    nothing."""
    new = folder.with_name(f"{folder.name}.new")
    shutil.rmtree(new, ignore_errors=True)
    try:
        shutil.copytree(kin, new, symlinks=True, ignore=_without_own(kin))
        for name in _OWN:
            shutil.copy2(folder / name, new / name)
        shutil.rmtree(folder)
        new.rename(folder)
    finally:
        shutil.rmtree(new, ignore_errors=True)


def _without_own(kin: Path) -> Callable[[str, list[str]], list[str]]:
    def left_out(folder: str, names: list[str]) -> list[str]:
        return [name for name in names if name in _OWN] if Path(folder) == kin else []

    return left_out


def _config(folder: Path) -> Mapping[str, str]:
    return parse_config((folder / ".config").read_text())
