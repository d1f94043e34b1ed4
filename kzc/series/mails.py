# SPDX-License-Identifier: GPL-2.0-only
"""From mails to a Series: which of them are patches, in what order, and is it all there. Pure.

Nothing is dropped silently but discussion: a patch that is missing, cut, doubled or unreadable
is a UsageError that says which mail and what is wrong with it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from kzc.errors import UsageError
from kzc.series.diff import DiffError, FileDiff, count_changes, hostile, parse_diff
from kzc.series.mail import Mail, read_mail
from kzc.values import Patch, Series

_STAT = re.compile(
    rb"^ (\d+) files? changed(?:, (\d+) insertions?\(\+\))?(?:, (\d+) deletions?\(-\))?", re.M
)
_SIGNATURE = re.compile(rb"^-- ?$", re.M)
_BASE = re.compile(rb"^base-commit: ([0-9a-f]{12,64})\s*$", re.M)
_CUT_BASE64 = {"InvalidBase64PaddingDefect", "InvalidBase64LengthDefect"}
_AGAIN = "fetch it again, or save it as lore's raw mbox"


@dataclass(frozen=True)
class Source:
    """The bytes of one mail, `shown` as a person would find it, `stem` for want of a subject."""

    raw: bytes
    shown: str
    stem: str


def series_from(sources: Sequence[Source], name: str, origin: str) -> Series:
    """The series in some mails. Raises UsageError."""
    mails = [(source.shown, read_mail(source.raw, source.stem)) for source in sources]
    for shown, mail in mails:
        if "GIT PULL" in mail.subject.upper() and not mail.diff:
            raise UsageError(f"{shown}: a pull request, not patches", "give its range: a..b")
    wanted = [(shown, mail) for shown, mail in mails if not mail.reply and _belongs(mail)]
    newest = max((mail.version for _, mail in wanted), default=1)
    wanted = [(shown, mail) for shown, mail in wanted if mail.version == newest]
    covers = [mail for _, mail in wanted if _is_cover(mail)]
    parts = [(shown, mail) for shown, mail in wanted if not _is_cover(mail)]
    if not parts:
        raise UsageError(_nothing(origin, mails, bool(covers)), _AGAIN)
    ordered = _ordered(parts, origin)
    patches = tuple(
        _patch(number, shown, mail) for number, (shown, mail) in enumerate(ordered, start=1)
    )
    title = covers[0].title if covers else ordered[0][1].title
    base = next((found[1] for mail in _texts(mails) if (found := _BASE.search(mail))), b"")
    return Series(name, title, patches, base.decode(), origin)


def _belongs(mail: Mail) -> bool:
    return mail.patch or bool(mail.diff)


def _is_cover(mail: Mail) -> bool:
    return mail.counted and mail.number == 0


def _texts(mails: Iterable[tuple[str, Mail]]) -> Iterable[bytes]:
    return (mail.text for _, mail in mails if not mail.reply)


def _nothing(origin: str, mails: Sequence[tuple[str, Mail]], cover: bool) -> str:
    if cover:
        return f"{origin}: a cover letter without its patches"
    count = f"{len(mails)} mail{'' if len(mails) == 1 else 's'}"
    return f"{origin}: there is no patch in it ({count if mails else 'it is empty'})"


def _ordered(parts: Sequence[tuple[str, Mail]], origin: str) -> list[tuple[str, Mail]]:
    """By number, doubles dropped. Raises UsageError: different doubles, gaps, mixed counting."""
    counted = [(shown, mail) for shown, mail in parts if mail.counted]
    if not counted:
        return list(parts)
    if len(counted) != len(parts):
        odd = next((shown, mail) for shown, mail in parts if not mail.counted)
        raise UsageError(
            f"{odd[0]}: {odd[1].subject!r} has a diff, but no number among the others",
            "take the mail out, or give it its place in the series",
        )
    found: dict[int, tuple[str, Mail]] = {}
    for shown, mail in counted:
        before = found.setdefault(mail.number, (shown, mail))
        if before[1].diff != mail.diff or before[1].total != mail.total:
            raise UsageError(
                f"{origin}: two different mails are {mail.number}/{mail.total}: "
                f"{before[0]} and {shown}",
                "keep the mails of one posting only",
            )
    total = max(mail.total for _, mail in found.values())
    missing = [str(number) for number in range(1, total + 1) if number not in found]
    if missing:
        raise UsageError(
            f"{origin}: the series is not whole: {', '.join(missing)} of {total} "
            f"{'is' if len(missing) == 1 else 'are'} missing",
            _AGAIN,
        )
    return [found[number] for number in sorted(found)]


def _patch(number: int, shown: str, mail: Mail) -> Patch:
    what = f"{shown}: {mail.subject!r}"
    if mail.flowed:
        raise UsageError(
            f"{what} was sent as format=flowed: the mailer re-wrapped lines and took blanks "
            "away, which nothing can undo",
            "ask for it with git send-email, or as an attachment",
        )
    if _CUT_BASE64 & set(mail.defects):
        raise UsageError(f"{what} is cut: its base64 text ends in the middle", _AGAIN)
    if not mail.diff:
        raise UsageError(f"{what} has no diff: cut, or never had one", _AGAIN)
    try:
        files = parse_diff(mail.diff)
    except DiffError as error:
        raise UsageError(f"{what}: {error}", _AGAIN) from error
    _check_whole(what, mail, files)
    for path in (name for file in files for name in file.names):
        if hostile(path):
            raise UsageError(
                f"{what} writes to {path!r}, which is outside of the tree",
                "no honest patch does; look at it before you do anything with it",
            )
    paths = tuple(dict.fromkeys(file.path for file in files))
    return Patch(number, mail.title, mail.author, mail.rewritten, paths, mail.message_id)


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
            _AGAIN,
        )
