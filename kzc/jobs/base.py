# SPDX-License-Identifier: GPL-2.0-only
"""The search for a series' base: score every candidate by blobs, try the best, prove the winner.

All commits are asked at once which blobs they have at the paths of the series. Commits with the
same blobs there give the same result, so of those only the first is tried, on a scratch folder;
what applies there is at last applied for real, in a worktree.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from kzc.errors import CommandFailed, UsageError
from kzc.jobs.grounds import Ground, candidates, grounds
from kzc.jobs.prerequisites import present
from kzc.proc import Runner
from kzc.series import base as ranking
from kzc.series.answer import answer
from kzc.series.apply import Applied, apply_series, find_applied
from kzc.series.base import Answer, Candidate, Present
from kzc.series.blobs import FORMAT, Wanted, answers, paths, questions, sample, score, wanted
from kzc.series.outcomes import outcomes
from kzc.series.scratch import OFFLINE, read_blobs, try_series
from kzc.settings import Settings
from kzc.trees.checkouts import tree_of_path
from kzc.trees.slots import visit
from kzc.trees.tree import kernel_version
from kzc.values import Series, Verdict

# look-ups of a path in a commit take about 0.2 ms each in a kernel's repository
_COARSE, _FINE = 30_000, 10_000
_TRIES = 8

Say = Callable[[str], None]
# by commit, path to blob id
_Files = dict[str, dict[str, str]]


@dataclass(frozen=True)
class Request:
    """A series and where to look; `trees` empty means all. `every` tries each candidate, `quick`
    leaves the proof in a worktree out."""

    series: Series
    cwd: Path
    trees: tuple[str, ...] = ()
    every: bool = False
    quick: bool = False


@dataclass(frozen=True)
class _Search:
    request: Request
    settings: Settings
    runner: Runner
    say: Say
    names: tuple[str, ...]
    wants: tuple[Wanted, ...]
    home: Mapping[str, Ground]


def find_base(request: Request, settings: Settings, runner: Runner, say: Say) -> Answer:
    """The answer, with every candidate; `say` gets a line for each step that takes time.

    Raises UsageError for a tree that was named and is not there, or a path out of the tree.
    """
    series = request.series
    places, notes = grounds(request.trees, request.cwd, settings, runner)
    found, home, broken = _gathered(places, series)
    names = tuple(name for name in paths(series.patches) if "\n" not in name)
    wants = tuple(want for want in wanted(series.patches) if "\n" not in want.path)
    search = _Search(request, settings, runner, say, names, wants, home)
    tried = _tried(search, found) if found else ()
    what = ranking.known(series, wants, tried)
    return answer(series, what, tried, (*notes, *broken), _present(search, tried))


def _present(search: _Search, tried: Sequence[Candidate]) -> tuple[Present, ...]:
    """The prerequisites that are in the history of the best candidates of each repository."""
    wanted = search.request.series.prerequisites
    if not wanted:
        return ()
    search.say(f"looking for {len(wanted)} prerequisites")
    found: dict[str, Present] = {}
    for ground in dict.fromkeys(search.home[each.commit] for each in tried):
        here = [each for each in tried if search.home[each.commit] is ground][:_TRIES]
        left = [name for name in wanted if name not in found]
        files = list(search.names)
        found |= {each.name: each for each in present(ground.git, ground.name, here, left, files)}
    return tuple(found[name] for name in wanted if name in found)


def _gathered(
    places: Sequence[Ground], series: Series
) -> tuple[tuple[Candidate, ...], dict[str, Ground], list[str]]:
    """Candidates by commit, the repository to read each in, and what is wrong with some."""
    names = ranking.prefixes(series)
    found: list[Candidate] = []
    home: dict[str, Ground] = {}
    broken = []
    for ground in sorted(places, key=lambda ground: ground.partial):
        try:
            here = list(candidates(ground, names, ranking.named_commit(series)))
        except CommandFailed as failed:
            broken.append(f"tree {ground.name} is left out: {failed.tail or failed.message}")
            continue
        found += here
        if ground.partial:
            broken.append(f"tree {ground.name} is a partial clone: what it lacks is not fetched")
        for each in here:
            home.setdefault(each.commit, ground)
    return ranking.merged(found), home, broken


def _sorted(search: _Search, found: Sequence[Candidate]) -> tuple[list[Candidate], _Files]:
    """The likeliest first, and the files of the best ones.

    Of very many commits only some files are asked, and all those of the best.
    """
    posted = ranking.posted_at(search.request.series)
    number = max(_TRIES, _FINE // max(1, len(search.names)))
    if len(found) > number:
        few = sample(search.wants, max(4, _COARSE // len(found)))
        search.say(f"looking for {len(few)} files in {len(found)} commits")
        there = _there(search, found, [want.path for want in few])
        found = ranking.ranked(_scored(found, few, there), posted)
    best, rest = found[:number], found[number:]
    there = _there(search, best, search.names)
    return [*ranking.ranked(_scored(best, search.wants, there), posted), *rest], there


def _scored(found: Sequence[Candidate], wants: Sequence[Wanted], there: _Files) -> list[Candidate]:
    return [replace(each, score=score(wants, there[each.commit])) for each in found]


def _there(search: _Search, found: Sequence[Candidate], names: Sequence[str]) -> _Files:
    """By commit, which of the paths it has, with the blobs' ids."""
    have: dict[str, dict[str, str]] = {}
    for ground in dict.fromkeys(search.home[each.commit] for each in found):
        commits = [each.commit for each in found if search.home[each.commit] is ground]
        asked = questions(commits, names)
        done = ground.git.run("cat-file", FORMAT, env=OFFLINE, stdin=asked, check=False)
        have |= answers(done.raw, commits, names)
    return have


