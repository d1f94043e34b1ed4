# SPDX-License-Identifier: GPL-2.0-only
"""Where a base may be: repositories of the configured trees, read only, and the commits they name.

A tree that is a user's checkout has refs of its own, which are read in the user's repository; one
in the cache has its one commit. Nothing is fetched but what the user named himself.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from kzc.errors import CommandFailed, UsageError
from kzc.git import Git
from kzc.proc import Runner
from kzc.series.base import Candidate, is_kin
from kzc.series.scratch import OFFLINE
from kzc.settings import Settings
from kzc.trees import registry
from kzc.trees.checkouts import open_checkout
from kzc.trees.find import enclosing_kernel, find_tree, split_path
from kzc.trees.tree import Tree

_REFS = ("refs/tags", "refs/heads", "refs/remotes")
_FORMAT = "%00".join(
    (
        "%(objecttype)",
        "%(objectname)",
        "%(committerdate:unix)",
        "%(*objecttype)",
        "%(*objectname)",
        "%(*committerdate:unix)",
        "%(refname)",
    )
)


@dataclass(frozen=True)
class Ground:
    """One repository as `git` reads it, and the commit that the tree `name` stands for.

    `spec` is what --tree takes for it, `path` the user's checkout (None: kzc's own `tree`),
    `whole` whether its branches and tags are looked at too, `partial` whether it is a clone that
    lacks objects, which are not fetched for this.
    """

    name: str
    spec: str
    git: Git
    commit: str
    source: str
    when: int = 0
    version: str = ""
    path: Path | None = None
    tree: Tree | None = None
    here: bool = False
    whole: bool = False
    partial: bool = False


def grounds(
    names: Sequence[str], cwd: Path, settings: Settings, runner: Runner
) -> tuple[tuple[Ground, ...], tuple[str, ...]]:
    """The places to look in, and what a person has to know of those left out.

    `names` restricts them to what --tree named, which may be fetched for it; else all configured
    trees and the one around `cwd`. Raises UsageError for a named one that is not there.
    """
    if names:
        return tuple(_named(name, cwd, settings, runner) for name in names), ()
    found: list[Ground] = []
    notes: list[str] = []
    here = enclosing_kernel(cwd)
    if here is not None:
        try:
            found.append(replace(_of_path("", here, "", runner), here=True))
        except UsageError as error:
            notes.append(error.message)
    for tree in registry.listed(settings):
        try:
            ground = _of_tree(tree, runner)
        except (UsageError, CommandFailed) as error:
            notes.append(f"tree {tree.name} is left out: {error.message}")
            continue
        same = next((each for each in found if each.path and each.path == ground.path), None)
        if same is not None:
            found.remove(same)
            ground = replace(ground, here=True)
        found.append(ground)
    return tuple(found), tuple(notes)


def candidates(ground: Ground, names: Sequence[str], named: str) -> Iterator[Candidate]:
    """All commits of a ground that have a name there, and `named`, the series' own base-commit.

    `names` are what trees for the series are called. Raises CommandFailed for a broken repository.
    """
    head = Candidate(
        ground.name,
        ground.commit,
        ground.spec,
        version=ground.version,
        head=True,
        here=ground.here,
        when=ground.when,
        named=bool(named) and ground.commit.startswith(named),
    )
    yield replace(head, kin=is_kin(head, ground.source, names))
    for commit, when, ref in _refs(ground.git) if ground.whole else ():
        each = Candidate(
            ground.name,
            commit,
            f"{ground.path}#{ref}",
            ref=ref,
            when=when,
            named=bool(named) and commit.startswith(named),
        )
        yield replace(each, kin=is_kin(each, ground.source, names))
    commit = _commit(ground.git, named)[0] if named and ground.whole else ""
    if commit:
        yield Candidate(ground.name, commit, f"{ground.path}#{commit}", named=True)


def _named(name: str, cwd: Path, settings: Settings, runner: Runner) -> Ground:
    tree = find_tree(name, cwd, settings, runner)
    if tree.kind != "path":
        return _of_tree(replace(tree, name=tree.name or name), runner, name)
    path, ref = split_path(tree.source, Path("/"))
    known = registry.load(name, settings) if "/" not in name else None
    return _of_path(known.name if known else "", path, ref, runner)


def _of_tree(tree: Tree, runner: Runner, spec: str = "") -> Ground:
    if tree.kind == "path":
        path, ref = split_path(tree.source, Path("/"))
        return _of_path(tree.name, path, ref, runner)
    git = Git(runner, git_dir=tree.repo)
    commit, when = _commit(git, tree.commit) if tree.repo.is_dir() else ("", 0)
    if commit != tree.commit:
        again = f"`kzc tree add {tree.name} {tree.source}` gets it again"
        raise UsageError(f"its repository is not in the cache any more; {again}")
    return Ground(
        tree.name, spec or tree.name, git, commit, tree.source, when, tree.version, tree=tree
    )


def _of_path(name: str, path: Path, ref: str, runner: Runner) -> Ground:
    """A checkout; where a ref of it is named, only that one counts."""
    user = open_checkout(path, runner)
    top = user.top or path
    commit, when = _commit(user.git, ref or "HEAD")
    if not commit:
        raise UsageError(f"{top}: there is no commit {ref or 'HEAD'}")
    source = f"{top}#{ref}" if ref else str(top)
    return Ground(
        name or top.name,
        name or source,
        user.git,
        commit,
        source,
        when,
        path=top.resolve(),
        whole=not ref,
        partial=any((user.common / "objects/pack").glob("*.promisor")),
    )


def _refs(git: Git) -> Iterator[tuple[str, int, str]]:
    """Commit, its time, and short name of every tag, then branch; tags of other things are none."""
    lines = git.run("for-each-ref", f"--format={_FORMAT}", *_REFS).stdout.splitlines()
    for line in sorted(lines, key=lambda line: not line.split("\0")[-1].startswith(_REFS[0])):
        kind, name, when, peeled_kind, peeled, peeled_when, ref = line.split("\0")
        if peeled_kind:
            kind, name, when = peeled_kind, peeled, peeled_when
        if kind == "commit" and not ref.endswith("/HEAD"):
            yield name, int(when or 0), ref.split("/", 2)[2]


def _commit(git: Git, revision: str) -> tuple[str, int]:
    """The commit's id and time in seconds; nothing where there is none of that name."""
    words = ("log", "-1", "--format=%H %ct", "--end-of-options", revision, "--")
    done = git.run(*words, env=OFFLINE, check=False)
    commit, _, when = done.stdout.strip().partition(" ") if done.code == 0 else ("", "", "")
    return commit, int(when or 0)
