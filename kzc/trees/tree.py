# SPDX-License-Identifier: GPL-2.0-only
"""What a kernel tree is: one commit in a repository of kzc's own, known to hold a kernel."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from kzc.errors import UsageError
from kzc.git import Git

Kind = Literal["path", "git", "debian"]

# enough to tell a kernel from anything else that has a Makefile
MARKS = ("Makefile", "Kbuild", "Kconfig", "arch", "scripts")


@dataclass(frozen=True)
class Tree:
    """A kernel at a commit. `repo` is a bare repository in the cache, never the user's.

    `version` is the one of its Makefile ("6.12.117", "6.13.0-rc3"). `dirty` is empty or one
    phrase on uncommitted changes in the user's checkout and whether they were taken.
    """

    name: str
    source: str
    kind: Kind
    repo: Path
    commit: str
    tree_id: str
    version: str
    dirty: str = ""


def describe(
    git: Git, repo: Path, commit: str, *, name: str, source: str, kind: Kind, dirty: str = ""
) -> Tree:
    """The Tree of `commit` in `repo`, which `git` reads. Raises UsageError if it is no kernel."""
    listed = git.out("ls-tree", "--name-only", "-z", commit, "--", *MARKS).split("\0")
    missing = [mark for mark in MARKS if mark not in listed]
    version = "" if missing else kernel_version(git.out("show", f"{commit}:Makefile").splitlines())
    if not missing and not version:
        missing = ["a VERSION in its Makefile"]
    if missing:
        raise no_kernel(source, missing)
    tree_id = git.out("rev-parse", f"{commit}^{{tree}}")
    return Tree(name, source, kind, repo, commit, tree_id, version, dirty)


def no_kernel(source: str, missing: Iterable[str]) -> UsageError:
    """The error for a tree in which `missing` were looked for in vain."""
    return UsageError(
        f"{source} is no kernel tree: it lacks {', '.join(missing)}",
        "name the top of a kernel checkout, or add one: "
        "`kzc tree add NAME debian:linux-source-6.12`",
    )


def kernel_version(makefile: Iterable[str]) -> str:
    """The version that the first lines of the kernel's Makefile spell, empty if they do not."""
    values: dict[str, str] = {}
    for line in makefile:
        match = re.match(r"(VERSION|PATCHLEVEL|SUBLEVEL|EXTRAVERSION)\s*=\s*(\S*)", line)
        if match:
            values.setdefault(match[1], match[2])
    numbers = [values.get(key, "") for key in ("VERSION", "PATCHLEVEL", "SUBLEVEL")]
    if not all(number.isdigit() for number in numbers):
        return ""
    return ".".join(numbers) + values.get("EXTRAVERSION", "")


def looks_like_kernel(folder: Path) -> bool:
    """Whether the files in `folder` are a kernel's, whatever git says of them."""
    if not all((folder / mark).exists() for mark in MARKS):
        return False
    try:
        with (folder / "Makefile").open(encoding="utf-8", errors="replace") as lines:
            return bool(kernel_version(lines))
    except OSError:
        return False
