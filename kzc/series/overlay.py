# SPDX-License-Identifier: GPL-2.0-only
"""Series that are for measurement only: which those are, and how one is put on another series.

Rule: a patch of theirs is known by its title, wherever it comes from (a name, a folder, an mbox, a
range, a port), and nothing that has one counts as clean.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from kzc.errors import UsageError
from kzc.series.find import load_series
from kzc.series.manifest import list_series, load_manifest
from kzc.values import Series


def overlays(patches_dir: Path) -> tuple[str, ...]:
    """The names of the carried series that are for measurement only."""
    names = list_series(patches_dir)
    return tuple(name for name in names if load_manifest(patches_dir / name).measurement_only)


def load_overlay(patches_dir: Path, name: str, version: str) -> Series:
    """The overlay `name` for a tree of that `version`. Raises UsageError, also for other series."""
    names = overlays(patches_dir)
    if name not in names:
        raise UsageError(
            f"{name} is no overlay: none is carried by that name that is for measurement only",
            f"there are: {', '.join(names) or 'none'}; two series of your own are one as a range",
        )
    return load_series(patches_dir, name, version)


def stacked(series: Series | None, overlay: Series) -> Series:
    """The overlay's patches after the series' own; the overlay alone where there is no series."""
    if series is None:
        return overlay
    count = len(series.patches)
    above = (replace(each, number=count + each.number) for each in overlay.patches)
    name = f"{series.name} with {overlay.name}"
    return replace(series, name=name, patches=(*series.patches, *above))


def measurement_only(series: Series | None, patches_dir: Path) -> tuple[str, ...]:
    """The names of the overlays of which `series` has a patch, for whatever base."""
    titles = {patch.subject for patch in series.patches} if series else set()
    return tuple(name for name in overlays(patches_dir) if titles & _titles(patches_dir, name))


def _titles(patches_dir: Path, name: str) -> set[str]:
    bases = load_manifest(patches_dir / name).bases
    found = (load_series(patches_dir, name, label) for label in bases)
    return {patch.subject for series in found for patch in series.patches}
