# SPDX-License-Identifier: GPL-2.0-only
"""Trees fetched from a git URL: one commit deep, into a repository in the cache."""

from __future__ import annotations

from pathlib import Path

from kzc.errors import CommandFailed, HostError
from kzc.git import Git, keep
from kzc.proc import Runner
from kzc.settings import Settings
from kzc.trees import repos
from kzc.trees.tree import Tree, describe

# a server that stopped sending must not stop a run for ever
_PATIENCE = ("-c", "http.lowSpeedLimit=1000", "-c", "http.lowSpeedTime=60")
_BATCH = {"GIT_SSH_COMMAND": "ssh -oBatchMode=yes -oConnectTimeout=30"}


def tree_of_url(name: str, url: str, ref: str, settings: Settings, runner: Runner) -> Tree:
    """Fetch `ref` (branch, tag, commit id; the remote's HEAD if empty) of `url`.

    Raises HostError when the remote does not answer or has no such ref, UsageError when what
    came is no kernel.
    """
    source = f"{url}#{ref}" if ref else url
    short = url.rstrip("/").removesuffix(".git").rsplit("/", 1)[-1]
    repo = repos.repo_path(settings, repos.key_of(short, url))
    with repos.locked(repo):
        if not repo.exists():
            repos.make(repo, lambda _, made: _fetch_first(made, url, ref, runner))
        else:
            _fetch(Git(runner, git_dir=repo, own_config=True), url, ref)
        repos.touch(repo)
        git = Git(runner, git_dir=repo)
        commit = git.commit_of("FETCH_HEAD")
    tree = describe(git, repo, commit, name=name or short, source=source, kind="git")
    keep(git, repo, f"refs/kzc/base/{commit[:12]}", commit)
    return tree


def _fetch_first(made: Path, url: str, ref: str, runner: Runner) -> None:
    repos.init(made, runner)
    _fetch(Git(runner, git_dir=made, own_config=True), url, ref)


def _fetch(git: Git, url: str, ref: str) -> None:
    words = ("fetch", "-q", "--depth=1", "--no-tags", "--", url, ref or "HEAD")
    try:
        git.run(*_PATIENCE, *words, env=_BATCH)
    except CommandFailed as failed:
        said = "\n".join(failed.tail.splitlines()[-3:])
        raise HostError(
            f"{url}: cannot fetch {ref or 'HEAD'}: {said}",
            f"does it work by hand? git ls-remote {url} {ref}".rstrip(),
        ) from failed
