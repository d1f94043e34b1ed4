# SPDX-License-Identifier: GPL-2.0-only
"""Trailers that people gave in reply to a patch, and where they go in its commit message. Pure.

By b4's rules: a line of its own, by the one who sent the mail; what is given to the cover is for
all patches. In one thing they differ: a reply that carries a diff speaks of that diff, so neither
it nor what is said in reply to it counts for the patch, where b4 credits both. b4 itself is not
asked, as the commits made of a series must not depend on which b4 a machine has.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from kzc.series.headers import address_of
from kzc.series.thread import Found, Posting, Thread

_GIVEN = re.compile(r"^([A-Z][A-Za-z-]*-by): *(\S.*?) *$")
_LINE = re.compile(rb"^(?:[A-Za-z][\w-]*: ?\S|\[.*\]$|[ \t]+\S|\(cherry picked)")
_NAMED = re.compile(rb"^[A-Za-z][\w-]*: ?\S")
_BREAK = re.compile(rb"^(?:---[ \t]*$|diff -|Index: |--- \S)", re.M)
_END = re.compile(r"^(?:-- ?$|_{10,}|-{3,} ?(?:Original|Forwarded) )", re.IGNORECASE)
_NAY = "nacked-by"


@dataclass(frozen=True)
class Given:
    """A trailer, `text` as it goes into the commit message, and the mail it came in."""

    text: str
    message_id: str

    @property
    def key(self) -> str:
        """What makes two of them the same: name and address."""
        name, _, who = self.text.partition(":")
        match = re.search(r"<([^<>]+)>", who)
        return f"{name}:{match[1] if match else who.strip()}".casefold()


@dataclass(frozen=True)
class Collected:
    """Trailers by the Message-ID of the patch they are for; `notes` say what was not counted."""

    given: Mapping[str, tuple[Given, ...]]
    notes: tuple[str, ...] = ()


def collect(thread: Thread, posting: Posting) -> Collected:
    """The trailers given to the patches of a posting."""
    own = {found.mail.message_id: found for found in posting.mails if found.mail.message_id}
    given: dict[str, list[Given]] = {}
    notes = []
    for found in sorted(thread.replies, key=lambda each: each.mail.moment):
        path = [found, *thread.ancestors(found.mail)]
        at = next((index for index, up in enumerate(path) if up.mail.message_id in own), None)
        if not at:
            continue
        # a full quote without marks repeats the patch's own diff
        whose = path[at].mail.changes
        diff = next((up for up in path[:at] if up.mail.changes not in (b"", whose)), None)
        if diff is found:
            notes.append(
                f"left out: the diff that {found.mail.author} sent in reply to "
                f"{path[at].mail.subject!r}"
            )
        good, bad = _trailers(found)
        notes += [f"not counted: {why}" for why in bad]
        if diff is not None:
            notes += [
                f"not counted: {each.text!r}, which speaks of the diff in reply" for each in good
            ]
        else:
            given.setdefault(path[at].mail.message_id, []).extend(good)
    return Collected(_by_patch(posting, given), tuple(notes))


def add_trailers(text: bytes, given: Iterable[Given]) -> bytes:
    """The text of a patch mail with the trailers below those that its message ends with."""
    match = _BREAK.search(text)
    at = match.start() if match else len(text)
    message, rest = text[:at].rstrip(), text[at:]
    lines = message.split(b"\n")
    known = {Given(line.decode(errors="replace"), "").key for line in lines}
    new = []
    for each in given:
        if each.key not in known:
            new.append(each.text.encode(errors="replace"))
            known.add(each.key)
    if not new:
        return text
    first = next((index for index in range(len(lines), 0, -1) if not lines[index - 1].strip()), 0)
    block = lines[first:]
    trailing = all(_LINE.match(line) for line in block) and any(map(_NAMED.match, block))
    gap = b"\n" if trailing else b"\n\n" if message else b""
    return message + gap + b"\n".join(new) + b"\n" + rest


def _by_patch(
    posting: Posting, given: Mapping[str, Sequence[Given]]
) -> dict[str, tuple[Given, ...]]:
    cover = posting.cover
    found = {}
    for patch in posting.patches.values():
        mine = [*given.get(patch.mail.message_id, ())]
        # what was said of an older cover was not said of a patch that came later
        if cover is not None and cover.mail.version == patch.mail.version:
            mine += given.get(cover.mail.message_id, ())
        if mine and patch.mail.message_id:
            found[patch.mail.message_id] = tuple({each.key: each for each in mine}.values())
    return found


def _trailers(found: Found) -> tuple[list[Given], list[str]]:
    """Those that the sender gives himself, and why others are not counted."""
    mail = found.mail
    good, bad = [], []
    for line in _own_lines(mail.text[: len(mail.text) - len(mail.diff)]):
        match = _GIVEN.match(line)
        if match is None or not line.isprintable():
            continue
        given = Given(f"{match[1]}: {match[2]}", mail.message_id)
        if match[1].lower() == _NAY:
            bad.append(f"{given.text!r}: somebody is against it")
        elif _same_person(match[2], mail.author):
            good.append(given)
        else:
            bad.append(f"{given.text!r}, as it came from {mail.author}")
    return good, bad


def _own_lines(text: bytes) -> list[str]:
    """What is not quoted, up to the signature; an address on a line of its own joins its name."""
    lines: list[str] = []
    for line in text.decode(errors="replace").split("\n"):
        if _END.match(line):
            break
        if lines and _GIVEN.match(lines[-1]) and "<" not in lines[-1] and line.lstrip()[:1] == "<":
            lines[-1] += f" {line.strip()}"
        else:
            lines.append(line.rstrip("\r"))
    return lines


def _same_person(who: str, author: str) -> bool:
    match = re.match(r"(.*?) *<([^<>]+)>", who)
    if match is None:
        return False
    name = author.partition("<")[0].strip()
    said = match[1].strip('"')
    return match[2].lower() == address_of(author) or said.casefold() == name.casefold()
