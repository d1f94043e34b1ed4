# SPDX-License-Identifier: GPL-2.0-only
"""Which commit a series was made for: candidates, their order, and the answer in words. Pure.

Nothing counts as a base before the series was applied to it: scores and names only say what is
tried first.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from email.utils import parsedate_to_datetime
from enum import StrEnum

from kzc.series.blobs import Score, Wanted
from kzc.series.uapi import Collision
from kzc.values import Fit, Series

_HEX = re.compile(r"[0-9a-f]{7,64}")
_DATE = re.compile(rb"^Date: (.+)$", re.M)
# words in the brackets of a subject that name no tree
_COMMON = re.compile(r"(?i)(patch|rfc|rft|resend|repost|v\d+|\d+/\d+|[a-z]+=.*)?$")
# a day of grace: clocks and time zones
_DAY = 86_400


@dataclass(frozen=True)
class Step:
    """How one patch stood, on top of those before it that fit.

    `places` are FILE:LINE of the first hunk that fails in each file, `why` is git's reason where
    it names no place, `taken` are numbers the patch wants that are not free.
    """

    fit: Fit
    places: tuple[str, ...] = ()
    why: str = ""
    taken: tuple[Collision, ...] = ()

    @property
    def good(self) -> bool:
        """Whether the patch is in the files now."""
        return self.fit in (Fit.APPLIES, Fit.ALREADY)

    @property
    def words(self) -> str:
        """What is wrong, to be read after the patch's number."""
        if self.fit is Fit.BOTH:
            return "fits forward and backward, which is doubtful"
        return f"conflicts at {self.places[0]}" if self.places else f"does not apply: {self.why}"


@dataclass(frozen=True)
class Trial:
    """What came of putting a series of `total` patches on a commit; `steps` may be fewer."""

    steps: tuple[Step, ...]
    total: int

    @property
    def fitting(self) -> int:
        """How many patches applied or were there."""
        return sum(step.good for step in self.steps)

    @property
    def there(self) -> bool:
        """Whether the tree has all of it."""
        return all(step.fit is Fit.ALREADY for step in self.steps) and self.fitting == self.total

    @property
    def whole(self) -> bool:
        """Whether the commit is a base: all is in it afterwards that was not all there before."""
        return self.fitting == self.total and not self.there

    @property
    def failed(self) -> tuple[int, Step] | None:
        """Number (from 1) and step of the first patch that does not fit."""
        steps = enumerate(self.steps, start=1)
        return next(((number, step) for number, step in steps if not step.good), None)

    @property
    def words(self) -> str:
        """The trial in a phrase."""
        known = sum(step.fit is Fit.ALREADY for step in self.steps)
        if self.there:
            return "already there"
        if self.failed is None:
            return f"applies ({known} of {self.total} already there)" if known else "applies"
        number, step = self.failed
        count = f"{self.fitting} of {self.total} apply"
        return f"{count}; {number}/{self.total} {step.words}"


@dataclass(frozen=True)
class Candidate:
    """A commit that may be the base.

    `tree` is the name or path of the tree it is in, `ref` its tag or branch (empty for a tree's
    own commit), `spec` what --tree takes, `when` the time of the commit in seconds (0 unknown).
    `named` by the series itself, `head` the commit a tree stands for, `here` of the tree the user
    stands in, `kin` called as the subject's prefix. `note` says why it is not the base.
    """

    tree: str
    commit: str
    spec: str
    ref: str = ""
    version: str = ""
    when: int = 0
    named: bool = False
    head: bool = False
    here: bool = False
    kin: bool = False
    also: tuple[str, ...] = ()
    score: Score = field(default_factory=Score)
    trial: Trial | None = None
    note: str = ""

    @property
    def label(self) -> str:
        """How a person calls it."""
        return self.ref or (self.version if self.head else "") or self.commit[:12]


@dataclass(frozen=True)
class Present:
    """A prerequisite (patch id or Message-ID) that is in the history of a tree, and its commit."""

    name: str
    commit: str
    title: str
    tree: str


class Known(StrEnum):
    """What a series says of its base."""

    COMMIT = "base-commit in a tree"
    UNREACHABLE = "base-commit in no tree"
    BLOBS = "blob ids"
    NEW_FILES = "new files only"
    NOTHING = "nothing"


class Verdict(StrEnum):
    """The answer in a word; only FOUND was applied with success."""

    FOUND = "found"
    ALREADY = "already in the tree"
    PREREQUISITE = "prerequisite missing"
    UNREACHABLE = "base-commit unreachable"
    NO_INFORMATION = "no base information"
    CONFLICT = "applies to none"
    NO_TREE = "no tree to look in"


