# SPDX-License-Identifier: GPL-2.0-only
"""What a posting says of its base and of what it needs, wherever it says so."""

from __future__ import annotations

import pytest

from tests.unit.series.posts import diff, mail, patch, posting, take

BASE = "0123456789abcdef0123456789abcdef01234567"
NEEDS = (
    f"base-commit: {BASE}\n"
    "change-id: 20240701-x-1\n"
    "prerequisite-change-id: 20240601-before-2:v3\n"
    "prerequisite-message-id: <before@x.org>\n"
    "prerequisite-patch-id: 9999999999999999999999999999999999999999\n"
)


def test_in_the_cover_or_below_a_diff_it_is_the_same() -> None:
    mails = posting()
    cover = mails[0].replace(b"-- \n", NEEDS.encode() + b"-- \n")
    first = mails[1].replace(b"-- \n", NEEDS.encode() + b"-- \n")
    for given in ([cover, *mails[1:]], [mails[0], first, *mails[2:]]):
        intake = take(given)
        series = intake.series
        assert series.base == BASE
        assert series.prerequisites == ("before@x.org", "9" * 40)
        assert "it needs the change 20240601-before-2:v3" in intake.hints
        assert series.cover == "What it is for.\n\nBased on net-next."


@pytest.mark.parametrize("word", [f"{BASE}0x", "v6.12", "main", BASE[:8], f" {BASE}"])
def test_a_base_that_is_no_commit_id_is_no_base(word: str) -> None:
    mails = posting()
    mails[0] += f"base-commit: {word}\n".encode()
    assert take(mails).series.base == ""


@pytest.mark.parametrize(
    "line",
    [
        "This is based on net-next commit 0123456789ab.",
        "Applies cleanly on v6.12-rc3",
        "It goes on top of the series of last week.",
        "Based-on: <before@x.org>",
        "The base commit is v6.12.",
        "Rebased onto master.",
    ],
)
def test_words_are_shown_as_hints_only(line: str) -> None:
    mails = posting()
    mails[0] = mails[0].replace(b"Based on net-next.", line.encode())
    intake = take(mails)
    assert intake.hints == (line,)
    assert (intake.series.base, intake.series.prerequisites) == ("", ())


def test_the_tree_in_the_subject_and_a_note_below_the_message() -> None:
    raw = patch("net-next v2", "net: widen", "Depends on the other one.\n\n" + diff(10), "a@x")
    assert take([raw]).hints == ("the subject says [net-next]", "Depends on the other one.")


def test_links_of_cover_and_trailers() -> None:
    mails = posting()
    mails[0] = mails[0].replace(b"What it", b"See <https://example.org/a>, (https://x.org/b). It")
    link = b"Link: https://example.org/c # [1]\nCloses: https://example.org/d\nSigned-off-by"
    mails[2] = mails[2].replace(b"Signed-off-by", link)
    mails.append(mail("Re: [PATCH 2/3]", "https://example.org/e\n", "re@x", "2v1@x"))
    assert take(mails).series.links == (
        "https://example.org/a",
        "https://x.org/b",
        "https://example.org/c",
        "https://example.org/d",
    )
