# SPDX-License-Identifier: GPL-2.0-only
"""What is sent back, what is a hint, and what a good mail is not told."""

from __future__ import annotations

import pytest

from kzc.series.lint import Problem, lint
from kzc.series.mails import Source, series_from
from kzc.values import Patch

TITLE = "vsock: count what is sent"
BODY = "It was not counted.\n\n"
SIGNED = "Signed-off-by: A Person <a@example.org>\n"
DIFF = "--- a/{0}\n+++ b/{0}\n@@ -1 +1 @@\n-a\n+b\n"


def patch(body: str = BODY + SIGNED, title: str = TITLE, file: str = "net/vmw_vsock/a.c") -> Patch:
    raw = f"From: A Person <a@example.org>\nSubject: [PATCH] {title}\n\n{body}---\n{DIFF}"
    mail = raw.replace("{0}", file).encode()
    return series_from([Source(mail, "mail", "mail")], "x", "x").patches[0]


def said(found: tuple[Problem, ...], hint: bool = False) -> list[str]:
    return [problem.text for problem in found if problem.hint is hint]


@pytest.mark.parametrize(
    "trailers",
    [
        'Fixes: 0123456789ab ("vsock: a "quoted" title")\n',
        "Link: https://example.org/r/1 # v1\nCloses: https://example.org/r/2 [1]\n",
        "Reported-by: B <b@example.org>\nReviewed-by: C <c@example.org>\n",
    ],
)
def test_a_good_mail_is_told_nothing(trailers: str) -> None:
    assert lint(patch(BODY + trailers + SIGNED)) == ()


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (BODY, "there is no Signed-off-by"),
        (BODY + "Signed-off-by: B <b@example.org>\n", "has not signed it off"),
        (SIGNED, "the commit message is empty"),
        (BODY + 'Fixes: 0123456 ("short")\n' + SIGNED, "is not of the form"),
        (BODY + "Fixes: 0123456789ab no title\n" + SIGNED, "is not of the form"),
        (BODY + "Link: see below\n" + SIGNED, "is no address"),
        (BODY + "Change-Id: I0123456789abcdef\n" + SIGNED, "Change-Id"),
    ],
)
def test_what_is_sent_back(body: str, words: str) -> None:
    found = said(lint(patch(body)))
    assert len(found) == 1, found
    assert words in found[0]


def test_a_subject_without_a_prefix_is_sent_back() -> None:
    assert "no prefix" in said(lint(patch(title="count what is sent")))[0]
    assert "no prefix" in said(lint(patch(title="Count: ")))[0]


@pytest.mark.parametrize(
    ("title", "file", "fits"),
    [
        ("vsock/virtio: x", "net/vmw_vsock/virtio_transport.c", True),
        ("vhost/vsock: x", "drivers/vhost/vsock.c", True),
        ("net: x", "net/core/sock.c", True),
        ("tcp: x", "net/ipv4/tcp.c", True),
        ("selftests/net: x", "tools/testing/selftests/net/a.sh", True),
        ("docs: net: x", "Documentation/networking/a.rst", True),
        ("x86/mm: x", "arch/x86/mm/fault.c", True),
        ("ext4: x", "net/core/sock.c", False),
        ("vsock: x", "fs/ext4/super.c", False),
    ],
)
def test_a_prefix_that_suggests_other_files_is_a_hint(title: str, file: str, fits: bool) -> None:
    found = lint(patch(title=title, file=file))
    assert not said(found)
    assert (said(found, hint=True) == []) is fits


def test_other_hints() -> None:
    long = lint(patch(title=f"vsock: {'x' * 80}."))
    assert not said(long)
    assert len(said(long, hint=True)) == 2
    quoted = lint(patch(BODY + "On Monday, somebody wrote:\n> is it?\n\n" + SIGNED))
    assert "quotes a mail" in said(quoted, hint=True)[0]
    assert "net-next" in said(lint(patch(), tags="[PATCH 1/2]"), hint=True)[0]
    assert lint(patch(), tags="[PATCH net-next 1/2]") == ()
    assert "b@example.org sends it" in said(lint(patch(), sender="B <b@example.org>"), True)[0]


def test_the_author_of_the_body_is_the_one_who_signs() -> None:
    body = "From: B <b@example.org>\n\n" + BODY
    assert lint(patch(body + "Signed-off-by: B <B@Example.org>\n")) == ()
    assert "B <b@example.org>, has not" in said(lint(patch(body + SIGNED)))[0]
