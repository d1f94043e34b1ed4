# SPDX-License-Identifier: GPL-2.0-only
"""What mailers and lists do to a patch on its way, and that git gets it as the author made it."""

from __future__ import annotations

import base64
import quopri
from email.header import Header
from pathlib import Path
from typing import Any

import pytest

from kzc.errors import UsageError
from kzc.git import Git
from kzc.series.apply import apply_series
from kzc.series.mail import read_mail
from kzc.values import Patch
from tests.plain import RUNNER
from tests.unit.series.posts import JANE, diff, mail, patch, posting, take

LIST = "Jane Doe via Netlist <netlist@lists.example.org>"


def one(raw: bytes) -> Patch:
    return take([raw]).series.patches[0]


def authors(raw: bytes) -> tuple[str, tuple[str, ...]]:
    series = take([raw]).series
    return series.patches[0].author, series.notes


def single(body: str = "", **headers: Any) -> bytes:
    text = f"{body}Why.\n\nSigned-off-by: {JANE}\n---\n{diff(10)}-- \n2.39.5\n"
    return mail("[PATCH net] net: widen", text, "a@x", **headers)


def recoded(raw: bytes, coded: bytes, encoding: str) -> bytes:
    kind = b"\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: "
    return raw.partition(b"\n\n")[0] + kind + encoding.encode() + b"\n\n" + coded


def test_transfer_encodings_leave_no_trace() -> None:
    raw = single("Für alle — all.\n\n")
    body = raw.partition(b"\n\n")[2]
    plain = one(recoded(raw, body, "8bit"))
    windows = body.replace(b"\n", b"\r\n")
    for coded, encoding in (
        (quopri.encodestring(body), "quoted-printable"),
        (quopri.encodestring(body).replace(b"\n", b"\r\n"), "quoted-printable"),
        (base64.encodebytes(windows), "base64"),
        (windows, "8bit"),
    ):
        assert one(recoded(raw, coded, encoding)) == plain
    assert b"\r" not in plain.body
    assert "Für alle — all.".encode() in plain.body


@pytest.mark.parametrize(
    "who",
    [
        Header("Jörg Müller", "utf-8").encode() + " <j@x.org>",
        Header("Jörg Müller", "iso-8859-1").encode() + " <j@x.org>",
        "=?utf-8?q?J=C3=B6rg?= =?utf-8?q?_M=C3=BCller?= <j@x.org>",
        '"Jörg Müller" <j@x.org>',
    ],
)
def test_names_however_they_are_encoded(who: str) -> None:
    assert one(single(who=who)).author == "Jörg Müller <j@x.org>"


def test_raw_latin_1_and_a_comma_that_was_encoded() -> None:
    raw = single(who="Jörg Müller <j@x.org>").decode().encode("latin-1")
    assert one(raw).author == "Jörg Müller <j@x.org>"
    assert one(single(who="=?utf-8?q?Doe=2C_J=C3=A9?= <d@x.org>")).author == "Doe, Jé <d@x.org>"


def test_a_message_in_latin_1_becomes_utf_8_and_the_diff_stays() -> None:
    text = "Für alle.\n---\n" + diff(10).replace("+long", "+/* \xe4 */ long")
    head = mail("[PATCH] net: widen", "", "a@x", Content_Type="text/plain; charset=iso-8859-1")
    body = one(head + text.encode("latin-1")).body
    assert "Für alle.".encode() in body
    assert b"+/* \xe4 */ long" in body


@pytest.mark.parametrize(
    "headers",
    [
        {"Reply_To": JANE},
        {"Reply_To": f"{JANE}, netlist@lists.example.org"},
        {"X_Original_From": JANE, "Reply_To": "netlist@lists.example.org"},
        {"X_Original_Sender": "jane@example.org"},
        {},
    ],
)
def test_an_author_whom_a_list_hides_is_found(headers: dict[str, str]) -> None:
    # without a header that tells, the sign-off in the same name does
    assert authors(single(who=LIST, **headers)) == (JANE, ())
    quoted = "'Jane Doe' via Netlist <netlist@lists.example.org>"
    assert authors(single(who=quoted, **headers)) == (JANE, ())


def test_an_author_in_the_body_counts_most() -> None:
    found = authors(single("From: Ann Other <ann@example.org>\n\n", who=LIST))
    assert found == ("Ann Other <ann@example.org>", ())
    inside = "From: =?utf-8?q?J=C3=B6rg?= <j@x.org>\nSubject: [PATCH] net: really\n\n"
    patch_ = one(single(inside))
    assert (patch_.author, patch_.subject) == ("Jörg <j@x.org>", "net: really")
    assert b"\n\nWhy.\n" in patch_.body


