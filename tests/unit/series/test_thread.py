# SPDX-License-Identifier: GPL-2.0-only
"""Which mails are the series: copies, versions, resends, rerolls, replies, and what is refused."""

from __future__ import annotations

import pytest

from kzc.errors import UsageError
from kzc.series.choose import NEWEST, Choice
from tests.unit.series.posts import BOB, diff, ids, mail, patch, posting, reply, take

FOOTER = "_______________________________________________\nlist mailing list\nlist@lists.x\n"


def notes(mails: list[bytes], choice: Choice = NEWEST) -> str:
    return "\n".join(take(mails, choice).series.notes)


def test_a_posting_as_it_was_sent() -> None:
    intake = take(posting(2))
    series = intake.series
    assert (series.version, series.title, series.message_id) == (2, "net: widen three", "<c2@x>")
    assert series.cover == "What it is for.\n\nBased on net-next."
    assert ids(intake) == ["1v2@x", "2v2@x", "3v2@x"]
    assert intake.hints == ("Based on net-next.",)
    assert intake.date == "2024-07-01"
    assert (series.notes, intake.trailers) == ((), ())


def test_order_and_cover_do_not_matter() -> None:
    cover, *patches = posting()
    assert ids(take([patches[2], cover, patches[0], patches[1]])) == ["1v1@x", "2v1@x", "3v1@x"]
    bare = take([patches[1], patches[2], patches[0]])
    assert ids(bare) == ["1v1@x", "2v1@x", "3v1@x"]
    assert (bare.series.cover, bare.series.title) == ("", "net: widen 1")
    assert bare.series.message_id == "<1v1@x>"


def test_mails_that_no_header_ties_together_join_by_their_numbers() -> None:
    free = [raw.replace(b"In-Reply-To", b"X-Was") for raw in posting()]
    assert ids(take(free)) == ids(take(posting()))
    chained = [raw.replace(b"In-Reply-To: <c1@x>", b"X-Was: x") for raw in posting()]
    chained[2] = chained[2].replace(b"X-Was: x", b"In-Reply-To: <1v1@x>")
    chained[3] = chained[3].replace(b"X-Was: x", b"In-Reply-To: <2v1@x>")
    assert ids(take(chained)) == ids(take(posting()))
    assert take(chained).series.message_id == "<c1@x>"


def test_of_two_lists_the_copy_that_is_the_authors_is_taken() -> None:
    mails = posting()
    other = mails[1].replace(b"Jane Doe <jane@example.org>", b"Jane Doe via L <l@lists.x>", 1)
    copies = [other + FOOTER.encode(), *mails, mails[2] + FOOTER.encode(), mails[3]]
    intake = take(copies)
    assert ids(intake) == ids(take(mails))
    assert intake.series.patches == take(mails).series.patches
    assert intake.series.notes == ("3 mails came more than once: one copy of each was taken",)


def test_a_copy_whose_list_gave_it_another_message_id_needs_its_posting_named() -> None:
    mails = posting()
    nameless = [raw.replace(b"Message-ID", b"X-Was") for raw in mails]
    twice = take([*nameless, *nameless])
    assert len(twice.series.patches) == 3
    assert "4 mails came more than once" in twice.series.notes[0]


def test_one_message_id_with_two_contents_is_refused() -> None:
    mails = posting()
    forged = mails[2].replace(b"+long", b"+evil")
    with pytest.raises(UsageError, match=r"two different mails are <2v1@x>: mail 3 and mail 5"):
        take([*mails, forged])
    other = mails[2].replace(b"[PATCH 2/3]", b"[PATCH v2 2/3]")
    with pytest.raises(UsageError, match=r"two different mails are <2v1@x>"):
        take([*mails, other])


