# SPDX-License-Identifier: GPL-2.0-only
"""How kzc calls git: through a Runner, and never with the user's configuration.

The same command has to give the same commit on every machine, so hooks, signing, rewriting of
line ends, background gc and the variables that git hands to its hooks are all switched off.
`safe.directory` is opened: kzc runs the Makefile of the tree it is pointed at, so distrusting
that tree's owner protects nothing.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from errno import EDQUOT, ENOSPC
from pathlib import Path

from filelock import FileLock

from kzc.errors import CommandFailed, HostError
from kzc.proc import Done, Runner

IDENTITY = {
    "GIT_AUTHOR_NAME": "kzc",
    "GIT_AUTHOR_EMAIL": "kzc@localhost",
    "GIT_COMMITTER_NAME": "kzc",
    "GIT_COMMITTER_EMAIL": "kzc@localhost",
}

_SETTINGS = (
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "core.untrackedCache=false",
    "core.splitIndex=false",
    "core.quotePath=false",
    "gc.auto=0",
    "maintenance.auto=false",
    "commit.gpgsign=false",
    "advice.detachedHead=false",
    "safe.directory=*",
)

_QUIET = {
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_ATTR_NOSYSTEM": "1",
    "GIT_EDITOR": "true",
    "LC_ALL": "C",
}
_ISOLATED = {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1"}

# those of `git rev-parse --local-env-vars` that would point git at another repository
_INHERITED = (
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_COMMON_DIR",
    "GIT_CONFIG",
    "GIT_CONFIG_COUNT",
    "GIT_CONFIG_PARAMETERS",
    "GIT_DIR",
    "GIT_GRAFT_FILE",
    "GIT_INDEX_FILE",
    "GIT_NAMESPACE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_PREFIX",
    "GIT_SHALLOW_FILE",
    "GIT_WORK_TREE",
)

_LITTLE = 2 << 20
_FULL = re.compile(r"No space left on device|Disk quota exceeded|Out of diskspace")


@dataclass(frozen=True)
class Git:
    """git in one folder: a worktree, or a repository named by `git_dir`.

    `own_config` lets the user's configuration in; for fetching, where proxies, credentials and
    rewritten addresses are the user's business.
    """

    runner: Runner
    cwd: Path | None = None
    git_dir: Path | None = None
    own_config: bool = False

    def run(
        self,
        *args: str,
        env: Mapping[str, str] | None = None,
        stdin: bytes | None = None,
        check: bool = True,
    ) -> Done:
        """Run to the end. Raises CommandFailed, or HostError where the disk is full."""
        set_here = {**_QUIET, **({} if self.own_config else _ISOLATED), **(env or {})}
        argv = self.argv(*args, keep=set_here)
        done = self.runner.capture(argv, cwd=self.cwd, env=set_here, stdin=stdin, check=False)
        if done.code:
            said = (done.stderr or done.stdout).rstrip()
            if _FULL.search(said) or (check and _no_space(self.git_dir or self.cwd)):
                raise disk_full(said.splitlines()[-1] if said else str(self.git_dir or self.cwd))
            if check:
                raise CommandFailed(argv, done.code, tail=said)
        return done

    def argv(self, *args: str, keep: Mapping[str, str] | None = None) -> list[str]:
        """The command line; a pure function but for the variables it has to keep from git."""
        words = [word for item in _SETTINGS for word in ("-c", item)]
        if self.git_dir is not None:
            words.append(f"--git-dir={self.git_dir}")
        unset = [
            word
            for name in _INHERITED
            if name in os.environ and name not in (keep or {})
            for word in ("-u", name)
        ]
        return [*(["env", *unset] if unset else []), "git", *words, *args]

    def out(self, *args: str, env: Mapping[str, str] | None = None) -> str:
        """What the command prints, without the white space at both ends."""
        return self.run(*args, env=env).stdout.strip()

    def find(self, *args: str) -> str:
        """Like `out`, and empty where the command fails."""
        done = self.run(*args, check=False)
        return "" if done.code else done.stdout.strip()

    def commit_of(self, revision: str) -> str:
        """The full id of the commit that `revision` names, empty if there is none."""
        return self.find("rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}")


def disk_full(what: str) -> HostError:
    """The error for a full disk, with the way out."""
    return HostError(f"the disk is full: {what}", "`kzc clean` frees what no run is using")


def _no_space(folder: Path | None) -> bool:
    """git often says only that it cannot write a file; so ask the file system why."""
    try:
        room = os.statvfs(folder or ".")
    except OSError:
        return False
    return room.f_bavail * room.f_frsize < _LITTLE or (room.f_files > 0 and room.f_favail == 0)


@contextmanager
def full_disk_told() -> Iterator[None]:
    """Turn the OSError of a full disk into the HostError that says what to do."""
    try:
        yield
    except OSError as error:
        if error.errno in (ENOSPC, EDQUOT):
            raise disk_full(str(error)) from error
        raise


def word(text: str) -> str:
    """`text` as one component of a ref or the name of a folder."""
    return re.sub(r"[^A-Za-z0-9.+-]+|\.{2,}", "_", text).strip("_.").removesuffix(".lock") or "_"


def keep(git: Git, repo: Path, ref: str, commit: str) -> None:
    """Point `ref` of the repository `repo` at `commit`, so that no gc ever drops it.

    A lock left by a killed git is taken away; the file lock says that nobody else holds it.
    """
    with full_disk_told(), FileLock(repo / "kzc.lock"):
        (repo / f"{ref}.lock").unlink(missing_ok=True)
        git.run("update-ref", ref, commit)