def _tried(search: _Search, found: Sequence[Candidate]) -> tuple[Candidate, ...]:
    """Candidates with what trying gave, or why they were not tried, the likeliest first."""
    ordered, there = _sorted(search, found)
    every = search.request.every
    limit = len(ordered) if every else _TRIES
    reach = ordered if every else [each for each in ordered[: 8 * _TRIES] if each.commit in there]
    if every:
        there |= _there(search, [each for each in reach if each.commit not in there], search.names)
    first: dict[tuple[str, ...], Candidate] = {}
    base: Candidate | None = None
    done = []
    for each in _with_versions(search, reach):
        same = tuple(there[each.commit].get(name, "") for name in search.names)
        if same in first:
            done.append(_like(each, first[same]))
        elif base is not None and not every:
            done.append(replace(each, note=f"not tried: {base.label} is likelier, and fits"))
        elif len(first) >= limit:
            done.append(replace(each, note=f"not tried: {limit} likelier ones were (--all)"))
        else:
            first[same] = each = _try(search, each)
            base = base or (each if _proven(each) else None)
            done.append(each)
    return (*done, *(replace(each, note=_unlikely(each)) for each in ordered[len(reach) :]))


def _like(each: Candidate, other: Candidate) -> Candidate:
    """The same files give the same result."""
    note = f"not tried: the same files as {other.label}"
    return replace(each, trial=other.trial, note=other.note or note)


def _proven(each: Candidate) -> bool:
    return each.trial is not None and each.trial.whole and not each.note


def _unlikely(each: Candidate) -> str:
    score = each.score
    return f"not tried: has {score.hits} of {score.of} blobs" if score.of else "not tried: unlikely"


def _try(search: _Search, each: Candidate) -> Candidate:
    """Try on a scratch folder, and where all fits, for real."""
    request = search.request
    search.say(f"trying {each.label} of tree {each.tree}")
    ground = search.home[each.commit]
    try:
        trial = try_series(ground.git, each.commit, request.series.patches)
    except CommandFailed as failed:
        return replace(each, note=f"refused: its files cannot be read: {failed.tail}")
    tried = replace(each, trial=trial)
    if request.quick or not _proven(tried):
        return tried
    search.say(f"applying it to {each.label} of tree {each.tree} in a worktree")
    try:
        applied = _applied(search, ground, each.commit)
    except UsageError as error:
        return replace(tried, note=f"refused: {error.message}")
    found = outcomes(applied, request.series)
    bad = next((outcome for outcome in found if outcome.verdict is Verdict.FAIL), None)
    if bad is None and applied.whole:
        return tried
    why = f"{bad.subject}: {bad.reason}" if bad else "git am does not take it"
    return replace(tried, note=f"refused: {why}")


def _applied(search: _Search, ground: Ground, commit: str) -> Applied:
    settings, runner, series = search.settings, search.runner, search.request.series
    tree = ground.tree
    if tree is None:
        assert ground.path is not None
        tree = tree_of_path("", ground.path, settings, runner, ref=commit)
    known = find_applied(tree.repo, commit, series, runner)
    if known is not None:
        return known
    with visit(tree.repo, commit, paths(series.patches), settings, runner) as slot:
        return apply_series(slot.path, series, runner)


def _with_versions(search: _Search, found: Sequence[Candidate]) -> list[Candidate]:
    """The kernel version of each, which its Makefile says."""
    versions: dict[str, str] = {}
    for ground in dict.fromkeys(search.home[each.commit] for each in found if not each.version):
        commits = [
            each.commit for each in found if search.home[each.commit] is ground and not each.version
        ]
        try:
            files = read_blobs(ground.git, [f"{commit}:Makefile" for commit in commits])
        except CommandFailed:
            files = [None] * len(commits)
        for commit, data in zip(commits, files, strict=True):
            lines = (data or b"")[:4096].decode(errors="replace").splitlines()
            versions[commit] = kernel_version(lines)
    return [replace(each, version=each.version or versions[each.commit]) for each in found]
