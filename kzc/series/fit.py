# SPDX-License-Identifier: GPL-2.0-only
"""How a patch stands to a worktree: reverse before forward, every line of context, never fuzz.

git only checks here, nothing is written. Where neither direction fits as a whole, every hunk is
asked on its own, and for those that fail the lines which the tree has at that place are shown.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from kzc.git import Git
from kzc.proc import Runner
from kzc.series.diff import FileDiff, Hunk, find_diff, parse_diff
from kzc.values import Fit, Patch

_MARGIN = 2
_CHECK = ("apply", "--check", "--whitespace=nowarn")


@dataclass(frozen=True)
class HunkFit:
    """One hunk; `there` are the tree's lines from line `line` on, where it would have to go.

    `note` says why there are none (no such file, file exists already).
    """

    file: str
    header: str
    text: str
    fit: Fit
    line: int = 0
    there: tuple[str, ...] = ()
    note: str = ""


@dataclass(frozen=True)
class PatchFit:
    """A patch and, where it does not fit as a whole, its hunks."""

    patch: Patch
    fit: Fit
    hunks: tuple[HunkFit, ...] = ()


def check_patch(repo_dir: Path, patch: Patch, runner: Runner) -> PatchFit:
    """Try `patch` on the files in the worktree `repo_dir`."""
    git = Git(runner, repo_dir)
    diff = find_diff(patch.body)
    fit = _both_ways(git, diff)
    if fit is not Fit.CONFLICT:
        return PatchFit(patch, fit)
    hunks = [
        _check_hunk(git, repo_dir, file, hunk) for file in parse_diff(diff) for hunk in file.hunks
    ]
    return PatchFit(patch, fit, tuple(hunks))


def locate(before: Sequence[str], lines: Sequence[str], start: int) -> int:
    """The index in `lines` where most of `before` is, the nearest to `start` among equals.

    Lines that occur everywhere (a closing brace) count little; -1 where nothing is found.
    """
    places: dict[str, list[int]] = {}
    for index, line in enumerate(lines):
        places.setdefault(line, []).append(index)
    votes: Counter[int] = Counter()
    for offset, line in enumerate(before):
        found = places.get(line, [])
        for index in found:
            votes[index - offset] += 60 // len(found) if line.strip() else 0
    if not votes or max(votes.values()) == 0:
        return -1
    return max(votes, key=lambda index: (votes[index], -abs(index - start)))


def _both_ways(git: Git, diff: bytes) -> Fit:
    backward = git.run(*_CHECK, "-R", "-", stdin=diff, check=False).code == 0
    forward = git.run(*_CHECK, "-", stdin=diff, check=False).code == 0
    if backward:
        return Fit.BOTH if forward else Fit.ALREADY
    return Fit.APPLIES if forward else Fit.CONFLICT


def _check_hunk(git: Git, top: Path, file: FileDiff, hunk: Hunk) -> HunkFit:
    fit = _both_ways(git, file.head + hunk.text)
    text = hunk.text.decode(errors="replace")
    plain = HunkFit(file.path, hunk.header, text, fit, hunk.start)
    if fit is not Fit.CONFLICT:
        return plain
    old = file.names[0] if file.names else file.path
    lines = _read(top, old)
    if lines is None:
        return HunkFit(file.path, hunk.header, text, fit, note=f"the tree has no {old}")
    if hunk.start == 0:
        return HunkFit(file.path, hunk.header, text, fit, 1, (), f"the tree already has {old}")
    return _with_place(plain, hunk, lines)


def _with_place(fit: HunkFit, hunk: Hunk, lines: Sequence[str]) -> HunkFit:
    before = hunk.before
    index = locate(before, lines, hunk.start - 1)
    note = ""
    if index < 0:
        index, note = hunk.start - 1, "nothing of the hunk's context is in the file"
    first = max(0, min(index, len(lines)) - _MARGIN)
    there = tuple(lines[first : max(index, 0) + len(before) + _MARGIN])
    return HunkFit(fit.file, fit.header, fit.text, fit.fit, first + 1, there, note)


def _read(top: Path, name: str) -> list[str] | None:
    path = top / name
    if path.is_symlink() or not path.resolve().is_relative_to(top.resolve()):
        return None
    try:
        return path.read_text(encoding="utf-8", errors="replace").split("\n")
    except OSError:
        return None
