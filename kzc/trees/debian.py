# SPDX-License-Identifier: GPL-2.0-only
"""Trees from Debian's linux-source packages: a tarball becomes one commit, the same everywhere.

The commit's id depends on nothing but the package: author, committer and message are fixed and
its date is the newest file's. The unpacked files are gone when the import is done.
"""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

from kzc.errors import CommandFailed, UsageError
from kzc.git import IDENTITY, Git, disk_full, full_disk_told, word
from kzc.proc import Runner
from kzc.settings import Settings
from kzc.trees import repos
from kzc.trees.apt import Apt, Package, with_apt
from kzc.trees.tree import Tree, describe

_USR_SRC = Path("/usr/src")
# unpacked files, their git objects, and the package, all as a multiple of the tarball
_SPACE = 16


def tree_of_package(
    name: str, package: str, suite: str, settings: Settings, runner: Runner
) -> Tree:
    """Import `package` (of the machine's own suite if `suite` is empty), or find it imported.

    Raises UsageError for a package that is not there or has no kernel in it, HostError without
    network or disk space.
    """
    source = f"debian:{package}" + (f"@{suite}" if suite else "")
    state = settings.cache / "apt" / word(suite or "own")

    def imported(apt: Apt, found: Package) -> Tree:
        repo = repos.repo_path(settings, f"{word(package)}-{word(found.version)}")
        git = Git(runner, git_dir=repo)
        with repos.locked(repo):
            if not repo.exists():
                repos.make(repo, lambda scratch, made: _import(scratch, made, found, apt, runner))
            repos.touch(repo)
        commit = git.commit_of("HEAD")
        return describe(git, repo, commit, name=name or package, source=source, kind="debian")

    return with_apt(runner, state, suite, package, imported)


def _import(scratch: Path, repo: Path, package: Package, apt: Apt, runner: Runner) -> None:
    tarball = installed_tarball(package, runner)
    if tarball is None:
        _need(scratch, package.size * (_SPACE + 2))
        deb = apt.download(package, scratch)
        tarball = unpack_package(deb, scratch / "deb", runner)
    else:
        _need(scratch, tarball.stat().st_size * _SPACE)
    commit_tarball(tarball, scratch, repo, f"{package.name} {package.version}", runner)


def installed_tarball(package: Package, runner: Runner) -> Path | None:
    """The tarball of the installed package, None unless it is that very version."""
    argv = ["dpkg-query", "-W", "-f", "${db:Status-Status} ${Version}", package.name]
    done = runner.capture(argv, check=False)
    if done.code or done.stdout.strip() != f"installed {package.version}":
        return None
    return next(_USR_SRC.glob(f"{package.name}.tar.*"), None)


def unpack_package(deb: Path, folder: Path, runner: Runner) -> Path:
    """Unpack a .deb and return the source tarball in it. Raises UsageError where it has none."""
    _disk_told(runner, ["dpkg-deb", "-x", str(deb), str(folder)])
    deb.unlink()
    found = sorted(folder.glob("usr/src/*.tar.*"))
    if not found:
        raise UsageError(
            f"the package {deb.name.partition('_')[0]} has no source tarball in it",
            "ask for the one with the version in its name, as debian:linux-source-6.12",
        )
    return found[0]


def commit_tarball(tarball: Path, scratch: Path, repo: Path, message: str, runner: Runner) -> str:
    """Make `repo` a bare repository with the tarball's content as its only commit; its id."""
    unpacked = scratch / "unpacked"
    unpacked.mkdir()
    _disk_told(runner, ["tar", "-C", str(unpacked), "--no-same-owner", "-xf", str(tarball)])
    entries = list(unpacked.iterdir())
    top = entries[0] if len(entries) == 1 and entries[0].is_dir() else unpacked
    repos.init(repo, runner)
    # -f: a Debian tarball's .gitignore names all files
    git = Git(runner, top, repo)
    words = (f"--work-tree={top}", "-c", "core.fileMode=true")
    env = {"GIT_INDEX_FILE": str(scratch / "index")}
    git.run(*words, "add", "-A", "-f", env=env)
    tree = git.out("write-tree", env=env)
    when = f"{newest(top)} +0000"
    dates = {"GIT_AUTHOR_DATE": when, "GIT_COMMITTER_DATE": when}
    commit = git.out("commit-tree", "-m", message, tree, env={**IDENTITY, **dates})
    git.run("update-ref", "HEAD", commit)
    return commit


def newest(top: Path) -> int:
    """Seconds since the epoch of the last change among the files (not folders) under `top`."""
    return max(
        (
            int(os.lstat(os.path.join(folder, file)).st_mtime)
            for folder, _, files in os.walk(top)
            for file in files
        ),
        default=0,
    )


def parse_package(text: str) -> tuple[str, str]:
    """Split `linux-source-6.12@suite`; the suite may be missing. Raises UsageError."""
    package, at, suite = text.partition("@")
    good = re.fullmatch(r"[a-z0-9][a-z0-9+.-]+", package)
    if not good or (at and not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._/-]*", suite)):
        raise UsageError(
            f"debian:{text} names no package", "like this: debian:linux-source-6.12@SUITE"
        )
    return package, suite


def _need(folder: Path, size: int) -> None:
    free = shutil.disk_usage(folder).free
    if free < size:
        raise disk_full(
            f"{folder} has {free / 1e9:.1f} GB left, the import needs {size / 1e9:.1f} GB"
        )


def _disk_told(runner: Runner, argv: list[str]) -> None:
    with full_disk_told():
        try:
            runner.capture(argv)
        except CommandFailed as failed:
            if "No space left" in failed.tail or "quota exceeded" in failed.tail:
                raise disk_full(failed.tail.splitlines()[-1]) from failed
            raise
