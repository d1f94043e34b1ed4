# SPDX-License-Identifier: GPL-2.0-only
"""A series onto a worktree: one commit per patch, each judged on top of the one before.

The commits are the same on every machine and kept by a ref in the repository, so the same series
on the same base is applied once. After a patch that does not fit the worktree is clean at the
last good commit and the rest is not tried.
"""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import dataclass
from pathlib import Path

from kzc.errors import CommandFailed, UsageError
from kzc.git import IDENTITY, Git, keep, word
from kzc.proc import Runner
from kzc.series import applied_cache
from kzc.series.fit import HunkFit, PatchFit, check_patch, worst_fit
from kzc.values import Fit, Patch, Series

_AM = ("am", "-q", "--patch-format=mbox", "--committer-date-is-author-date", "--no-3way")
_COMMITTER = {name: value for name, value in IDENTITY.items() if "COMMITTER" in name}
STOPS = (Fit.CONFLICT, Fit.BOTH)


@dataclass(frozen=True)
class Applied:
    """`commits` is as long as the series, None where a patch made none.

    `fits` holds those that were tried. `head` is the last commit, the base where there is none.
    """

    base: str
    commits: tuple[str | None, ...]
    fits: tuple[PatchFit, ...]
    head: str
    tree_id: str
    cached: bool = False

    @property
    def whole(self) -> bool:
        """Whether every patch is in the tree now."""
        return len(self.fits) == len(self.commits) and self.fits[-1].fit not in STOPS

    @property
    def fit(self) -> Fit:
        """How the series as a whole stands to the base: the worst of its patches."""
        return worst_fit(fit.fit for fit in self.fits)


def apply_series(worktree: Path, series: Series, runner: Runner) -> Applied:
    """Apply on top of the worktree's HEAD, and leave it checked out at the result.

    Raises UsageError where the worktree has changes of its own, HostError for a full disk.
    """
    git = Git(runner, worktree)
    base = git.commit_of("HEAD")
    if git.out("status", "--porcelain", "-uno"):
        raise UsageError(f"{worktree} has uncommitted changes", "commit or stash them first")
    repo = Path(git.out("rev-parse", "--path-format=absolute", "--git-common-dir"))
    before = find_applied(repo, base, series, runner)
    if before is not None:
        git.run("checkout", "-q", "--detach", before.head)
        return before
    applied = _apply(git, worktree, series, base)
    key = key_of(base, series)
    keep(git, repo, f"refs/kzc/{word(series.name)}-{key[:12]}", applied.head)
    kept = applied_cache.Kept(applied.commits, applied.fits, applied.head, applied.tree_id)
    applied_cache.store(repo, key, kept)
    return applied


def find_applied(repo: Path, base: str, series: Series, runner: Runner) -> Applied | None:
    """What came of applying this series on `base` before; None if it is not known any more."""
    kept = applied_cache.load(repo, key_of(base, series), series)
    if kept is None:
        return None
    git = Git(runner, git_dir=repo)
    if any(not git.commit_of(commit) for commit in {kept.head, *kept.commits} if commit):
        return None
    return Applied(base, kept.commits, kept.fits, kept.head, kept.tree_id, cached=True)


def key_of(base: str, series: Series) -> str:
    """Names a base and the content of a series on it."""
    digest = hashlib.sha256(base.encode())
    for patch in series.patches:
        digest.update(b"%d\0" % len(patch.body) + patch.body)
    return digest.hexdigest()


def _apply(git: Git, worktree: Path, series: Series, base: str) -> Applied:
    commits: list[str | None] = [None] * len(series.patches)
    fits: list[PatchFit] = []
    for index, patch in enumerate(series.patches):
        fit = check_patch(worktree, patch, git.runner)
        if fit.fit is Fit.APPLIES:
            fit = _commit(git, patch, fit)
            commits[index] = git.commit_of("HEAD") if fit.fit is Fit.APPLIES else None
        fits.append(fit)
        if fit.fit in STOPS:
            break
    head = git.commit_of("HEAD")
    tree_id = git.out("rev-parse", "HEAD^{tree}")
    return Applied(base, tuple(commits), tuple(fits), head, tree_id)


def _commit(git: Git, patch: Patch, fit: PatchFit) -> PatchFit:
    """One commit of git am, or, where it refuses after all, a conflict in its own words."""
    leftover = Path(git.out("rev-parse", "--path-format=absolute", "--git-path", "rebase-apply"))
    if leftover.exists():
        shutil.rmtree(leftover)
    try:
        git.run(*_AM, "--whitespace=nowarn", env=_COMMITTER, stdin=patch.body)
    except CommandFailed as failed:
        git.run("am", "--abort", check=False)
        git.run("reset", "-q", "--hard")
        said = HunkFit(
            patch.files[0] if patch.files else "", "", "", Fit.CONFLICT, note=failed.tail
        )
        return PatchFit(patch, Fit.CONFLICT, (said,))
    return fit
