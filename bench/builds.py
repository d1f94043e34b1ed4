# SPDX-License-Identifier: GPL-2.0-only
"""Kernel builds: cold default profile, the same commit again into an empty folder with a warm
compiler cache, virtme-ng's default config cold, `kzc build` with nothing to do, `kzc --help`.

python bench/builds.py [default] [virtme] [idle]; all of it takes more than an hour on two cores, so
each part may be run for itself and the readings of the others stay. Compilers are counted in CPU
seconds (user and system, of all children), because wall time on a shared machine is noise; both
are kept. Holds: default/virtme-ng <= 0.45, warm/cold <= 0.25, nothing to do < 3 s, help < 0.3 s.
"""

from __future__ import annotations

import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from machine import keep, kept

from kzc.jobs.workshop import find_vng
from kzc.kernel.build import Recipe, compile_kernel, compiler_version, configure
from kzc.kernel.make import Place, Shop
from kzc.kernel.profile import find_profile, load_fragment
from kzc.proc import LocalRunner
from kzc.settings import load_settings
from kzc.shared import shared_folder
from kzc.trees.find import find_tree
from kzc.trees.slots import checkout

TREE = "debian:linux-source-6.12"


class Clock:
    """Wall and CPU seconds since it was made."""

    def __init__(self) -> None:
        self._wall, self._cpu = time.monotonic(), self._used()

    @staticmethod
    def _used() -> float:
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        return used.ru_utime + used.ru_stime

    def read(self) -> dict[str, float]:
        wall, cpu = time.monotonic() - self._wall, self._used() - self._cpu
        return {"wall": round(wall, 1), "cpu": round(cpu, 1)}


def build(virtme: bool, folder: Path, ccache: Path, name: str) -> dict[str, float]:
    """Configure and build the default profile (or virtme-ng's config alone) into a new folder."""
    settings, runner = load_settings({}, Path.cwd()), LocalRunner()
    tree = find_tree(TREE, Path.cwd(), settings, runner)
    configs = shared_folder("kconfigs")
    names = () if virtme else find_profile("default", configs).fragments
    fragments = tuple(load_fragment(entry, configs) for entry in names)
    recipe = Recipe(tree.tree_id, fragments, compiler_version(runner), virtme)
    shop = Shop(folder / f"store-{name}", folder / "notes", ccache, settings.jobs, find_vng())
    with checkout(tree.repo, tree.commit, settings, runner) as slot:
        out = slot.folder / "bench-build"  # beside the source, as kzc's own build folders are
        shutil.rmtree(out, ignore_errors=True)
        place = Place(slot.path, out, folder / f"{name}.log")
        clock = Clock()
        try:
            configure(recipe, place, shop, runner)
            compile_kernel(recipe, place, shop, runner, show=lambda _text, _fraction: None)
        finally:
            shutil.rmtree(out, ignore_errors=True)
        return clock.read()


def command(*words: str) -> float:
    """Wall seconds of a kzc command."""
    began = time.monotonic()
    env = {**os.environ, "KZC_DATA": tempfile.gettempdir() + "/kzc-bench-data"}
    subprocess.run([sys.executable, "-m", "kzc", *words], check=True, capture_output=True, env=env)
    return round(time.monotonic() - began, 2)


def default(folder: Path) -> dict[str, object]:
    """The default profile cold, then warm."""
    return {
        "default cold": build(False, folder, folder / "ccache", "cold"),
        "default warm": build(False, folder, folder / "ccache", "warm"),
    }


def virtme(folder: Path) -> dict[str, object]:
    """virtme-ng's own config cold."""
    return {"virtme-ng cold": build(True, folder, folder / "ccache-virtme", "virtme")}


def idle(_folder: Path) -> dict[str, object]:
    """What is done already, and the help."""
    command("build", "--tree", TREE)
    return {
        "nothing": [command("build", "--tree", TREE) for _ in range(3)],
        "help": [command("--help") for _ in range(3)],
    }


PARTS = {"default": default, "virtme": virtme, "idle": idle}


def ratios(known: dict[str, Any]) -> dict[str, float]:
    """Those that the readings so far allow."""
    pairs = {
        "default/virtme-ng": ("default cold", "virtme-ng cold"),
        "warm/cold": ("default warm", "default cold"),
    }
    return {
        name: round(known[above]["cpu"] / known[below]["cpu"], 3)
        for name, (above, below) in pairs.items()
        if above in known and below in known
    }


def main() -> int:
    known = kept("builds").get("readings", {})
    with tempfile.TemporaryDirectory(prefix="kzc-bench-", dir=Path.home()) as scratch:
        for part in sys.argv[1:] or PARTS:
            known |= PARTS[part](Path(scratch))
    found = ratios(known)
    limits = {"default/virtme-ng": 0.45, "warm/cold": 0.25}
    held = {f"{name} <= {limits[name]}": ratio <= limits[name] for name, ratio in found.items()}
    for name, limit in (("nothing", 3.0), ("help", 0.3)):
        if name in known:
            held[f"{name} < {limit} s"] = statistics.median(known[name]) < limit
    keep("builds", {"readings": known, "ratios": found, "held": held})
    return 0 if all(held.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
