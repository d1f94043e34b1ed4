# SPDX-License-Identifier: GPL-2.0-only
"""From what the user wrote to a Series: carried, imported, a folder, an mbox, a range."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from kzc.errors import UsageError
from kzc.proc import Runner
from kzc.series.imported import list_imported, load_imported
from kzc.series.manifest import base_folder, list_series, load_manifest, pick_base
from kzc.series.read import read_file, read_folder, read_range
from kzc.values import Series


def find_series(
    spec: str,
    *,
    cwd: Path,
    patches_dir: Path,
    version: str,
    repo: Path,
    runner: Runner,
    imported: Path | None = None,
) -> Series:
    """The series that `spec` means, for a tree of that `version`.

    `repo` is where a range `a..b` is looked up: the user's checkout, or the tree's repository;
    `imported` the folder of what `kzc import` keeps. Looked at in this order: a carried name, an
    imported one, a folder or file, a range. Raises UsageError.
    """
    if spec in list_series(patches_dir):
        return load_series(patches_dir, spec, version)
    found = _kept(spec, cwd, imported)
    if found is not None:
        return found
    if is_range(spec):
        return read_range(repo, spec, runner)
    raise _nothing(spec, patches_dir, imported)


def check_series(spec: str, cwd: Path, patches_dir: Path, imported: Path | None = None) -> None:
    """Raise UsageError where `spec` can be no series, for whatever tree.

    Whether there are patches for a tree, and the commits of a range, is not asked.
    """
    known = spec in list_series(patches_dir) or _kept(spec, cwd, imported) or is_range(spec)
    if not known:
        raise _nothing(spec, patches_dir, imported)


def _kept(spec: str, cwd: Path, imported: Path | None) -> Series | None:
    """What was imported by that name, or what a folder or file has."""
    if imported and spec in list_imported(imported):
        return load_imported(imported, spec).series
    path = cwd / Path(spec).expanduser()
    if path.is_dir():
        return read_folder(path)
    return read_file(path) if path.exists() else None


def _nothing(spec: str, patches_dir: Path, imported: Path | None) -> UsageError:
    names = ", ".join(list_series(patches_dir)) or "none"
    kept = ", ".join(list_imported(imported)) or "none" if imported else ""
    return UsageError(
        f"{spec} is no series: no folder, file or range of commits, and none that is carried"
        + (" or imported" if imported else ""),
        f"carried are: {names}" + (f"; imported are: {kept}" if kept else ""),
    )


def is_range(spec: str) -> bool:
    """Whether it looks like commits `a..b` and not like a path."""
    return ".." in spec and "/../" not in spec and not spec.startswith(("../", "./"))


def load_series(patches_dir: Path, name: str, version: str) -> Series:
    """The carried series `name`, with the patches for the base that fits `version`.

    A base's own label is a version too. Raises UsageError naming the bases where none fits.
    """
    folder = patches_dir / name
    manifest = load_manifest(folder)
    label = pick_base(manifest, version)
    found = read_folder(base_folder(folder, label, manifest.bases[label]))
    cover = manifest.cover.strip()
    return replace(found, name=name, title=manifest.title, base=label, cover=cover)
