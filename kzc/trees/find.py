# SPDX-License-Identifier: GPL-2.0-only
"""From what the user wrote, or where the user stands, to a Tree.

Looked at in this order: the name of an added tree, a source (`debian:...`, a git URL), a path;
nothing written: the checkout around the current folder, then the tree of the settings.
"""

from __future__ import annotations

import re
from pathlib import Path

from kzc.errors import UsageError
from kzc.git import Git
from kzc.proc import Runner
from kzc.settings import Settings
from kzc.trees import registry
from kzc.trees.checkouts import check_path, tree_of_path
from kzc.trees.debian import parse_package, tree_of_package
from kzc.trees.remote import tree_of_url
from kzc.trees.tree import Tree, looks_like_kernel

_URL = re.compile(r"[a-z][a-z0-9+]*://|[\w.-]+@[\w.-]+:")
_DEBIAN = "debian:"


def find_tree(
    spec: str | None, cwd: Path, settings: Settings, runner: Runner, *, dirty: bool = False
) -> Tree:
    """The tree that `spec` means, or, without one, where the user stands.

    Raises UsageError: no such tree, no kernel; HostError: no network, no space.
    """
    if spec:
        known = registry.load(spec, settings) if _is_name(spec) else None
        if known is not None:
            return _again(known, settings, runner, dirty)
        return from_source("", spec, cwd, settings, runner, dirty=dirty)
    here = enclosing_kernel(cwd)
    if here is not None:
        return tree_of_path("", here, settings, runner, dirty=dirty)
    if settings.tree:
        return find_tree(settings.tree, cwd, settings, runner, dirty=dirty)
    raise UsageError(
        f"no tree: {cwd} is in no kernel checkout and none is named",
        f"--tree T names one, `tree = ...` in kzc.toml for always; {registry.names_hint(settings)}",
    )


def add_tree(name: str, source: str, cwd: Path, settings: Settings, runner: Runner) -> Tree:
    """Get the tree from `source` and note it under `name`; the same again refreshes it."""
    registry.check_name(name)
    tree = from_source(name, source, cwd, settings, runner)
    registry.save(tree, settings)
    return tree


def from_source(
    name: str, source: str, cwd: Path, settings: Settings, runner: Runner, *, dirty: bool = False
) -> Tree:
    """The tree at a source: `debian:PACKAGE[@SUITE]`, `URL[#REF]`, `PATH[#REF]`."""
    if is_remote(source):
        if dirty:
            raise UsageError(f"--dirty needs a checkout on this machine, not {source}")
        if source.startswith(_DEBIAN):
            package, suite = parse_package(source.removeprefix(_DEBIAN))
            return tree_of_package(name, package, suite, settings, runner)
        url, _, ref = source.partition("#")
        return tree_of_url(name, url, ref, settings, runner)
    path, ref = _existing(source, cwd, settings)
    return tree_of_path(name, path, settings, runner, ref=ref, dirty=dirty)


def check_tree(spec: str, cwd: Path, settings: Settings, runner: Runner) -> None:
    """Raise UsageError where `spec` can be no tree; nothing is fetched, and nothing written.

    Whether a package or a URL's ref is there is not asked.
    """
    known = registry.load(spec, settings) if _is_name(spec) else None
    if known is None:
        check_source(spec, cwd, settings, runner)
    elif known.kind == "path":
        check_source(known.source, Path("/"), settings, runner)


def check_source(source: str, cwd: Path, settings: Settings, runner: Runner) -> None:
    """Like `check_tree`, for what `from_source` takes: no name of a tree."""
    if source.startswith(_DEBIAN):
        parse_package(source.removeprefix(_DEBIAN))
    elif not is_remote(source):
        path, ref = _existing(source, cwd, settings)
        check_path(path, runner, ref)


def is_here(spec: str, cwd: Path, settings: Settings, runner: Runner) -> bool:
    """Whether `find_tree` has it without fetching. Raises UsageError where it can be no tree."""
    check_tree(spec, cwd, settings, runner)
    known = registry.load(spec, settings) if _is_name(spec) else None
    if known is not None:
        return known.kind == "path" or _cached(known, runner)
    return not is_remote(spec)


def split_path(source: str, cwd: Path) -> tuple[Path, str]:
    """`PATH#REF` apart, unless a folder really has that name."""
    whole = cwd / Path(source).expanduser()
    before, mark, ref = source.rpartition("#")
    if whole.exists() or not mark:
        return whole, ""
    return cwd / Path(before).expanduser(), ref


def enclosing_kernel(folder: Path) -> Path | None:
    """The nearest folder at or above `folder` with the files of a kernel."""
    return next((place for place in (folder, *folder.parents) if looks_like_kernel(place)), None)


def _existing(source: str, cwd: Path, settings: Settings) -> tuple[Path, str]:
    path, ref = split_path(source, cwd)
    if not path.exists():
        raise UsageError(
            f"{source} is no tree: neither the name of one nor a folder",
            registry.names_hint(settings),
        )
    return path, ref


def _again(tree: Tree, settings: Settings, runner: Runner, dirty: bool) -> Tree:
    """A checkout is read anew, for its HEAD moves; what was fetched is taken from the cache."""
    if tree.kind == "path":
        path, ref = split_path(tree.source, Path("/"))
        return tree_of_path(tree.name, path, settings, runner, ref=ref, dirty=dirty)
    if dirty:
        raise UsageError(f"--dirty needs a checkout on this machine, {tree.name} is {tree.source}")
    if _cached(tree, runner):
        return tree
    return add_tree(tree.name, tree.source, Path("/"), settings, runner)


def is_remote(spec: str) -> bool:
    """Whether it is a source that is fetched: a package of Debian's or a URL."""
    return spec.startswith(_DEBIAN) or _URL.match(spec) is not None


def _cached(tree: Tree, runner: Runner) -> bool:
    return tree.repo.is_dir() and bool(Git(runner, git_dir=tree.repo).commit_of(tree.commit))


def _is_name(spec: str) -> bool:
    return re.fullmatch(r"[a-z0-9][a-z0-9._-]*", spec) is not None
