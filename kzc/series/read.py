# SPDX-License-Identifier: GPL-2.0-only
"""Reading patches from where they are: a file or folder of mails, commits of a repository.

There is one way from mails to a series, whether it is imported or only named once.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from kzc.errors import UsageError
from kzc.git import Git
from kzc.proc import Runner
from kzc.series.choose import NEWEST, Choice
from kzc.series.mails import Intake, Source, series_from, take_in
from kzc.series.mbox import split_mbox
from kzc.series.sources import name_at, sources_at
from kzc.values import Series


def take_path(path: Path, choice: Choice = NEWEST) -> Intake:
    """The posting that is meant in a file, folder or Maildir. Raises UsageError."""
    return take_in(sources_at(path), name_at(path), str(path), choice)


def read_folder(folder: Path) -> Series:
    """A folder of mails as git format-patch writes them, or a Maildir."""
    return take_path(folder).series


def read_file(file: Path) -> Series:
    """One patch, or an mbox, gzipped or not."""
    return take_path(file).series


def read_range(repo: Path, commits: str, runner: Runner) -> Series:
    """The commits `a..b` of a repository, read only. Raises UsageError: unknown, empty, merges."""
    git = Git(runner, repo)
    before, _, after = commits.partition("..")
    if commits.startswith("-") or after.startswith("."):
        raise UsageError(f"{commits} is no range of commits", "like this: v6.12..my-branch")
    for end in (before or "HEAD", after or "HEAD"):
        if not git.commit_of(end):
            raise UsageError(f"{commits}: there is no commit {end} in {repo}")
    listed = git.out("rev-list", "--parents", f"{before}..{after}").splitlines()
    if not listed:
        raise UsageError(f"{commits}: there are no commits in that range", "is it the wrong way?")
    merges = [line.split()[0][:12] for line in listed if len(line.split()) > 2]
    if merges:
        raise UsageError(
            f"{commits}: {merges[0]} is a merge, which no patch can say", "rebase the branch first"
        )
    words = ("format-patch", "--stdout", "-n", "--binary", "--full-index", "--no-cover-letter")
    plain = ("--no-signature", "--no-attach", "--no-thread", "--src-prefix=a/", "--dst-prefix=b/")
    done = git.run(*words, *plain, f"{before}..{after}")
    shown = f"{before or 'HEAD'}..{after or 'HEAD'}"
    mails = split_mbox(done.raw)
    sources = [Source(raw, f"commit {at} of {shown}", "patch") for at, raw in enumerate(mails, 1)]
    series = series_from(sources, shown.replace("/", "-"), f"{repo} {shown}")
    base = git.commit_of(before or "HEAD")
    return replace(series, base=base)