def test_an_author_who_cannot_be_found_is_said() -> None:
    raw = single(who=LIST).replace(b"Signed-off-by: Jane Doe", b"Signed-off-by: J. D.")
    author, notes = authors(raw)
    assert author == "Jane Doe <netlist@lists.example.org>"
    assert notes == ("the list hides who wrote 'net: widen': netlist@lists.example.org",)


def test_footers_of_lists_are_no_part_of_the_diff() -> None:
    footer = b"_______________________________________________\nNetlist\nhttp://lists.x\n"
    assert take([single() + footer]).series.patches[0].files == ("net/socket.c",)
    text = single().partition(b"\n\n")[2].replace(b"-- \n2.39.5\n", b"").rstrip(b"\n")
    parts = b"".join(
        b"--b\nContent-Type: text/plain; charset=utf-8\n\n" + part + b"\n"
        for part in (text, footer)
    )
    head = mail("[PATCH net] net: widen", "", "a@x", Content_Type='multipart/mixed; boundary="b"')
    assert b" int socket_13;\n___" in one(head + parts + b"--b--\n").body


def test_flowed_is_refused_for_a_patch_and_no_matter_for_a_cover() -> None:
    flowed = b'\nContent-Type: text/plain; charset=utf-8; format="flowed"\n\n'
    cover, *patches = posting()
    assert take([cover.replace(b"\n\n", flowed, 1), *patches]).series.cover
    with pytest.raises(UsageError, match=r"'.PATCH 2/3. .*' was sent as format=flowed"):
        take([cover, patches[0], patches[1].replace(b"\n\n", flowed, 1), patches[2]])


def test_html_alone_is_refused() -> None:
    html = single().replace(b"\n\n", b"\nContent-Type: text/html; charset=utf-8\n\n<pre>", 1)
    with pytest.raises(UsageError, match="was sent as HTML only"):
        take([html])


def test_git_makes_the_commits_that_were_read(kernel: Path) -> None:
    who = Header("Jörg, M", "utf-8").encode() + " <j@x.org>"
    mails = [
        patch("v3 1/3", "net: für alle", diff(10), "1@x", "c@x", who=who),
        patch("v3 2/3", "net: [RFC] left", diff(20), "2@x", "c@x", who=LIST),
        patch("v3 3/3", "net: last", diff(30), "3@x", "c@x", Date_Again="x"),
    ]
    mails[2] = mails[2].replace(b"\n\nBecause", b"\n\nFrom: Ann <a@x>\nSubject: net: inner\n\nBut")
    series = take(mails).series
    applied = apply_series(kernel, series, RUNNER)
    assert applied.whole
    log = Git(RUNNER, kernel).out("log", "-3", "--reverse", "--format=%an <%ae>|%s|%aI")
    day = "2024-07-01T10:00:00+00:00"
    assert log.splitlines() == [f"{each.author}|{each.subject}|{day}" for each in series.patches]
    assert [each.author for each in series.patches] == ["Jörg, M <j@x.org>", JANE, "Ann <a@x>"]
    assert [each.subject for each in series.patches][2] == "net: inner"


@pytest.mark.parametrize(
    ("tag", "version", "number", "total"),
    [
        ("[PATCHv2 net 1/3]", 2, 1, 3),
        ("[RFC PATCH V4 02/16]", 4, 2, 16),
        ("[net-next,v3,3/4]", 3, 3, 4),
        ("[PATCH 5.10/5.15 1/2]", 1, 1, 2),
        ("[PATCH v6.1 1/2]", 1, 1, 2),
        ("[PATCH ipv6 v2]", 2, 0, 0),
        ("[RFC] [PATCH 1/2 v2]", 2, 1, 2),
        ("[PATCH i/o]", 1, 0, 0),
    ],
)
def test_what_the_brackets_say(tag: str, version: int, number: int, total: int) -> None:
    found = read_mail(mail(f"{tag} net: widen", diff(10)))
    assert (found.version, found.number, found.total) == (version, number, total)
    assert (found.title, found.patch) == ("net: widen", True)


def test_the_text_of_a_page_is_no_mail() -> None:
    page = f"Re: [PATCH] net: widen\n\nFrom: Jane\nDate: July 29\n\n{diff(10)}\nFrom: Bob\n\nNo.\n"
    with pytest.raises(UsageError, match="perhaps the text of an archive's page"):
        take([page.encode()])
    index = f"Index: net/socket.c\n{'=' * 60}\n{diff(10).partition(chr(10))[2]}"
    assert one(index.encode()).files == ("net/socket.c",)
