# SPDX-License-Identifier: GPL-2.0-only
"""Reading patches from where they are: a folder of mails, an mbox, commits of a repository."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from kzc.errors import UsageError
from kzc.git import Git
from kzc.proc import Runner
from kzc.series.mails import Source, series_from
from kzc.series.mbox import expand, split_mbox
from kzc.values import Series

_MAILS = ("*.patch", "*.eml", "*.diff")


def read_folder(folder: Path) -> Series:
    """A folder of mails as git format-patch writes them."""
    files = sorted(file for pattern in _MAILS for file in folder.glob(pattern))
    if not files:
        raise UsageError(
            f"{folder}: there are no patches in it ({', '.join(_MAILS)})",
            "git format-patch -o FOLDER a..b makes them",
        )
    sources = [source for file in files for source in _sources(file)]
    return series_from(sources, folder.name, str(folder))


def read_file(file: Path) -> Series:
    """One patch, or an mbox, gzipped or not."""
    name = re.sub(r"(\.(mbox|mbx|patch|eml|diff|gz|t))+$", "", file.name)
    return series_from(_sources(file), name, str(file))


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


def _sources(file: Path) -> list[Source]:
    try:
        data = expand(file.read_bytes(), str(file))
    except OSError as error:
        raise UsageError(f"{file}: cannot be read: {error.strerror}") from error
    if not data.strip():
        raise UsageError(f"{file}: it is empty")
    if b"\0" in data[:4096]:
        raise UsageError(f"{file}: binary data, neither mails nor a diff")
    mails = split_mbox(data)
    if len(mails) == 1:
        return [Source(mails[0], str(file), file.stem)]
    return [Source(raw, f"{file}, mail {at}", file.stem) for at, raw in enumerate(mails, start=1)]
