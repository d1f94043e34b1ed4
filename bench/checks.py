# SPDX-License-Identifier: GPL-2.0-only
"""`kzc check` of the series that kzc carries against `git rebase --exec make` in the same tree:
the first time, and again after the last patch was changed.

python bench/checks.py [--work FOLDER] [base | READING]...: an hour on two cores, so with a folder
named each reading may be taken for itself (`check-first`, `rebase-first`, `check-again`,
`rebase-again`), and what is there already is not taken again. Both sides begin with the base built
by the same compiler in the same configuration, and compile without help from a compiler cache what
the patches change. The two sides may be taken at once, with KZC_JOBS=1 each. Seconds of CPU are
held (user and system, of all children), because wall time on a shared machine is noise; both are
kept. Holds: first <= 1, after a change <= 0.2.
"""

from __future__ import annotations

import argparse
import json
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
from kzc.settings import Settings, load_settings
from kzc.shared import shared_folder
from kzc.trees.find import find_tree
from kzc.trees.tree import Tree
from kzc.values import Series

TREE, NAME = "debian:linux-source-6.12", "scm-zc-notification"
READINGS = ("check-first", "rebase-first", "check-again", "rebase-again")
Reading = dict[str, float]


class Bench:
    """One folder: a cache of kzc's own and a plain worktree, both with the base built."""

    def __init__(self, folder: Path, settings: Settings, tree: Tree) -> None:
        self.folder, self.settings, self.tree = folder, settings, tree
        self.cache, self.work = folder / "cache", folder / "plain" / "src"
        self.git = ["git", f"--git-dir={tree.repo}"]

    def base(self) -> None:
        """Build the base on both sides; the user's compiler cache helps with this, and only this.

        A slot's names are taken for the plain one, too, so that its objects are the same to ccache.
        """
        ccache = self.cache / "ccache"
        self.cache.mkdir()
        (self.cache / "repos").symlink_to(self.settings.cache / "repos")
        if (self.settings.cache / "ccache").is_dir():
            shutil.copytree(self.settings.cache / "ccache", ccache, ignore_dangling_symlinks=True)
        self.kzc("build", "--tree", TREE)
        built = next((self.cache / "work").glob("*-0/build-*"))
        add = ["worktree", "add", "-q", "--detach", str(self.work), self.tree.commit]
        subprocess.run([*self.git, *add], check=True)
        out = self.work.with_name(built.name)
        out.mkdir()
        shutil.copy(built / ".config", out)
        env = {"CCACHE_DIR": str(ccache), "CCACHE_BASEDIR": str(self.work.parent)}
        more = {"CCACHE_NOHASHDIR": "1", "CCACHE_DEPEND": "1"}
        subprocess.run(self.make(), cwd=self.work, env={**os.environ, **env, **more}, check=True)
        shutil.rmtree(ccache)

    def make(self) -> list[str]:
        """A plain make, as kzc would call it, of the plain worktree."""
        out = next(self.work.parent.glob("build-*"))
        tools = ["CC=ccache gcc", "HOSTCC=ccache gcc", "ARCH=x86_64"]
        return ["make", "-s", f"O={out}", f"-j{self.settings.jobs}", *tools]

    def kzc(self, *words: str) -> Reading:
        """CPU and wall seconds of a kzc command that finds nothing wrong, or only style."""
        env = {**os.environ, "KZC_CACHE": str(self.cache), "KZC_DATA": str(self.cache / "data")}
        clock = Clock()
        done = subprocess.run([sys.executable, "-m", "kzc", *words], env=env, check=False)
        if done.returncode not in (0, 1):
            raise RuntimeError(f"kzc {' '.join(words)}: status {done.returncode}")
        return clock.read()

    def rebase(self, mails: Path) -> Reading:
        """A branch with the mails, then every commit of it made."""
        identity = ["-c", "user.name=kzc", "-c", "user.email=kzc@localhost", "-c", "gc.auto=0"]
        git = ["git", "-C", str(self.work), *identity]
        subprocess.run([*git, "checkout", "-q", "--detach", "-f", self.tree.commit], check=True)
        files = sorted(str(path) for path in mails.iterdir())
        subprocess.run([*git, "am", "-q", *files], check=True)
        make = " ".join(f"'{word}'" for word in self.make())
        env = {**os.environ, "CCACHE_DISABLE": "1"}
        clock = Clock()
        subprocess.run(
            [*git, "rebase", "-q", "--exec", make, self.tree.commit], env=env, check=True
        )
        return clock.read()

    def take(self, name: str, series: Series) -> Reading:
        """One of READINGS."""
        side, _, when = name.partition("-")
        mails = series_in(self.folder / name, series, changed=when == "again")
        if side == "rebase":
            return self.rebase(mails)
        return self.kzc("check", str(mails), "--tree", TREE)

    def remove(self) -> None:
        """All of it; git forgets the worktrees."""
        shutil.rmtree(self.folder, ignore_errors=True)
        subprocess.run([*self.git, "worktree", "prune"], check=True)


def series_in(folder: Path, series: Series, *, changed: bool) -> Path:
    """The series as files, new to kzc by a word in the last message; `changed` changes its diff."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for patch in series.patches:
        body = patch.body
        if patch is series.patches[-1]:
            body = body.replace(b"Signed-off-by:", b"One more word.\n\nSigned-off-by:", 1)
            body = body.replace(b"\n+\t", b"\n+\t\t", 1) if changed else body
        (folder / f"{patch.number:04}.patch").write_bytes(body)
    return folder


def measure(bench: Bench, series: Series, wanted: list[str]) -> dict[str, Reading]:
    """The readings asked for, and those that the folder has."""
    if not bench.cache.exists():
        bench.base()
    known: dict[str, Reading] = {}
    for name in READINGS:
        note = bench.folder / f"{name}.json"
        if name in wanted and not note.exists():
            note.write_text(json.dumps(bench.take(name, series)))
        if note.exists():
            known[name] = json.loads(note.read_text())
    return known


def judge(known: dict[str, Reading]) -> bool:
    """Keep the readings with what is held of them."""
    ratios = {
        when: {
            unit: round(known[f"check-{when}"][unit] / known[f"rebase-{when}"][unit], 3)
            for unit in ("cpu", "wall")
        }
        for when in ("first", "again")
    }
    held = {
        "first <= 1": ratios["first"]["cpu"] <= 1.0,
        "again <= 0.2": ratios["again"]["cpu"] <= 0.2,
    }
    keep("checks", {"readings": known, "ratios": ratios, "held": held})
    return all(held.values())


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--work", type=Path, help="a folder to keep")
    parser.add_argument("part", nargs="*", choices=["base", *READINGS, []])
    asked = parser.parse_args()
    settings, runner = load_settings({}, Path.cwd()), LocalRunner()
    tree = find_tree(TREE, Path.cwd(), settings, runner)
    series = find_series(
        NAME,
        cwd=Path.cwd(),
        patches_dir=shared_folder("patches"),
        version=tree.version,
        repo=tree.repo,
        runner=runner,
    )
    folder = asked.work or Path(tempfile.mkdtemp(prefix="kzc-bench-", dir=Path.home()))
    folder.mkdir(parents=True, exist_ok=True)
    bench = Bench(folder.resolve(), settings, tree)
    try:
        known = measure(bench, series, asked.part or list(READINGS))
    finally:
        if asked.work is None:
            bench.remove()
    if known.keys() != set(READINGS):
        print(json.dumps(known, indent=2))
        return 0
    return 0 if judge(known) else 1


if __name__ == "__main__":
    sys.exit(main())
