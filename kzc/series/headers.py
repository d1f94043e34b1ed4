# SPDX-License-Identifier: GPL-2.0-only
"""What the headers of a mail mean: decoded, whoever encoded them how, and whose patch it is. Pure.

Lists that rewrite From (for DMARC) hide the author; the mail names him elsewhere, and where it
does not, that is said and nothing is made up.
"""

from __future__ import annotations

import email.errors
import email.header
import email.utils
import re
from collections.abc import Mapping
from email.message import Message

# a mail without a date must not get today's: the commit would never be the same again
NO_DATE = "Sat, 1 Jan 2000 00:00:00 +0000"

_ID = re.compile(r"<([^<>\s]+)>")
_VIA = re.compile(r"^['\"]?(.*?)['\"]?\s+via\s+\S.*$", re.IGNORECASE)
_ORIGINAL = ("X-Original-From", "X-Original-Sender", "Reply-To")
_SIGNED = re.compile(rb"^Signed-off-by: *([^\n<]*?) *<([^\s<>]+@[^\s<>]+)>", re.M)
_IN_BODY = re.compile(rb"(From|Subject|Date): *([^\n]*(?:\n[ \t]+\S[^\n]*)*)\n", re.IGNORECASE)


def header(message: Message, name: str) -> str:
    """The value on one line, encoded words and raw UTF-8 or latin-1 decoded; empty without one."""
    return " ".join(_words(_raw(message, name)).split())


def message_ids(message: Message, name: str) -> tuple[str, ...]:
    """The Message-IDs in a header, with their angle brackets, as they stand there."""
    return tuple(f"<{found}>" for found in _ID.findall(_raw(message, name)))


def date_of(value: str) -> tuple[str, float]:
    """A Date header as git takes it, and its seconds since the epoch (0 where there is none)."""
    try:
        moment = email.utils.parsedate_to_datetime(value)
        if moment.year >= 1970:
            return email.utils.format_datetime(moment), moment.timestamp()
    except (ValueError, TypeError, OverflowError):
        pass
    return NO_DATE, 0.0


def author_of(message: Message, text: bytes) -> tuple[str, bool]:
    """`Name <address>` of who sent the mail, and whether a list stands in his place unrepaired."""
    name, address = _mailbox(_raw(message, "From"))
    via = _VIA.match(name)
    lists = {at for _, at in _mailboxes(message, "List-Post")}
    if not via and address.lower() not in lists:
        return person(name, address), False
    name = via[1].strip() if via else name
    lists |= {address.lower()}
    for place in _ORIGINAL:
        real = [(said, at) for said, at in _mailboxes(message, place) if at not in lists]
        named = [found for found in real if found[0].casefold() == name.casefold()]
        if len(named or real) == 1:
            said, at = (named or real)[0]
            return person(said or name, at), False
    for said_raw, at_raw in _SIGNED.findall(text):
        said = said_raw.decode(errors="replace")
        if said.casefold() == name.casefold():
            return person(said, at_raw.decode(errors="replace")), False
    return person(name, address), True


def in_body(text: bytes) -> tuple[Mapping[str, str], bytes]:
    """The headers that a forwarder put before the commit message, which git believes; the rest."""
    found: dict[str, str] = {}
    rest = text.lstrip(b"\r\n\t ")
    while match := _IN_BODY.match(rest):
        name = match[1].decode().lower()
        value = " ".join(_words(match[2].decode(errors="replace")).split())
        if name in found or (name == "from" and not re.search(r"<\S+>$", value)):
            break
        found[name] = value
        rest = rest[match.end() :]
    return (found, rest) if found else ({}, text)


def person(name: str, address: str) -> str:
    """`Name <address>` that nothing in it can break out of."""
    clean = re.sub(r"[<>\n\r\0]", "", name).strip()
    at = re.sub(r"[<>\s\0]", "", address)
    return f"{clean or at or 'unknown'} <{at or 'unknown@localhost'}>"


def address_of(author: str) -> str:
    """The address in `Name <address>`, in small letters."""
    return author.rpartition("<")[2].rstrip(">").lower()


def _raw(message: Message, name: str) -> str:
    for key, value in message.raw_items():
        if key.lower() == name.lower():
            data = str(value).encode("utf-8", "surrogateescape")
            try:
                return data.decode("utf-8")
            except UnicodeDecodeError:
                return data.decode("latin-1")
    return ""


def _words(value: str) -> str:
    try:
        return str(email.header.make_header(email.header.decode_header(value)))
    except (LookupError, ValueError, email.errors.HeaderParseError):
        return value


def _mailbox(raw: str) -> tuple[str, str]:
    """Split first and decode then: an encoded name may hold a comma."""
    name, address = email.utils.parseaddr(" ".join(raw.split()))
    if "@" not in address:
        match = re.match(r"\s*(.*?)\s*<([^<>\s]*)>", raw)
        name, address = (match[1].strip('"'), match[2]) if match else (name, address)
    return " ".join(_words(name).split()), address


def _mailboxes(message: Message, name: str) -> list[tuple[str, str]]:
    value = _raw(message, name).replace("mailto:", "")
    found = email.utils.getaddresses([" ".join(value.split())])
    return [(" ".join(_words(said).split()), at.lower()) for said, at in found if "@" in at]
