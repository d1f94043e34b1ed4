# SPDX-License-Identifier: GPL-2.0-only
"""The trees the user gave names to: one JSON file each under the data folder, written whole."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, fields
from pathlib import Path
from typing import cast, get_args

from kzc.errors import HostError, UsageError
from kzc.settings import Settings
from kzc.trees.repos import write_whole
from kzc.trees.tree import Kind, Tree


def check_name(name: str) -> str:
    """The name itself. Raises UsageError where it cannot be one."""
    if not re.fullmatch(r"[a-z0-9][a-z0-9._-]*", name):
        raise UsageError(
            f"{name!r} is no name for a tree",
            "lower case letters, digits, dot, dash and underscore, as linux-6.12",
        )
    return name


def save(tree: Tree, settings: Settings) -> None:
    """Write the tree down under its name. Raises UsageError if that is another source's."""
    before = load(check_name(tree.name), settings)
    if before is not None and before.source != tree.source:
        raise UsageError(
            f"the name {tree.name} is taken by {before.source}",
            f"`kzc tree remove {tree.name}`, or choose another name",
        )
    values = {**asdict(tree), "repo": str(tree.repo)}
    write_whole(_file(tree.name, settings), (json.dumps(values, indent=2) + "\n").encode())


def load(name: str, settings: Settings) -> Tree | None:
    """The tree as it was when added, None if nothing has that name. Raises HostError."""
    file = _file(name, settings)
    try:
        values = json.loads(file.read_text(encoding="utf-8"))
        texts = {field.name: str(values[field.name]) for field in fields(Tree)}
        kind = _kind(texts["kind"])
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise HostError(
            f"{file} is damaged: {error!r}", f"remove it and add the tree {name} again"
        ) from error
    return Tree(
        name=texts["name"],
        source=texts["source"],
        kind=kind,
        repo=Path(texts["repo"]),
        commit=texts["commit"],
        tree_id=texts["tree_id"],
        version=texts["version"],
        dirty=texts["dirty"],
    )


def listed(settings: Settings) -> tuple[Tree, ...]:
    """All named trees by name."""
    names = sorted(file.stem for file in _folder(settings).glob("[!.]*.json"))
    found = (load(name, settings) for name in names)
    return tuple(tree for tree in found if tree is not None)


def show(name: str, settings: Settings) -> Tree:
    """The tree of that name. Raises UsageError naming those there are."""
    tree = load(name, settings) if re.fullmatch(r"[a-z0-9][a-z0-9._-]*", name) else None
    if tree is None:
        raise UsageError(f"there is no tree {name}", names_hint(settings))
    return tree


def remove(name: str, settings: Settings) -> Tree:
    """Forget the name; what is cached stays until `kzc clean`. Raises UsageError."""
    tree = show(name, settings)
    _file(name, settings).unlink(missing_ok=True)
    return tree


def names_hint(settings: Settings) -> str:
    """What to try when a name is not known."""
    names = ", ".join(tree.name for tree in listed(settings))
    how = "`kzc tree add NAME SOURCE` adds one (a path, a git URL, debian:linux-source-6.12)"
    return f"there are: {names}; {how}" if names else how


def _kind(text: str) -> Kind:
    for kind in get_args(Kind):
        if text == kind:
            return cast(Kind, kind)
    raise ValueError(f"there is no kind {text!r}")


def _folder(settings: Settings) -> Path:
    return settings.data / "trees"


def _file(name: str, settings: Settings) -> Path:
    return _folder(settings) / f"{name}.json"