def test_the_newest_version_is_taken_and_another_by_asking() -> None:
    first, second = posting(1), posting(2, "char", day=5)
    second[0] = second[0].replace(b"Subject", b"In-Reply-To: <c1@x>\nSubject")
    both = [*second, *first]
    assert ids(take(both)) == ["1v2@x", "2v2@x", "3v2@x"]
    assert notes(both) == "v2 was taken; v1 is there too (--version)"
    assert ids(take(both, Choice(1))) == ["1v1@x", "2v1@x", "3v1@x"]
    assert ids(take(both, Choice(posting="2v1@x"))) == ["1v1@x", "2v1@x", "3v1@x"]
    with pytest.raises(UsageError, match="there is no v3 in it") as caught:
        take(both, Choice(3))
    assert "<c1@x>" in caught.value.hint
    with pytest.raises(UsageError, match="no posting has the mail <nobody@x>"):
        take(both, Choice(posting="<nobody@x>"))
    assert ids(take(both, Choice(posting="nobody@x", preferred=True))) == ids(take(both))


def test_versions_sent_as_replies_to_the_first_cover_stay_apart() -> None:
    # no cover of its own, every patch under v1's cover
    second = [raw.replace(b"<c2@x>", b"<c1@x>") for raw in posting(2, "char", day=5)[1:]]
    assert ids(take([*posting(1), *second])) == ["1v2@x", "2v2@x", "3v2@x"]
    assert ids(take([*posting(1), *second], Choice(1))) == ["1v1@x", "2v1@x", "3v1@x"]


def test_the_same_version_again_with_the_same_patches() -> None:
    both = [*posting(4, day=8, mark="b"), *posting(4, mark="a")]
    intake = take(both)
    assert ids(intake) == ["1v4b@x", "2v4b@x", "3v4b@x"]
    assert "v4 was posted 2 times with the same patches: the newest whole one, <c4b@x>" in (
        notes(both)
    )
    again = patch("v4 2/3", "net: widen 2", diff(20), "again@x", "elsewhere@x", day=9)
    assert ids(take([*both, again])) == ["1v4b@x", "2v4b@x", "3v4b@x"]
    assert "v4 was posted once, and parts of it again," in notes([*posting(4), again])


def test_the_same_version_again_with_fewer_patches_is_a_question() -> None:
    fewer = [raw.replace(b"/3]", b"/2]") for raw in posting(4, mark="b", day=8)[:3]]
    for both in ([*posting(4, mark="a"), *fewer], [*posting(4, mark="z", day=9), *fewer]):
        with pytest.raises(UsageError, match="v4 was posted twice with different patches"):
            take(both)
        assert ids(take(both, Choice(posting="c4b@x"))) == ["1v4b@x", "2v4b@x"]


@pytest.mark.parametrize("threaded", [True, False])
def test_the_same_version_again_with_other_patches_is_a_question(threaded: bool) -> None:
    both = [*posting(4, "long", mark="a"), *posting(4, "char", day=8, mark="b")]
    if not threaded:
        both = [raw.replace(b"In-Reply-To", b"X-Was") for raw in both]
    said = (
        r"v4 was posted twice with different patches: v4 .*\(<c4a@x>, Mon, 01 Jul.*<c4b@x>, Mon, 08"
    )
    with pytest.raises(UsageError, match=said) as caught:
        take(both)
    assert "--posting MESSAGE-ID" in caught.value.hint
    assert ids(take(both, Choice(posting="c4a@x"))) == ["1v4a@x", "2v4a@x", "3v4a@x"]
    assert ids(take(both, Choice(posting="3v4b@x"))) == ["1v4b@x", "2v4b@x", "3v4b@x"]


def test_a_single_patch_posted_twice() -> None:
    one = patch("net", "net: widen", diff(10), "a@x")
    two = patch("net", "net: widen", diff(10, "char"), "b@x", day=4)
    with pytest.raises(UsageError, match="v1 was posted twice with different patches"):
        take([one, two])
    assert ids(take([one, two], Choice(posting="b@x"))) == ["b@x"]
    same = patch("net", "net: widen", diff(10), "b@x", day=4)
    assert ids(take([same, one])) == ["b@x"]


