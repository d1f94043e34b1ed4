# SPDX-License-Identifier: GPL-2.0-only
"""From tried candidates to one answer: the base, or the nearest miss and what would help. Pure."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from kzc.series.base import Answer, Candidate, Known, Present, Verdict, named_commit, nearest
from kzc.values import Fit, Series

_ADD = "`kzc tree add NAME SOURCE` adds one"


def answer(
    series: Series,
    what: Known,
    candidates: Sequence[Candidate],
    notes: Sequence[str],
    present: tuple[Present, ...] = (),
) -> Answer:
    """The answer for candidates in their order. A base is the first that the series fits as a
    whole, without parts that are there already where there is such a one, and without a note."""
    good = [each for each in candidates if each.trial and each.trial.whole and not each.note]
    base = next((each for each in good if _pure(each)), good[0] if good else None)
    told = (*notes, *_remarks(series, what, base), *_named(series, base, present))
    if base is not None:
        reason = f"{base.label} (tree {base.tree}, commit {base.commit[:12]})"
        return Answer(Verdict.FOUND, what, reason, "", base, tuple(candidates), told, present)
    there = {each.name for each in present}
    missing = [name for name in series.prerequisites if name not in there]
    verdict = _verdict(what, candidates, missing)
    reason, hint = _miss(series, verdict, candidates, missing)
    return Answer(verdict, what, reason, hint, None, tuple(candidates), told, present)


def go_on(spec: str, base: Candidate) -> str:
    """The command that goes on from there; `spec` is how the user named the series."""
    return shlex.join(["kzc", "run", spec, "--tree", base.spec])


def _pure(each: Candidate) -> bool:
    return each.trial is not None and all(step.fit is Fit.APPLIES for step in each.trial.steps)


def _verdict(what: Known, candidates: Sequence[Candidate], missing: Sequence[str]) -> Verdict:
    if not candidates:
        return Verdict.NO_TREE
    if any(each.trial and each.trial.there for each in candidates):
        return Verdict.ALREADY
    if missing:
        return Verdict.PREREQUISITE
    if what is Known.UNREACHABLE:
        return Verdict.UNREACHABLE
    return Verdict.NO_INFORMATION if what is Known.NOTHING else Verdict.CONFLICT


def _miss(
    series: Series, verdict: Verdict, candidates: Sequence[Candidate], missing: Sequence[str]
) -> tuple[str, str]:
    """What is wrong and what would help, a sentence each."""
    if verdict is Verdict.NO_TREE:
        return "there is no tree to look in", _ADD
    if verdict is Verdict.ALREADY:
        has = next(each for each in candidates if each.trial and each.trial.there)
        return f"the whole series is in {has.label} (tree {has.tree}) already", (
            "nothing has to be applied: `kzc test --tree " + shlex.quote(has.spec) + "` tests it"
        )
    near = nearest(candidates)
    reason = _nearest_words(near) if near else "nothing could be tried"
    if verdict is Verdict.PREREQUISITE:
        ids = ", ".join(missing[:3])
        more = len(missing) - 3
        return reason, f"apply first what it is made on: {ids}{f' and {more} more' * (more > 0)}"
    if verdict is Verdict.UNREACHABLE:
        commit = named_commit(series)[:12]
        return reason, f"add a tree that has commit {commit}, or fetch it there; {_ADD}"
    return reason, _help(near)


def _nearest_words(near: Candidate) -> str:
    assert near.trial is not None
    if near.trial.failed is None:
        return near.note or f"{near.label}: {near.trial.words}"
    number, step = near.trial.failed
    count = f"{near.trial.fitting} of {near.trial.total} apply on {near.label} (tree {near.tree})"
    if not step.taken:
        return f"{count}; patch {number} {step.words}"
    first = step.taken[0]
    more = f" and {len(step.taken) - 1} more" if len(step.taken) > 1 else ""
    return (
        f"{count}; patch {number} wants numbers that {near.label} has taken: "
        f"{first.new.name} {first.new.shown} is {first.taken.name} in {first.new.file}{more}"
    )


def _help(near: Candidate | None) -> str:
    if near is None or near.trial is None or near.trial.failed is None:
        return _ADD
    step = near.trial.failed[1]
    look = f"`kzc apply SERIES --tree {shlex.quote(near.spec)}` shows both sides"
    if step.taken:
        return f"give {step.taken[0].new.name} a number that is free; {look}"
    lacking = near.score.of - near.score.hits
    if lacking:
        return (
            f"{near.label} has other versions of {lacking} of the {near.score.of} files it was "
            f"made on: add the tree it was made for ({_ADD}), or rebase it; {look}"
        )
    return f"rebase it; {look}"


def _remarks(series: Series, what: Known, base: Candidate | None) -> list[str]:
    """What a person has to know whatever the answer is."""
    said = []
    if what is Known.UNREACHABLE:
        said.append(
            f"it names base-commit {named_commit(series)[:12]}, which is in none of the trees"
        )
    if what is Known.COMMIT and base is not None and not base.named:
        said.append(f"it does not fit on base-commit {named_commit(series)[:12]}, which it names")
    if what is Known.NEW_FILES:
        said.append("it only adds files, so it fits on any tree that lacks them")
    if what is Known.NOTHING:
        said.append("it names neither base-commit nor blob ids: only trying tells")
    if base is not None and base.score.hits < base.score.of:
        other = base.score.of - base.score.hits
        said.append(
            f"it was made on other versions of {other} of its {base.score.of} files, and applies "
            "all the same: not the commit it was made on, but one that does"
        )
    return said


def _named(series: Series, base: Candidate | None, present: Sequence[Present]) -> list[str]:
    """What the series names as needed before it, and which of that is in a tree."""
    count = len(series.prerequisites)
    if not count:
        return []
    fate = "it applies without them" if base is not None else "no tree is as they leave it"
    if present:
        fate = f"{len(present)} of them found in the trees"
    return [
        f"it names {count} prerequisite patch{'es' * (count > 1)}; {fate}",
        *(f"{p.name} is {p.commit[:12]} in tree {p.tree}: {p.title}" for p in present),
    ]
