# SPDX-License-Identifier: GPL-2.0-only
"""`kzc check` of the series that kzc carries against `git rebase --exec make` in the same tree:
the first time, and again after the last patch was changed.

python bench/checks.py [TREE [SERIES]]. Both begin with the base built by the same compiler in the
same configuration, and compile without help from a compiler cache what the patches change. Seconds
of CPU are held (user and system, of all children), because wall time on a shared machine is noise;
both are kept. The base is built first, which takes half an hour on two cores.
Holds: first <= 1, after a change <= 0.2.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from builds import Clock
from machine import keep

from kzc.proc import LocalRunner
from kzc.series.find import find_series
from kzc.settings import load_settings, shared_folder
from kzc.trees.find import find_tree
from kzc.values import Series

TREE, NAME = "debian:linux-source-6.12", "scm-zc-notification"


def series_in(folder: Path, series: Series, changed: bool) -> Path:
    """The series as files; `changed` adds a line to the last patch's message."""
    folder.mkdir()
    for patch in series.patches:
        body = patch.body
        if changed and patch is series.patches[-1]:
            body = body.replace(b"Signed-off-by:", b"One more word.\n\nSigned-off-by:", 1)
            body = body.replace(b"\n+\t", b"\n+\t\t", 1)
        (folder / f"{patch.number:04}.patch").write_bytes(body)
    return folder


def kzc(cache: Path, *words: str) -> dict[str, float]:
    """CPU and wall seconds of a kzc command that finds nothing wrong, or only style."""
    env = {**os.environ, "KZC_CACHE": str(cache), "KZC_DATA": str(cache / "data")}
    clock = Clock()
    done = subprocess.run([sys.executable, "-m", "kzc", *words], env=env, check=False)
    if done.returncode not in (0, 1):
        raise RuntimeError(f"kzc {' '.join(words)}: status {done.returncode}")
    return clock.read()


def rebase(work: Path, base: str, mails: Path, make: str) -> dict[str, float]:
    """A branch with the mails, then every commit of it made."""
    git = ["git", "-C", str(work), "-c", "user.name=kzc", "-c", "user.email=kzc@localhost"]
    subprocess.run([*git, "checkout", "-q", "--detach", "-f", base], check=True)
    files = sorted(str(path) for path in mails.iterdir())
    subprocess.run([*git, "am", "-q", *files], check=True)
    clock = Clock()
    subprocess.run([*git, "rebase", "-q", "--exec", make, base], check=True)
    return clock.read()


def measure(scratch: Path, source: str, name: str) -> dict[str, dict[str, float]]:
    """All four readings. The repository is the user's own, everything else is in `scratch`."""
    settings, runner = load_settings({}, Path.cwd()), LocalRunner()
    tree = find_tree(source, Path.cwd(), settings, runner)
    series = find_series(
        name,
        cwd=Path.cwd(),
        patches_dir=shared_folder("patches"),
        version=tree.version,
        repo=tree.repo,
        runner=runner,
    )
    mails = {each: series_in(scratch / each, series, each == "two") for each in ("one", "two")}
    cache, work = scratch / "cache", scratch / "work"
    cache.mkdir()
    (cache / "repos").symlink_to(settings.cache / "repos")
    git = ["git", f"--git-dir={tree.repo}"]
    try:
        kzc(cache, "build", "--tree", source)
        built = next((cache / "work").glob("*-0/build-*"))
        subprocess.run([*git, "worktree", "add", "-q", "--detach", work, tree.commit], check=True)
        out = scratch / "out"
        out.mkdir()
        shutil.copy(built / ".config", out)
        env = f"CCACHE_DIR={cache / 'ccache'} CCACHE_BASEDIR={scratch} CCACHE_NOHASHDIR=1"
        plain = f"make -s O={out} -j{settings.jobs} CC='ccache gcc' HOSTCC='ccache gcc'"
        subprocess.run(["sh", "-c", f"{env} {plain}"], cwd=work, check=True)
        shutil.rmtree(cache / "ccache")
        make = f"CCACHE_DISABLE=1 {plain}"
        return {
            "check first": kzc(cache, "check", str(mails["one"]), "--tree", source),
            "rebase first": rebase(work, tree.commit, mails["one"], make),
            "check again": kzc(cache, "check", str(mails["two"]), "--tree", source),
            "rebase again": rebase(work, tree.commit, mails["two"], make),
        }
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
        subprocess.run([*git, "worktree", "prune"], check=True)


def main() -> int:
    with tempfile.TemporaryDirectory(
        prefix="kzc-bench-", dir=Path.home(), ignore_cleanup_errors=True
    ) as scratch:
        source, name, *_ = (*sys.argv[1:], *(TREE, NAME)[len(sys.argv[1:]) :])
        known = measure(Path(scratch), source, name)
    ratios = {
        name: {
            unit: round(known[f"check {name}"][unit] / known[f"rebase {name}"][unit], 3)
            for unit in ("cpu", "wall")
        }
        for name in ("first", "again")
    }
    held = {
        "first <= 1": ratios["first"]["cpu"] <= 1.0,
        "again <= 0.2": ratios["again"]["cpu"] <= 0.2,
    }
    keep("checks", {"readings": known, "ratios": ratios, "held": held})
    return 0 if all(held.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