@dataclass(frozen=True)
class Answer:
    """`base` where one was found; `candidates` all that were looked at, in their order; `present`
    the prerequisites that were found."""

    verdict: Verdict
    known: Known
    reason: str
    hint: str = ""
    base: Candidate | None = None
    candidates: tuple[Candidate, ...] = ()
    notes: tuple[str, ...] = ()
    present: tuple[Present, ...] = ()


def named_commit(series: Series) -> str:
    """The commit id that the series gives as its base; empty where it gives none, or a label."""
    return series.base if _HEX.fullmatch(series.base) else ""


def prefixes(series: Series) -> tuple[str, ...]:
    """The names of trees in the brackets of subjects ([PATCH net-next v2 1/3]), and the label
    of a carried series' base."""
    label = "" if named_commit(series) else series.base
    words = re.split(r"[\s,]+", series.tags)
    found = [word for word in (label, *words) if word and not _COMMON.match(word)]
    return tuple(dict.fromkeys(found))


def is_kin(candidate: Candidate, source: str, names: Iterable[str]) -> bool:
    """Whether tree, branch or tag, the source it is from, or its version is called like that."""
    parts = {*re.split(r"[/#]", f"{candidate.tree}/{candidate.ref}/{source}")}
    parts = {part.removesuffix(".git").removeprefix("linux-") for part in parts}
    return any(_called(name.removeprefix("linux-"), parts, candidate.version) for name in names)


def _called(name: str, parts: set[str], version: str) -> bool:
    number = name.removeprefix("v").removesuffix(".y")
    if name in parts or f"v{number}" in parts:
        return True
    return number[:1].isdigit() and f"{version}.".startswith(f"{number}.")


def posted_at(series: Series) -> int:
    """When the first patch was sent, seconds; 0 where its mail says no date."""
    match = _DATE.search(series.patches[0].body) if series.patches else None
    try:
        moment = parsedate_to_datetime(match[1].decode(errors="replace")) if match else None
    except ValueError:
        moment = None
    return int(moment.timestamp()) if moment and moment.year > 2000 else 0


def merged(candidates: Iterable[Candidate]) -> tuple[Candidate, ...]:
    """One per commit, under the name that says most: a tag, else the first."""
    found: dict[str, Candidate] = {}
    for each in candidates:
        before = found.get(each.commit)
        if before is None:
            found[each.commit] = each
            continue
        first, other = (before, each) if before.ref or not each.ref else (each, before)
        if before.head and before.version and not before.spec.startswith("/"):
            first, other = before, each
        found[each.commit] = replace(
            first,
            version=first.version or other.version,
            when=first.when or other.when,
            named=first.named or other.named,
            head=first.head or other.head,
            here=first.here or other.here,
            kin=first.kin or other.kin,
            also=tuple(
                dict.fromkeys((*first.also, *other.also, f"{other.tree} {other.ref}".strip()))
            ),
        )
    return tuple(found.values())


def ranked(candidates: Iterable[Candidate], posted: int) -> tuple[Candidate, ...]:
    """The likeliest first: named by the series, most blobs, called like the subject's prefix,
    where the user stands, a tree's own commit, the newest that the author can have had."""

    def key(each: Candidate) -> tuple[object, ...]:
        score = each.score
        fair = not posted or each.when <= posted + _DAY
        wrong = len(score.clashes) + len(score.missing)
        order = (each.named, score.share, -wrong, each.kin, each.here, each.head, fair)
        return (*order, each.when if fair else -each.when)

    return tuple(sorted(candidates, key=key, reverse=True))


def known(series: Series, wants: Sequence[Wanted], candidates: Iterable[Candidate]) -> Known:
    """What the series says of its base, and whether that can be found here."""
    if named_commit(series):
        return Known.COMMIT if any(each.named for each in candidates) else Known.UNREACHABLE
    if any(want.blob for want in wants):
        return Known.BLOBS
    return Known.NEW_FILES if wants and all(want.new for want in wants) else Known.NOTHING


def nearest(candidates: Iterable[Candidate]) -> Candidate | None:
    """Of those that were tried and are no base, the one on which most patches fit."""
    tried = [each for each in candidates if each.trial and not each.trial.there]
    best = max((each.trial.fitting for each in tried if each.trial), default=0)
    return next((each for each in tried if each.trial and each.trial.fitting == best), None)
