# SPDX-License-Identifier: GPL-2.0-only
"""From mails to a Series: one posting is taken, and every patch of it looked at. Pure.

Nothing is dropped silently but discussion: a patch that is missing, cut, doubled or unreadable
is a UsageError that says which mail and what is wrong with it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from kzc.errors import UsageError
from kzc.series.choose import AGAIN, NEWEST, Choice, choose
from kzc.series.diff import DiffError, FileDiff, count_changes, hostile, parse_diff
from kzc.series.headers import address_of
from kzc.series.hints import cover_text, read_hints
from kzc.series.links import check_links
from kzc.series.mail import NO_HEADERS, ONLY_HTML, Mail, read_mail
from kzc.series.thread import Found, read_thread
from kzc.series.trailers import Given, add_trailers, collect
from kzc.values import Patch, Series

_STAT = re.compile(
    rb"^ (\d+) files? changed(?:, (\d+) insertions?\(\+\))?(?:, (\d+) deletions?\(-\))?", re.M
)
_SIGNATURE = re.compile(rb"^-- ?$", re.M)
_CUT_BASE64 = {"InvalidBase64PaddingDefect", "InvalidBase64LengthDefect"}
_PULLED = re.compile(rb"in the Git repository at:\s+(\S+)[ \t]+(\S+)")


@dataclass(frozen=True)
class Source:
    """The bytes of one mail, `shown` as a person would find it, `stem` for want of a subject."""

    raw: bytes
    shown: str
    stem: str


@dataclass(frozen=True)
class Intake:
    """A series and what is known of it besides.

    `date` is the day of the posting (2024-07-30, UTC), empty if unknown; `hints` what it says in
    words of the tree it is for; `trailers` those that replies added, each with the number of its
    patch before it.
    """

    series: Series
    date: str = ""
    hints: tuple[str, ...] = ()
    trailers: tuple[str, ...] = ()


def series_from(sources: Sequence[Source], name: str, origin: str) -> Series:
    """The series in some mails. Raises UsageError."""
    return take_in(sources, name, origin).series


def take_in(sources: Sequence[Source], name: str, origin: str, choice: Choice = NEWEST) -> Intake:
    """The posting that is meant, in order, with the trailers of its replies. Raises UsageError."""
    mails = [Found(source.shown, read_mail(source.raw, source.stem)) for source in sources]
    return _intake(mails, name, origin, choice)


def series_of_one(mail: Mail, name: str, shown: str) -> Series:
    """One mail as a series, whatever it is a part of; `shown` is where it is. Raises UsageError."""
    return _intake([Found(shown, mail.alone)], name, "", NEWEST).series


def _intake(mails: Sequence[Found], name: str, origin: str, choice: Choice) -> Intake:
    for found in mails:
        _no_pull(found)
    thread = read_thread(mails)
    if not any(posting.patches for posting in thread.postings):
        cover = any(posting.cover for posting in thread.postings)
        raise UsageError(_nothing(origin, mails, cover), AGAIN)
    chosen = choose(thread, choice, origin)
    posting = chosen.posting
    parts = [found for found in posting.mails if found is not posting.cover]
    collected = collect(thread, posting)
    patches = tuple(
        _patch(number, found.shown, found.mail, collected.given.get(found.mail.message_id, ()))
        for number, found in enumerate(parts, start=1)
    )
    check_links([(found.shown, parse_diff(found.mail.diff)) for found in parts])
    cover_mail = posting.cover.mail if posting.cover else None
    hints = read_hints(cover_mail, [found.mail for found in parts])
    posted = _posted(posting.mails)
    series = Series(
        name,
        posting.title,
        patches,
        hints.base,
        origin,
        posting.version if posted else 0,
        cover_text(cover_mail).decode(errors="replace").strip(),
        posting.message_id,
        hints.needed,
        hints.links,
        (*chosen.notes, *thread.notes, *_masked(parts), *collected.notes),
        posting.mails[0].mail.tags,
    )
    given = tuple(
        f"{number}: {each.text}"
        for number, found in enumerate(parts, start=1)
        for each in collected.given.get(found.mail.message_id, ())
    )
    moment = posting.mails[0].mail.moment
    day = datetime.fromtimestamp(moment, UTC).date().isoformat() if moment and posted else ""
    return Intake(series, day, hints.words, given)


def _posted(mails: Sequence[Found]) -> bool:
    """A number of its own or a Message-ID says that it was sent; git's own files have neither."""
    return any(found.mail.message_id or found.mail.version > 1 for found in mails)