@pytest.mark.parametrize(("gone", "said"), [((2,), "2 of 3 is"), ((1, 3), "1, 3 of 3 are")])
def test_what_is_missing_is_named(gone: tuple[int, ...], said: str) -> None:
    mails = [raw for number, raw in enumerate(posting(2)) if number not in gone]
    with pytest.raises(UsageError, match=f"the series is not whole: {said} missing"):
        take(mails)
    older = [raw.replace(b"Subject", b"X-Thread: y\nSubject") for raw in posting(1)]
    with pytest.raises(UsageError, match="not whole") as caught:
        take([*older, *mails])
    assert "--version 1 takes what is whole" in caught.value.hint


def test_a_partial_reroll_is_put_together_where_the_reply_proves_it() -> None:
    new = patch("v8 2/3", "net: widen 2", diff(20, "char"), "new@x", "2v7@x", day=6)
    old = posting(7)
    old[0] += b"base-commit: 7777777777777777\n"
    intake = take([*old, new + b"base-commit: 8888888888888888\n"])
    assert intake.series.base == "8888888888888888"
    assert ids(intake) == ["1v7@x", "new@x", "3v7@x"]
    assert (intake.series.version, intake.series.title) == (8, "net: widen three")
    assert intake.series.message_id == "<c7@x>"
    assert intake.series.notes[-1] == (
        "put together: only 2/3 was posted as v8, in reply to v7; the other patches are those of v7"
    )
    assert ids(take([*posting(7), new], Choice(7))) == ["1v7@x", "2v7@x", "3v7@x"]


def test_a_reroll_in_reply_to_a_review_and_without_a_count() -> None:
    review = reply("Like that?\n", "3v7@x", at="review@x")
    new = patch("v8", "net: widen 3", diff(30, "char"), "new@x", "review@x", day=6)
    assert ids(take([*posting(7), review, new])) == ["1v7@x", "2v7@x", "new@x"]


def test_two_patches_rerolled_one_after_the_other() -> None:
    second = patch("v8 2/3", "net: widen 2", diff(20, "char"), "n2@x", "2v7@x", day=6)
    third = patch("v8 3/3", "net: widen 3", diff(30, "char"), "n3@x", "3v7@x", day=7)
    assert ids(take([*posting(7), second, third])) == ["1v7@x", "n2@x", "n3@x"]
    other = patch("v8 2/3", "net: widen 2", diff(20, "u8"), "n5@x", "2v7@x", day=7)
    with pytest.raises(UsageError, match=r"two different mails are 2/3: .*<n2@x>.*<n5@x>"):
        take([*posting(7), second, other])
    assert ids(take([*posting(7), second, other], Choice(posting="n2@x")))[1] == "n2@x"
    again = patch("v9 2/3", "net: widen 2", diff(20, "short"), "n4@x", "n2@x", day=8)
    assert ids(take([*posting(7), second, third, again])) == ["1v7@x", "n4@x", "n3@x"]


@pytest.mark.parametrize("over", ["", "c7@x", "1v7@x"])
def test_no_reroll_without_a_link_to_the_patch_it_replaces(over: str) -> None:
    new = patch("v8 2/3", "net: widen 2", diff(20, "char"), "new@x", over, day=6)
    with pytest.raises(UsageError, match="not whole: 1, 3 of 3 are missing") as caught:
        take([*posting(7), new])
    assert "--version 7" in caught.value.hint


def test_a_fixup_in_reply_is_left_out_and_said() -> None:
    fixup = reply("Rather so:\n\n" + diff(20, "short"), "2v1@x")
    bare = patch("", "fix for that", diff(20, "short"), "f@x", "2v1@x", who=BOB)
    intake = take([*posting(), fixup, bare])
    assert ids(intake) == ids(take(posting()))
    assert b"short" not in b"".join(each.body for each in intake.series.patches)
    told = "\n".join(intake.series.notes)
    assert "left out: the diff that Bob Roe <bob@example.org> sent in reply to '[PATCH 2/3]" in told
    assert "left out: '[PATCH ] fix for that' by Bob Roe <bob@example.org>" in told


