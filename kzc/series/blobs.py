# SPDX-License-Identifier: GPL-2.0-only
"""What a series says of the files it was made on, and how many of them a commit has. Pure.

The `index` line of a diff names the blob before and after. Only the first patch that touches a
path tells of the base: what later ones name was made by those before them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from kzc.series.diff import FileDiff, find_diff, parse_diff
from kzc.values import Patch

_INDEX = re.compile(rb"^index ([0-9a-f]{4,64})\.\.[0-9a-f]{4,64}", re.M)
_NEW = re.compile(rb"^(?:new file mode |--- /dev/null$)", re.M)
_ARRIVES = re.compile(rb"^(?:rename|copy) to ", re.M)
_ANSWER = re.compile(rb"([0-9a-f]{40,64}) (\w+)$")
FORMAT = "--batch-check=%(objectname) %(objecttype)"


@dataclass(frozen=True)
class Wanted:
    """A path as the base has it: `blob` (abbreviated, empty where no line says it), or not there.

    `new` is a file that the series makes, which the base must not have.
    """

    path: str
    blob: str = ""
    new: bool = False


@dataclass(frozen=True)
class Score:
    """`hits` of `of` blobs are at their paths; `clashes` are files there that must not be,
    `missing` files that must."""

    hits: int = 0
    of: int = 0
    clashes: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()

    @property
    def share(self) -> float:
        """From 0 to 1; 0 where the series names no blob."""
        return self.hits / self.of if self.of else 0.0


def wanted(patches: Iterable[Patch]) -> tuple[Wanted, ...]:
    """What the base has to look like, by the first patch that touches each path."""
    found: dict[str, Wanted] = {}
    touched: set[str] = set()
    for patch in patches:
        for file in parse_diff(find_diff(patch.body)):
            for want in _of_file(file):
                if want.path not in touched:
                    found.setdefault(want.path, want)
            touched.update(file.names)
    return tuple(found.values())


def paths(patches: Iterable[Patch]) -> tuple[str, ...]:
    """Every path that the series names, old and new ones, in order."""
    files = (file for patch in patches for file in parse_diff(find_diff(patch.body)))
    return tuple(dict.fromkeys(name for file in files for name in file.names))


def questions(commits: Sequence[str], names: Sequence[str]) -> bytes:
    """The lines that `git cat-file --batch-check` is asked, in the order `answers` expects."""
    lines = (f"{commit}:{name}\n" for commit in commits for name in names)
    return "".join(lines).encode(errors="surrogateescape")


def answers(raw: bytes, commits: Sequence[str], names: Sequence[str]) -> dict[str, dict[str, str]]:
    """By commit, what is at each of the paths: a blob's id, or "tree" and the like.

    `raw` is what git printed in FORMAT. What a commit lacks is not in its mapping.
    """
    lines = iter(raw.split(b"\n"))
    found: dict[str, dict[str, str]] = {}
    for commit in commits:
        there = found.setdefault(commit, {})
        for name in names:
            match = _ANSWER.match(next(lines, b""))
            if match:
                there[name] = (match[1] if match[2] == b"blob" else match[2]).decode()
    return found


def score(wants: Iterable[Wanted], there: Mapping[str, str]) -> Score:
    """How far a commit that has `there` (path to blob id) is what the series was made on."""
    hits = of = 0
    clashes, missing = [], []
    for want in wants:
        have = there.get(want.path, "")
        if want.new:
            clashes += [want.path] if have else []
            continue
        missing += [] if have else [want.path]
        of += bool(want.blob)
        hits += bool(want.blob) and have.startswith(want.blob)
    return Score(hits, of, tuple(clashes), tuple(missing))


def sample(wants: Sequence[Wanted], number: int) -> tuple[Wanted, ...]:
    """At most `number` that tell most: those with a blob, taken evenly from all of them."""
    telling = [want for want in wants if want.blob] or list(wants)
    step = max(1, -(-len(telling) // max(1, number)))
    return tuple(telling[::step])


def _of_file(file: FileDiff) -> tuple[Wanted, ...]:
    if not file.names:
        return ()
    index = _INDEX.search(file.head)
    blob = index[1].decode() if index else ""
    old = file.names[0]
    if _NEW.search(file.head) or (blob and not blob.strip("0")) or _starts_at_nothing(file):
        return (Wanted(old, new=True),)
    before = Wanted(old, blob)
    if _ARRIVES.search(file.head):
        return (before, *(Wanted(name, new=True) for name in file.names[1:]))
    return (before,)


def _starts_at_nothing(file: FileDiff) -> bool:
    """A diff of another tool, without git's lines, whose one hunk begins at line 0 of nothing."""
    return len(file.hunks) == 1 and file.hunks[0].header.startswith("@@ -0,0 ")
