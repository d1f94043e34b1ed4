# SPDX-License-Identifier: GPL-2.0-only
"""`old..new`, with words that have dots of their own."""

import pytest

from kzc.errors import UsageError
from kzc.jobs.skew import parse_skew, skew_pairs


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("v6.12..my-branch", ("v6.12", "my-branch")),
        ("../old..../new", ("../old", "../new")),
        ("old.../new", ("old", "./new")),
        ("linux/../old../new", ("linux/../old", "/new")),
        ("a..b..c", ("a", "b..c")),
        ("a...", ("a", ".")),
        (
            "debian:linux-image-amd64..scm-zc-notification@debian:linux-source-6.12",
            ("debian:linux-image-amd64", "scm-zc-notification@debian:linux-source-6.12"),
        ),
    ],
)
def test_two_words(text: str, words: tuple[str, str]) -> None:
    assert parse_skew(text) == words


@pytest.mark.parametrize("text", ["", "..", "a..", "..b", "a.b", "v6.12...v6.13", "../b", "a/../b"])
def test_what_names_no_two_kernels(text: str) -> None:
    with pytest.raises(UsageError, match="names no two kernels") as caught:
        parse_skew(text)
    assert "--skew v6.12..my-branch" in caught.value.hint


def test_four_runs_host_first() -> None:
    assert skew_pairs("a", "b") == (("a", "a"), ("a", "b"), ("b", "a"), ("b", "b"))