def test_an_answer_that_lost_its_re_is_no_patch() -> None:
    answer = mail("[PATCH 2/3] net: widen 2", "> Because\n\nWhy?\n", "re@x", "2v1@x", who=BOB)
    assert ids(take([*posting(), answer])) == ids(take(posting()))


def test_series_that_have_nothing_in_common_are_a_question() -> None:
    other = patch("v5", "mm: else", diff(9, file="net/core/sock.c"), "z@x", who=BOB)
    with pytest.raises(UsageError, match="there are 2 series in it") as caught:
        take([*posting(2), other])
    assert "<c2@x>" in caught.value.hint
    assert "<z@x>" in caught.value.hint
    assert ids(take([*posting(2), other], Choice(posting="z@x"))) == ["z@x"]


def test_a_pull_request_says_how_to_get_its_commits() -> None:
    body = (
        "The following changes since commit 0:\n\nare available in the Git repository at:\n\n"
        "  https://git.example.org/net.git tags/net-1\n\nfor you to fetch\n"
    )
    for tag in ("GIT PULL", "PULL net", "git pull"):
        with pytest.raises(UsageError, match="a pull request, not patches") as caught:
            take([mail(f"[{tag}] net", body, "p@x")])
        assert "git fetch https://git.example.org/net.git tags/net-1" in caught.value.hint
    cover = mail("[GIT PULL 0/3] net: widen three", body, "c1@x")
    assert ids(take([cover, *posting()[1:]])) == ids(take(posting()))


def test_a_loop_of_replies_ends() -> None:
    one = patch("1/2", "one", diff(10), "a@x", "b@x")
    two = patch("2/2", "two", diff(20), "b@x", "a@x")
    assert ids(take([one, two])) == ["a@x", "b@x"]


def test_a_long_chain_of_replies_is_no_matter() -> None:
    total = 1050
    mails = [
        patch(f"{at}/{total}", f"p{at}", diff(10), f"p{at}@x", f"p{at - 1}@x" if at > 1 else "")
        for at in range(1, total + 1)
    ]
    assert len(take(mails).series.patches) == total


def test_a_patch_sent_again_within_its_version() -> None:
    same = patch("2/3", "net: widen 2", diff(20), "again@x", "2v1@x", day=3)
    intake = take([*posting(), same])
    assert ids(intake) == ["1v1@x", "again@x", "3v1@x"]
    assert intake.series.notes == (
        "'[PATCH 2/3] net: widen 2' was sent again with the same diff: taken as last sent",
    )
    other = patch("2/3", "net: widen 2", diff(20, "char"), "again@x", "2v1@x", day=3)
    said = r"two different mails are 2/3: mail 3 \(<2v1@x>, Mon, 01 .* and mail 5 \(<again@x>, Wed"
    with pytest.raises(UsageError, match=said):
        take([*posting(), other])
    assert ids(take([*posting(), other], Choice(posting="c1@x"))) == ["1v1@x", "2v1@x", "3v1@x"]
    chosen = take([*posting(), other], Choice(posting="again@x"))
    assert ids(chosen) == ["1v1@x", "again@x", "3v1@x"]
    assert "put together: only 2/3" in chosen.series.notes[0]


def test_rerolls_that_answer_each_other_end() -> None:
    one = patch("v1 1/2", "one", diff(10), "a@x", "b@x")
    two = patch("v2 1/2", "one", diff(10, "char"), "b@x", "a@x")
    with pytest.raises(UsageError, match="not whole: 2 of 2 is missing"):
        take([one, two])


def test_a_cover_that_came_alone() -> None:
    with pytest.raises(UsageError, match="a cover letter without its patches") as caught:
        take([*posting(1), posting(2)[0].replace(b"Subject", b"X: y\nSubject")])
    assert "--version 1 takes what is whole" in caught.value.hint
