# SPDX-License-Identifier: GPL-2.0-only
"""One mail read: what it says it is, its text decoded, and what is wrong with it. Pure.

git am is later handed the mail as `rewritten` gives it: decoded, with Unix line ends, so that no
transfer encoding stands between what was checked and what is applied.
"""

from __future__ import annotations

import email
import email.header
import email.policy
import email.utils
import re
from dataclasses import dataclass
from email.message import Message

from kzc.series.diff import find_diff

_REPLY = re.compile(r"\s*(re|aw|sv|antw|fwd?)\s*:", re.IGNORECASE)
_TAG = re.compile(r"\[([^\]]*)\]\s*")
_NUMBER = re.compile(r"\b0*(\d{1,4})/0*(\d{1,4})\b")
_VERSION = re.compile(r"\bv(\d+)\b", re.IGNORECASE)
_HEADER = re.compile(rb"(?:[!-9;-~]+:|From )")
# a mail without a date must not get today's: the commit would never be the same again
_NO_DATE = "Sat, 1 Jan 2000 00:00:00 +0000"


@dataclass(frozen=True)
class Mail:
    """`number` of `total` (0 where the subject counts nothing), `version` of the series.

    `text` is the decoded body, `diff` its part from the first diff on. `defects` are words for
    what the transfer broke.
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

    @property
    def rewritten(self) -> bytes:
        """The mail for git am: few headers, 8 bit, `\\n`."""
        headers = [
            f"From: {_encoded(self.author)}",
            f"Date: {self.date}",
            f"Subject: [PATCH] {_encoded(self.title)}",
            *([f"Message-ID: {self.message_id}"] if self.message_id else []),
            "MIME-Version: 1.0",
            "Content-Type: text/plain; charset=UTF-8",
            "Content-Transfer-Encoding: 8bit",
        ]
        return "\n".join(headers).encode() + b"\n\n" + self.text


def read_mail(raw: bytes, fallback: str = "patch") -> Mail:
    """Read one mail. A bare diff gets `fallback` as its subject and kzc as its author."""
    if not _HEADER.match(raw):
        return _bare(raw, fallback)
    message = email.message_from_bytes(raw, policy=email.policy.compat32)
    subject = " ".join(_decoded(message, "Subject").split())
    title, tags = _split_subject(subject)
    counts = _NUMBER.search(tags)
    version = _VERSION.search(tags)
    text, defects, flowed = _text(message)
    name, address = email.utils.parseaddr(_decoded(message, "From"))
    return Mail(
        subject=subject,
        title=title or fallback,
        author=_in_body_author(text) or _author(name, address),
        date=_date(message),
        message_id=str(message.get("Message-ID", "")).strip(),
        number=int(counts[1]) if counts else 0,
        total=int(counts[2]) if counts else 0,
        version=int(version[1]) if version else 1,
        counted=counts is not None,
        patch="PATCH" in tags.upper() or counts is not None,
        reply=_REPLY.match(subject) is not None,
        flowed=flowed,
        text=text,
        diff=find_diff(text),
        defects=defects,
    )


def _bare(raw: bytes, fallback: str) -> Mail:
    text = raw.replace(b"\r\n", b"\n")
    diff = find_diff(text)
    author = "kzc <kzc@localhost>"
    return Mail(
        subject=fallback,
        title=fallback,
        author=author,
        date=_NO_DATE,
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
    chunks = []
    defects = [type(defect).__name__ for defect in message.defects]
    flowed = False
    for part in message.walk():
        if part.is_multipart() or part.get_content_maintype() != "text":
            continue
        if part.get_content_subtype() == "html":
            continue
        flowed = flowed or str(part.get_param("format", "")).lower() == "flowed"
        payload = part.get_payload(decode=True)
        defects += [type(defect).__name__ for defect in part.defects]
        data = payload if isinstance(payload, bytes) else b""
        chunks.append(_utf8(data.replace(b"\r\n", b"\n"), part.get_content_charset()))
    return b"".join(chunks), tuple(dict.fromkeys(defects)), flowed


def _utf8(data: bytes, charset: str | None) -> bytes:
    """Commit message in UTF-8; the diff's bytes as they are, for they belong to files."""
    diff = find_diff(data)
    message = data[: len(data) - len(diff)]
    try:
        return message.decode(charset or "utf-8").encode() + diff
    except (LookupError, UnicodeDecodeError):
        return message.decode("utf-8", errors="replace").encode() + diff


def _decoded(message: Message, name: str) -> str:
    value = str(message.get(name, ""))
    try:
        return str(email.header.make_header(email.header.decode_header(value)))
    except (LookupError, ValueError, email.errors.HeaderParseError):
        return value


def _author(name: str, address: str) -> str:
    clean = re.sub(r"[<>\n\r\0]", "", name).strip()
    return f"{clean or address or 'unknown'} <{address or 'unknown@localhost'}>"


def _in_body_author(text: bytes) -> str:
    """The author that a forwarder names in the first line of the body, which git believes."""
    match = re.match(rb"\s*From: ([^\n]+<[^\n>]+>)\n", text)
    return match[1].decode(errors="replace") if match else ""


def _date(message: Message) -> str:
    value = str(message.get("Date", ""))
    try:
        moment = email.utils.parsedate_to_datetime(value)
    except (ValueError, TypeError):
        return _NO_DATE
    return email.utils.format_datetime(moment) if moment.year >= 1970 else _NO_DATE


def _encoded(text: str) -> str:
    """A header's value in UTF-8 on one line; git reads that as it is."""
    return " ".join(text.split())
