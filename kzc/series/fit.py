# SPDX-License-Identifier: GPL-2.0-only
"""How a patch stands to a worktree: reverse before forward, every line of context, never fuzz.

git only checks here, nothing is written. A patch that fits as a whole costs two calls of git;
where neither direction fits, each file and then every hunk is asked on its own, and for those that
fail the lines which the tree has at that place are shown.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from kzc.git import Git
from kzc.proc import Runner
from kzc.series.diff import FileDiff, Hunk, find_diff, parse_diff
from kzc.series.landing import Landing, land_alone, land_backward, land_forward, succeeded
from kzc.values import Fit, Patch

_MARGIN = 2
_CHECK = ("apply", "--check", "-v", "--whitespace=nowarn")
# from harmless to worst
_ORDER = (Fit.APPLIES, Fit.ALREADY, Fit.BOTH, Fit.CONFLICT)
_Places = tuple[dict[int, int], ...]


@dataclass(frozen=True)
class HunkFit:
    """One hunk. Where it fits, it goes to line `line` of the tree's file, `offset` lines from
    where it says, into `function`; `doubt` says in words why that may be the wrong place.

    In a conflict `there` are the tree's lines from line `line` on, where it would have to go;
    `note` says why there are none (no such file, file exists already).
    """

    file: str
    header: str
    text: str
    fit: Fit
    line: int = 0
    there: tuple[str, ...] = ()
    note: str = ""
    offset: int = 0
    function: str = ""
    doubt: str = ""


@dataclass(frozen=True)
class PatchFit:
    """A patch and its hunks; `fit` is the worst of theirs, a conflict where they disagree."""

    patch: Patch
    fit: Fit
    hunks: tuple[HunkFit, ...] = ()

    @property
    def doubts(self) -> tuple[str, ...]:
        """Why hunks that apply may have landed in the wrong place, in words."""
        return tuple(hunk.doubt for hunk in self.hunks if hunk.doubt)


@dataclass(frozen=True)
class _Tried:
    """A diff both ways, and for the way that fits where git put the hunks of each file."""

    fit: Fit
    places: _Places = ()


def worst_fit(fits: Iterable[Fit]) -> Fit:
    """Fold fits into the worst of them; of nothing at all the fold is a conflict."""
    return max(fits, key=_ORDER.index, default=Fit.CONFLICT)


def check_patch(repo_dir: Path, patch: Patch, runner: Runner) -> PatchFit:
    """Try `patch` on the files in the folder `repo_dir`, which need be no worktree."""
    git = Git(runner, repo_dir)
    diff = find_diff(patch.body)
    files = parse_diff(diff)
    tried = _both_ways(git, diff)
    if tried.fit is not Fit.CONFLICT:
        places = tried.places if len(tried.places) == len(files) else ({},) * len(files)
        pairs = zip(files, places, strict=True)
        found = [hunk for file, at in pairs for hunk in _fitting(repo_dir, file, tried.fit, at)]
        return PatchFit(patch, tried.fit, tuple(found))
    hunks = [hunk for file in files for hunk in _check_file(git, repo_dir, file, len(files) > 1)]
    return PatchFit(patch, tried.fit, tuple(hunks))


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


def _both_ways(git: Git, diff: bytes) -> _Tried:
    backward = git.run(*_CHECK, "-R", "-", stdin=diff, check=False)
    forward = git.run(*_CHECK, "-", stdin=diff, check=False)
    if forward.code == 0:
        fit = Fit.APPLIES if backward.code else Fit.BOTH
        return _Tried(fit, succeeded(forward.stderr))
    if backward.code == 0:
        return _Tried(Fit.ALREADY, succeeded(backward.stderr))
    return _Tried(Fit.CONFLICT)


def _fitting(top: Path, file: FileDiff, fit: Fit, at: dict[int, int]) -> list[HunkFit]:
    """The hunks of a file that fits as a whole."""
    if fit is Fit.ALREADY:
        landings = land_backward(file, at)
    else:
        landings = land_forward(file, _read(top, _old_name(file)), at)
    pairs = zip(file.hunks, landings, strict=True)
    return [_landed(file, hunk, fit, landing) for hunk, landing in pairs]


def _landed(file: FileDiff, hunk: Hunk, fit: Fit, landing: Landing) -> HunkFit:
    text = hunk.text.decode(errors="replace")
    return HunkFit(
        file.path,
        hunk.header,
        text,
        fit,
        landing.line,
        offset=landing.offset,
        function=landing.function,
        doubt=landing.doubt,
    )


def _check_file(git: Git, top: Path, file: FileDiff, among_others: bool) -> list[HunkFit]:
    if among_others and len(file.hunks) > 1:
        tried = _both_ways(git, file.head + b"".join(hunk.text for hunk in file.hunks))
        if tried.fit is not Fit.CONFLICT:
            return _fitting(top, file, tried.fit, next(iter(tried.places), {}))
    numbers = range(1, len(file.hunks) + 1)
    return [_check_hunk(git, top, file, number) for number in numbers]


def _check_hunk(git: Git, top: Path, file: FileDiff, number: int) -> HunkFit:
    hunk = file.hunks[number - 1]
    tried = _both_ways(git, file.head + hunk.text)
    old = _old_name(file)
    lines = _read(top, old)
    if tried.fit is not Fit.CONFLICT:
        at = next(iter(tried.places), {})
        if tried.fit is Fit.ALREADY:
            landing = Landing(at.get(1, hunk.start), at.get(1, hunk.start) - hunk.start)
        else:
            landing = land_alone(file, number, lines, at)
        return _landed(file, hunk, tried.fit, landing)
    text = hunk.text.decode(errors="replace")
    if lines is None:
        return HunkFit(file.path, hunk.header, text, tried.fit, note=f"the tree has no {old}")
    if hunk.start == 0:
        note = f"the tree already has {old}"
        return HunkFit(file.path, hunk.header, text, tried.fit, 1, (), note)
    return _with_place(HunkFit(file.path, hunk.header, text, tried.fit, hunk.start), hunk, lines)


def _old_name(file: FileDiff) -> str:
    return file.names[0] if file.names else file.path


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
