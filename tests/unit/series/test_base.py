# SPDX-License-Identifier: GPL-2.0-only
"""Which candidate is tried first, and what is answered when all were."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kzc.series.answer import answer, go_on
from kzc.series.base import (
    Answer,
    Candidate,
    Known,
    Present,
    Step,
    Trial,
    Verdict,
    is_kin,
    known,
    merged,
    named_commit,
    nearest,
    posted_at,
    prefixes,
    ranked,
)
from kzc.series.blobs import Score, Wanted
from kzc.series.constants import Constant
from kzc.series.uapi import Collision
from kzc.values import Fit, Patch, Series

DAY = 86_400
JULY = 1_722_364_880
COMMIT = "0123456789abcdef"
MAIL = Patch(1, "x", "a <a@b>", b"Date: Tue, 30 Jul 2024 18:41:20 +0000\n\nx\n", ())
SERIES = Series("s", "a title", (MAIL,))

GOOD, THERE = Step(Fit.APPLIES), Step(Fit.ALREADY)
BAD = Step(Fit.CONFLICT, ("net/socket.c:7",))


def at(name: str, **more: object) -> Candidate:
    return replace(Candidate(name, f"{name}-commit", name), **more)  # type: ignore[arg-type]


def tried(name: str, *steps: Step, **more: object) -> Candidate:
    return at(name, trial=Trial(steps, len(steps)), head=True, version="6.12.1", **more)


def told(*candidates: Candidate, series: Series = SERIES, what: Known = Known.BLOBS) -> Answer:
    return answer(series, what, candidates, ())


def order(*candidates: Candidate, posted: int = 0) -> list[str]:
    return [each.tree for each in ranked(candidates, posted)]


@pytest.mark.parametrize(
    ("better", "worse"),
    [
        (at("a", named=True), at("b", score=Score(3, 3))),
        (at("a", score=Score(3, 3)), at("b", score=Score(2, 3), kin=True, here=True)),
        (at("a"), at("b", score=Score(0, 0, ("n.c",)), kin=True)),
        (at("a"), at("b", score=Score(0, 0, (), ("gone.c",)), kin=True)),
        (at("a", kin=True), at("b", here=True, head=True)),
        (at("a", here=True), at("b", head=True, when=JULY)),
        (at("a", head=True), at("b", when=JULY)),
        (at("a", when=JULY), at("b", when=JULY - DAY)),
        (at("a", when=JULY - 9 * DAY), at("b", when=JULY + 2 * DAY)),
        (at("a", when=JULY + 2 * DAY), at("b", when=JULY + 3 * DAY)),
    ],
)
def test_which_is_tried_first(better: Candidate, worse: Candidate) -> None:
    assert order(worse, better, posted=JULY) == order(better, worse, posted=JULY) == ["a", "b"]


def test_without_a_date_the_newest_is_first() -> None:
    assert order(at("old", when=1), at("new", when=2)) == ["new", "old"]


def test_when_it_was_posted() -> None:
    assert posted_at(SERIES) == JULY
    for date in (b"Date: Sat, 1 Jan 2000 00:00:00 +0000", b"Date: soon", b"Subject: x"):
        assert posted_at(Series("s", "t", (replace(MAIL, body=date + b"\n\n"),))) == 0
    assert posted_at(Series("s", "t", ())) == 0


def test_what_the_brackets_of_a_subject_name() -> None:
    assert prefixes(replace(SERIES, tags="PATCH net-next v8 2/3")) == ("net-next",)
    assert prefixes(replace(SERIES, tags="RFC bpf-next,v2")) == ("bpf-next",)
    assert prefixes(replace(SERIES, base="6.12", tags="PATCH RESEND")) == ("6.12",)
    assert prefixes(replace(SERIES, base=COMMIT)) == ()
    assert named_commit(replace(SERIES, base=COMMIT)) == COMMIT
    assert named_commit(replace(SERIES, base="v6.12")) == ""


@pytest.mark.parametrize(
    ("candidate", "source", "name", "kin"),
    [
        (at("net-next"), "/src/x", "net-next", True),
        (at("linux", ref="net-next/main"), "/src/linux", "net-next", True),
        (at("linux", ref="main"), "https://x/netdev/net-next.git", "net-next", True),
        (at("linux", ref="net-next/main"), "/src/linux", "net", False),
        (at("stable", ref="linux-6.12.y"), "", "6.12.y", True),
        (at("stable", ref="v6.12"), "", "6.12", True),
        (at("debian", version="6.12.117"), "", "6.12", True),
        (at("debian", version="6.120.1"), "", "6.12", False),
        (at("debian", version="6.12.117"), "", "net", False),
    ],
)
def test_who_is_called_like_the_prefix(
    candidate: Candidate, source: str, name: str, kin: bool
) -> None:
    assert is_kin(candidate, source, [name]) is kin


def test_one_commit_is_one_candidate_under_the_name_that_says_most() -> None:
    head = at("linux", spec="/linux", head=True, here=True)
    branch = replace(head, ref="main", spec="/linux#main", head=False, here=False)
    tag = replace(branch, ref="v6.12", spec="/linux#v6.12", kin=True)
    (one,) = merged([head, tag, branch])
    assert (one.ref, one.spec, one.head, one.here, one.kin) == (
        "v6.12",
        "/linux#v6.12",
        True,
        True,
        True,
    )
    assert set(one.also) == {"linux", "linux main"}
    debian = replace(head, tree="6.12", spec="6.12", version="6.12.117")
    assert merged([debian, tag])[0].spec == "6.12"
    assert len(merged([head, at("other")])) == 2


@pytest.mark.parametrize(
    ("base", "wants", "candidates", "what"),
    [
        (COMMIT, (), [at("a", named=True)], Known.COMMIT),
        (COMMIT, (Wanted("a", "12"),), [at("a")], Known.UNREACHABLE),
        ("", (Wanted("a", "12"), Wanted("n", new=True)), [], Known.BLOBS),
        ("6.12", (Wanted("a"),), [], Known.NOTHING),
        ("", (Wanted("n", new=True),), [], Known.NEW_FILES),
    ],
)
def test_what_a_series_says_of_its_base(
    base: str, wants: tuple[Wanted, ...], candidates: list[Candidate], what: Known
) -> None:
    assert known(replace(SERIES, base=base), wants, candidates) is what


def test_the_first_that_fits_is_the_base() -> None:
    found = told(tried("a", BAD, GOOD), tried("b", GOOD, GOOD), tried("c", GOOD, GOOD))
    assert found.verdict is Verdict.FOUND
    assert found.base is not None
    assert found.reason == "6.12.1 (tree b, commit b-commit)"
    assert go_on("my mails", found.base) == "kzc run 'my mails' --tree b"
    assert found.notes == ()


def test_one_that_has_parts_of_it_is_the_base_only_for_want_of_another() -> None:
    part, whole = tried("part", GOOD, THERE), tried("whole", GOOD, GOOD)
    found = told(part, whole)
    assert found.base is whole
    assert told(part).base is part


def test_what_git_am_refused_is_no_base() -> None:
    found = told(tried("a", GOOD, note="refused: no kernel"))
    assert (found.verdict, found.base, found.reason) == (
        Verdict.CONFLICT,
        None,
        "refused: no kernel",
    )


def test_the_nearest_miss_names_the_patch() -> None:
    far, near = tried("far", BAD, BAD, GOOD), tried("near", GOOD, BAD, GOOD, score=Score(1, 3))
    found = told(far, near)
    assert nearest([far, near]) is near
    assert found.verdict is Verdict.CONFLICT
    assert found.reason == (
        "2 of 3 apply on 6.12.1 (tree near); patch 2 conflicts at net/socket.c:7"
    )
    assert "6.12.1 has other versions of 2 of the 3 files" in found.hint
    assert "`kzc apply SERIES --tree near` shows both sides" in found.hint


def test_the_nearest_miss_names_numbers_that_are_taken() -> None:
    mine, theirs = (
        Constant("include/h.h", 1, name, 78, "78", "macro", 0) for name in ("SCM_A", "SO_B")
    )
    taken = Collision(mine, theirs)
    found = told(tried("6.12", GOOD, replace(BAD, taken=(taken, taken))))
    assert found.reason == (
        "1 of 2 apply on 6.12.1 (tree 6.12); patch 2 wants numbers that 6.12.1 has taken: "
        "SCM_A 78 is SO_B in include/h.h and 1 more"
    )
    assert found.hint.startswith("give SCM_A a number that is free")


def test_verdicts_of_their_own() -> None:
    miss = tried("a", BAD, GOOD)
    there = told(miss, tried("new", THERE, THERE))
    assert there.verdict is Verdict.ALREADY
    assert there.reason == "the whole series is in 6.12.1 (tree new) already"
    needs = replace(SERIES, prerequisites=("<a@b>", "<c@d>", "<e@f>", "<g@h>"))
    first = told(miss, series=needs)
    assert first.verdict is Verdict.PREREQUISITE
    assert first.hint == "apply first what it is made on: <a@b>, <c@d>, <e@f> and 1 more"
    assert first.notes == ("it names 4 prerequisite patches; no tree is as they leave it",)
    assert told(tried("a", GOOD), series=needs).notes == (
        "it names 4 prerequisite patches; it applies without them",
    )
    have = tuple(Present(name, COMMIT, "t", "6.12") for name in needs.prerequisites)
    some = answer(needs, Known.BLOBS, (miss,), (), have[:1])
    assert (some.verdict, some.hint) == (
        Verdict.PREREQUISITE,
        "apply first what it is made on: <c@d>, <e@f>, <g@h>",
    )
    # all are there, so something else is wrong
    assert answer(needs, Known.BLOBS, (miss,), (), have).verdict is Verdict.CONFLICT
    lost = told(miss, series=replace(SERIES, base=COMMIT), what=Known.UNREACHABLE)
    assert lost.verdict is Verdict.UNREACHABLE
    assert lost.hint.startswith("add a tree that has commit 0123456789ab")
    assert lost.notes == ("it names base-commit 0123456789ab, which is in none of the trees",)
    assert told(miss, what=Known.NOTHING).verdict is Verdict.NO_INFORMATION
    assert told().verdict is Verdict.NO_TREE


def test_what_has_to_be_known_of_a_base_that_was_found() -> None:
    named = replace(SERIES, base=COMMIT)
    found = told(tried("a", BAD, named=True), tried("b", GOOD), series=named, what=Known.COMMIT)
    assert found.notes == ("it does not fit on base-commit 0123456789ab, which it names",)
    other = told(tried("a", GOOD, score=Score(1, 3))).notes
    assert other[0].startswith("it was made on other versions of 2 of its 3 files, and applies")
    assert "only adds files" in told(tried("a", GOOD), what=Known.NEW_FILES).notes[0]
    assert "only trying tells" in told(tried("a", GOOD), what=Known.NOTHING).notes[0]


def test_trials_in_words() -> None:
    both = Trial((GOOD, Step(Fit.BOTH), GOOD), 3)
    assert both.words == "2 of 3 apply; 2/3 fits forward and backward, which is doubtful"
    assert not both.whole
    assert Trial((GOOD, GOOD), 3).whole is False
    assert Trial((THERE, THERE), 2).there
