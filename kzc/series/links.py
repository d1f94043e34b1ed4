# SPDX-License-Identifier: GPL-2.0-only
"""Symbolic links that a series makes: none may lead out of the tree, none may be written through.

git refuses to write through a link; this says so before anything is applied, and also refuses a
link that only a later build would follow. Pure.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Sequence

from kzc.errors import UsageError
from kzc.series.diff import FileDiff

_LINK = re.compile(rb"^new (?:file )?mode 120000$|^index \S+ 120000$", re.M)
_LOOK = "no honest patch does; look at it before you do anything with it"


def check_links(patches: Sequence[tuple[str, Sequence[FileDiff]]]) -> None:
    """`patches` are the files of each, with words for where it was found. Raises UsageError."""
    made: set[str] = set()
    for shown, files in patches:
        for file in files:
            through = next((link for link in made if file.path.startswith(f"{link}/")), "")
            if through:
                raise UsageError(
                    f"{shown} writes to {file.path!r} through the link {through!r}, which the "
                    "series makes itself",
                    _LOOK,
                )
            if not _LINK.search(file.head):
                continue
            made.add(file.path)
            for target in _targets(file):
                if _leaves(file.path, target):
                    raise UsageError(
                        f"{shown} makes {file.path!r} a link to {target!r}, which is outside of "
                        "the tree",
                        _LOOK,
                    )


def _targets(file: FileDiff) -> list[str]:
    lines = [line for hunk in file.hunks for line in hunk.text.split(b"\n")[1:]]
    return [line[1:].decode(errors="replace") for line in lines if line[:1] == b"+"]


def _leaves(path: str, target: str) -> bool:
    where = posixpath.normpath(posixpath.join(posixpath.dirname(path), target))
    return target.startswith("/") or where.split("/")[0] in ("..", ".git")
