# SPDX-License-Identifier: GPL-2.0-only
"""Memory of what was applied, one JSON file per base and series, inside the repository."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from kzc.git import full_disk_told
from kzc.series.fit import HunkFit, PatchFit
from kzc.values import Fit, Patch, Series

# of what is written down of a hunk; what an older kzc wrote is made again
_FORM = 2


@dataclass(frozen=True)
class Kept:
    """As in Applied, for the base that the key names."""

    commits: tuple[str | None, ...]
    fits: tuple[PatchFit, ...]
    head: str
    tree_id: str


def store(repo: Path, key: str, kept: Kept) -> None:
    """Write it down, whole or not at all."""
    values = {
        "form": _FORM,
        "commits": kept.commits,
        "fits": [_fit_values(fit) for fit in kept.fits],
        "head": kept.head,
        "tree_id": kept.tree_id,
    }
    file = _file(repo, key)
    temporary = file.with_suffix(f".{os.getpid()}")
    with full_disk_told():
        file.parent.mkdir(exist_ok=True)
        try:
            temporary.write_text(json.dumps(values, indent=1), encoding="utf-8")
            temporary.replace(file)
        finally:
            temporary.unlink(missing_ok=True)


def load(repo: Path, key: str, series: Series) -> Kept | None:
    """What was stored, None if nothing was or it cannot be read: then it is made again."""
    try:
        values = json.loads(_file(repo, key).read_text(encoding="utf-8"))
        if values["form"] != _FORM:
            return None
        pairs = zip(series.patches, values["fits"], strict=False)
        return Kept(
            tuple(values["commits"]),
            tuple(_fit(patch, found) for patch, found in pairs),
            values["head"],
            values["tree_id"],
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _file(repo: Path, key: str) -> Path:
    return repo / "kzc-applied" / f"{key[:24]}.json"


def _fit_values(fit: PatchFit) -> dict[str, Any]:
    return {"fit": fit.fit, "hunks": [asdict(hunk) for hunk in fit.hunks]}


def _fit(patch: Patch, values: dict[str, Any]) -> PatchFit:
    return PatchFit(patch, Fit(values["fit"]), tuple(_hunk(found) for found in values["hunks"]))


def _hunk(values: dict[str, Any]) -> HunkFit:
    changed = {"fit": Fit(values["fit"]), "there": tuple(values["there"])}
    return HunkFit(**{**values, **changed})