def _no_pull(found: Found) -> None:
    mail = found.mail
    if not re.search(r"\bPULL\b", mail.tags, re.IGNORECASE) or not _is_request(mail):
        return
    where = _PULLED.search(mail.text)
    fetch = f"git fetch {where[1].decode(errors='replace')} " if where else "git fetch URL "
    fetch += where[2].decode(errors="replace") if where else "REF"
    raise UsageError(
        f"{found.shown}: a pull request, not patches",
        f"in a kernel checkout: {fetch}, then give its range: kzc import BASE..FETCH_HEAD",
    )


def _is_request(mail: Mail) -> bool:
    """Whether a mail that says PULL is the request itself, not talk about it or a cover."""
    return not mail.reply and not mail.diff and not mail.counted


def _masked(parts: Sequence[Found]) -> list[str]:
    return [
        f"the list hides who wrote {found.mail.title!r}: {address_of(found.mail.author)}"
        for found in parts
        if found.mail.masked
    ]


def _nothing(origin: str, mails: Sequence[Found], cover: bool) -> str:
    if cover:
        return f"{origin}: a cover letter without its patches"
    count = f"{len(mails)} mail{'' if len(mails) == 1 else 's'}"
    return f"{origin}: there is no patch in it ({count if mails else 'it is empty'})"


def _patch(number: int, shown: str, mail: Mail, given: Sequence[Given]) -> Patch:
    what = f"{shown}: {mail.subject!r}"
    if NO_HEADERS in mail.defects:
        raise UsageError(
            f"{shown}: neither mails nor a bare diff: perhaps the text of an archive's page", AGAIN
        )
    if mail.flowed:
        raise UsageError(
            f"{what} was sent as format=flowed: the mailer re-wrapped lines and took blanks "
            "away, which nothing can undo",
            "ask for it with git send-email, or as an attachment",
        )
    if _CUT_BASE64 & set(mail.defects):
        raise UsageError(f"{what} is cut: its base64 text ends in the middle", AGAIN)
    if ONLY_HTML in mail.defects:
        raise UsageError(
            f"{what} was sent as HTML only, which keeps no diff whole", "ask for plain text"
        )
    if not mail.diff:
        raise UsageError(f"{what} has no diff: cut, or never had one", AGAIN)
    try:
        files = parse_diff(mail.diff)
    except DiffError as error:
        raise UsageError(f"{what}: {error}", AGAIN) from error
    _check_whole(what, mail, files)
    for path in (name for file in files for name in file.names):
        if hostile(path):
            raise UsageError(
                f"{what} writes to {path!r}, which is outside of the tree",
                "no honest patch does; look at it before you do anything with it",
            )
    paths = tuple(dict.fromkeys(file.path for file in files))
    body = replace(mail, text=add_trailers(mail.text, given)).rewritten
    return Patch(number, mail.title, mail.author, body, paths, mail.message_id)


def _check_whole(what: str, mail: Mail, files: Sequence[FileDiff]) -> None:
    """A cut between two hunks leaves a good diff; the diffstat and the signature tell of it."""
    if _SIGNATURE.search(mail.diff):
        return
    stat = _STAT.search(mail.text[: len(mail.text) - len(mail.diff)])
    if stat is None:
        return
    announced = tuple(int(count or 0) for count in stat.groups())
    there = count_changes(files)
    if any(have < want for have, want in zip(there, announced, strict=True)):
        raise UsageError(
            f"{what} is cut: its diffstat announces {announced[0]} files, +{announced[1]} "
            f"-{announced[2]}, there are {there[0]}, +{there[1]} -{there[2]}",
            AGAIN,
        )
