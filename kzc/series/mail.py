# SPDX-License-Identifier: GPL-2.0-only
"""One mail read: what it says it is, its text decoded, and what is wrong with it. Pure.

git am is later handed the mail as `rewritten` gives it: decoded, with Unix line ends, so that no
transfer encoding stands between what was checked and what is applied.
"""

from __future__ import annotations

import email
import email.policy
import re
from dataclasses import dataclass, replace
from email.message import Message
from functools import cached_property

from kzc.series import headers
from kzc.series.diff import DiffError, find_diff, parse_diff

_REPLY = re.compile(r"\s*(re|aw|sv|antw|fwd?)\s*(\[\d+\])?:", re.IGNORECASE)
_TAG = re.compile(r"\[([^\]]*)\]\s*")
# the n/m of a posting, not those of [PATCH 5.10/5.15 1/2]
_NUMBER = re.compile(r"(?<![\w./])0*(\d{1,4})/0*(\d{1,4})(?![\w./])")
# [PATCHv2] as well, but not the release of [PATCH v6.1 1/2]
_VERSION = re.compile(r"(?:\b|PATCH|RFC|RESEND)v(\d{1,4})(?![\w.])", re.IGNORECASE)
_HEADER = re.compile(rb"(?!Index: )(?:[!-9;-~]+:|From )")
NO_HEADERS = "no headers"
ONLY_HTML = "only HTML"


@dataclass(frozen=True)
class Mail:
    """`number` of `total` (0 where the subject counts nothing), `version` of the series.

    `parents` are the Message-IDs of what it replies to, the nearest first; `moment` its date in
    seconds since the epoch, 0 without one. `text` is the decoded body, `diff` its part from the
    first diff on. `tags` are the words in the subject's brackets. `masked`: a list stands in the
    author's place. `sender` is the From header as it stands. `defects` are words for what the
    transfer broke.
    """

    subject: str
    title: str
    author: str
    date: str
    message_id: str
    number: int
    total: int
    version: int
    counted: bool
    patch: bool
    reply: bool
    flowed: bool
    text: bytes
    diff: bytes
    defects: tuple[str, ...] = ()
    parents: tuple[str, ...] = ()
    moment: float = 0.0
    masked: bool = False
    tags: str = ""
    sender: str = ""

    @property
    def alone(self) -> Mail:
        """The mail as a patch of its own, whatever it is a part of or an answer to."""
        return replace(self, number=0, total=0, counted=False, patch=True, reply=False, parents=())

    @property
    def rewritten(self) -> bytes:
        """The mail for git am: few headers, 8 bit, `\\n`."""
        lines = [
            f"From: {_encoded(self.author)}",
            f"Date: {self.date}",
            f"Subject: [PATCH] {_encoded(self.title)}",
            *([f"Message-ID: {self.message_id}"] if self.message_id else []),
            "MIME-Version: 1.0",
            "Content-Type: text/plain; charset=UTF-8",
            "Content-Transfer-Encoding: 8bit",
        ]
        return "\n".join(lines).encode(errors="replace") + b"\n\n" + self.text

    @cached_property
    def changes(self) -> bytes:
        """The diff without what stands around it (signatures, footers of lists), to compare."""
        try:
            files = parse_diff(self.diff)
        except DiffError:
            return self.diff
        parts = (part for file in files for part in (file.head, *(h.text for h in file.hunks)))
        return b"".join(parts)


def read_mail(raw: bytes, fallback: str = "patch") -> Mail:
    """Read one mail. A bare diff gets `fallback` as its subject and kzc as its author."""
    if not _HEADER.match(raw):
        return _bare(raw, fallback)
    message = email.message_from_bytes(raw, policy=email.policy.compat32)
    subject = headers.header(message, "Subject")
    title, tags = _split_subject(subject)
    counts = _NUMBER.search(tags)
    version = _VERSION.search(tags)
    text, defects, flowed = _text(message)
    reply = _REPLY.match(subject) is not None
    # who answers is who sent it: what an answer begins with is no header
    inside, text = ({}, text) if reply else headers.in_body(text)
    if "subject" in inside:
        title = _split_subject(inside["subject"])[0]
    author, masked = headers.author_of(message, text)
    date, moment = headers.date_of(inside.get("date", "") or headers.header(message, "Date"))
    own = headers.message_ids(message, "Message-ID")
    above = (
        *headers.message_ids(message, "In-Reply-To"),
        *reversed(headers.message_ids(message, "References")),
    )
    return Mail(
        subject=subject,
        title=title or fallback,
        author=inside.get("from") or author,
        date=date,
        message_id=own[0] if own else "",
        number=int(counts[1]) if counts else 0,
        total=int(counts[2]) if counts else 0,
        version=int(version[1]) if version else 1,
        counted=counts is not None,
        patch="PATCH" in tags.upper() or counts is not None,
        reply=reply,
        flowed=flowed,
        text=text,
        diff=find_diff(text),
        defects=defects if subject or message.get("From") else (*defects, NO_HEADERS),
        parents=tuple(dict.fromkeys(above)),
        moment=moment,
        masked=masked and "from" not in inside,
        tags=tags,
        sender=str(message.get("From", "")),
    )


def _bare(raw: bytes, fallback: str) -> Mail:
    text = raw.replace(b"\r\n", b"\n")
    diff = find_diff(text)
    author = "kzc <kzc@localhost>"
    return Mail(
        subject=fallback,
        title=fallback,
        author=author,
        date=headers.NO_DATE,
        message_id="",
        number=0,
        total=0,
        version=1,
        counted=False,
        patch=bool(diff),
        reply=False,
        flowed=False,
        text=b"\n---\n" + diff,
        diff=diff,
    )


def _split_subject(subject: str) -> tuple[str, str]:
    """The subject without its leading brackets, and the brackets' words."""
    tags = []
    while match := _TAG.match(subject):
        tags.append(match[1])
        subject = subject[match.end() :]
    return subject.strip(), " ".join(tags)


def _text(message: Message) -> tuple[bytes, tuple[str, ...], bool]:
    """Text parts one after the other as UTF-8, what is broken in them, and format=flowed."""
    chunks: list[bytes] = []
    defects = [type(defect).__name__ for defect in message.defects]
    flowed = html = False
    for part in message.walk():
        if part.is_multipart() or part.get_content_maintype() != "text":
            continue
        if part.get_content_subtype() == "html":
            html = True
            continue
        flowed = flowed or str(part.get_param("format", "")).lower() == "flowed"
        payload = part.get_payload(decode=True)
        defects += [type(defect).__name__ for defect in part.defects]
        data = payload if isinstance(payload, bytes) else b""
        if chunks and not chunks[-1].endswith(b"\n"):
            # a list's footer, a part of its own, must not go on in the diff's last line
            chunks.append(b"\n")
        chunks.append(_utf8(data.replace(b"\r\n", b"\n"), part.get_content_charset()))
    if html and not chunks:
        defects.append(ONLY_HTML)
    return b"".join(chunks), tuple(dict.fromkeys(defects)), flowed


def _utf8(data: bytes, charset: str | None) -> bytes:
    """Commit message in UTF-8; the diff's bytes as they are, for they belong to files."""
    diff = find_diff(data)
    message = data[: len(data) - len(diff)]
    try:
        return message.decode(charset or "utf-8").encode() + diff
    except (LookupError, UnicodeDecodeError):
        return message.decode("utf-8", errors="replace").encode() + diff


def _encoded(text: str) -> str:
    """A header's value in UTF-8 on one line; git reads that as it is."""
    return " ".join(text.split())
