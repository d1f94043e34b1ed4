# SPDX-License-Identifier: GPL-2.0-only
"""Which kernels `kzc bench --dry-run` means: names are looked up, nothing is fetched or built.

Where the tree would have to be fetched only what can be nothing at all is refused.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from kzc.cli import bench_grounds
from kzc.cli.job import understand
from kzc.cli.options import Asked
from kzc.jobs.workshop import imported_folder
from kzc.kernel.profile import find_profile
from kzc.proc import LocalRunner
from kzc.results.verdicts import MEASUREMENT_ONLY
from kzc.series.find import check_series
from kzc.settings import Settings, load_settings
from kzc.shared import shared_folder
from kzc.trees import registry
from kzc.trees.find import enclosing_kernel, is_here, is_remote


@dataclass(frozen=True)
class Kernels:
    """Words for each kernel that would be measured, what of it is for measurement only, and what
    was not looked up."""

    words: tuple[str, ...]
    unclean: str = ""
    unknown: tuple[str, ...] = ()


def kernels_of(asked: Asked, base: str) -> Kernels:
    """The kernels of a bench, with the plan's series and overlay in `asked`. Raises UsageError."""
    cwd, runner = Path.cwd(), LocalRunner()
    settings = load_settings({"profile": asked.profile}, cwd)
    find_profile(settings.profile, shared_folder("kconfigs"))
    inside = not asked.tree and enclosing_kernel(cwd) is not None
    spec = "" if inside else asked.tree or settings.tree
    there = is_here(spec, cwd, settings, runner) if spec else inside or bool(base)
    if not there:
        return _unfetched(asked, base, spec, settings)
    understood = understand(asked, with_suites=False)
    far = bool(base) and _far(base, cwd, settings)
    grounds = bench_grounds.grounds(understood, asked, "" if far else base)
    return Kernels(
        (*((base,) if far else ()), *(each.what for each in grounds)),
        understood.facts.get(MEASUREMENT_ONLY, ""),
        (f"{base}, which would be fetched",) if far else (),
    )


def _unfetched(asked: Asked, base: str, spec: str, settings: Settings) -> Kernels:
    if asked.series:
        folder = imported_folder(settings)
        check_series(asked.series, Path.cwd(), shared_folder("patches"), folder)
    tree = spec or "the tree where it is run"
    own = f"{asked.series} on {tree}" if asked.series else tree
    unknown = ((f"{spec}, which would be fetched",) if spec else ()) + (
        (f"{base}, which may be of that tree",) if base else ()
    )
    return Kernels((*((base,) if base else ()), own), asked.overlay or "", unknown)


def _far(base: str, cwd: Path, settings: Settings) -> bool:
    if (cwd / Path(base).expanduser()).exists():
        return False
    if base in {tree.name for tree in registry.listed(settings)}:
        return not is_here(base, cwd, settings, LocalRunner())
    return is_remote(base) or is_remote(base.partition("@")[2])  # SERIES@TREE
