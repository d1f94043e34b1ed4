# SPDX-License-Identifier: GPL-2.0-only
"""From mails to postings: which mails one sending of a series is made of, what replies to it. Pure.

A posting is found by how its mails reply to each other, never by their numbers alone; mails that
reply to nothing join by version and count. Copies of one mail that came over several lists are
one mail. Nothing is chosen here and nothing dropped without a note.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from kzc.errors import UsageError
from kzc.series.mail import Mail

Slot = int | str


@dataclass(frozen=True)
class Found:
    """A mail, and its place as a person would find it."""

    shown: str
    mail: Mail


@dataclass(frozen=True)
class Posting:
    """One sending: the patches by their number (by title where they have none), and the cover."""

    version: int
    total: int
    patches: Mapping[Slot, Found]
    cover: Found | None = None
    notes: tuple[str, ...] = ()

    @property
    def mails(self) -> tuple[Found, ...]:
        """The cover, if there is one, and the patches in order."""
        ordered = [self.patches[slot] for slot in self.patches if isinstance(slot, str)]
        ordered += [self.patches[slot] for slot in sorted(_numbers(self.patches))]
        return (*([self.cover] if self.cover else []), *ordered)

    @property
    def title(self) -> str:
        return self.mails[0].mail.title

    @property
    def message_id(self) -> str:
        return self.mails[0].mail.message_id

    @property
    def moment(self) -> float:
        return max(found.mail.moment for found in self.mails)

    @property
    def missing(self) -> tuple[int, ...]:
        """The numbers that are announced and not there."""
        highest = max((self.total, *_numbers(self.patches)))
        return tuple(number for number in range(1, highest + 1) if number not in self.patches)

    @property
    def named(self) -> str:
        """Words that tell it from others."""
        first = self.mails[0].mail
        known = first.message_id or self.mails[0].shown
        return f"v{self.version} {first.title!r} ({known}, {first.date})"


@dataclass(frozen=True)
class Thread:
    """All of what some mails hold; `above` are the known mails by Message-ID."""

    postings: tuple[Posting, ...]
    replies: tuple[Found, ...]
    above: Mapping[str, Found]
    notes: tuple[str, ...] = ()

    def ancestors(self, mail: Mail) -> Iterator[Found]:
        """What `mail` replies to, the nearest first, as far as it is there."""
        return _ancestors(mail, self.above)


def read_thread(mails: Sequence[Found]) -> Thread:
    """Sort mails out. Raises UsageError where two mails with one Message-ID say different things.

    Replies are all mails that are neither patch nor cover, whatever diff they carry.
    """
    single, notes = _without_copies(mails)
    above = {found.mail.message_id: found for found in single if found.mail.message_id}
    parts: list[Found] = []
    replies: list[Found] = []
    for found in single:
        placed, note = _placed(found, above)
        (parts if placed else replies).append(placed or found)
        notes += [note] if note else []
    above |= {found.mail.message_id: found for found in parts if found.mail.message_id}
    return Thread(_postings(parts, above), tuple(replies), above, tuple(notes))


def is_cover(mail: Mail) -> bool:
    """[PATCH 0/n]."""
    return mail.counted and mail.number == 0


def is_part(mail: Mail) -> bool:
    """Whether it is, by its own words, a patch or a cover."""
    return not mail.reply and (mail.patch or bool(mail.diff))


def _without_copies(mails: Sequence[Found]) -> tuple[list[Found], list[str]]:
    """One of each, the least changed by a list; what was dropped in words."""
    kept: dict[object, Found] = {}
    copies = 0
    for found in mails:
        mail = found.mail
        said = mail.title, mail.date, mail.text if not mail.diff else b""
        key: object = mail.message_id or (*_place(mail), *said)
        before = kept.setdefault(key, found)
        if before is found:
            continue
        other = before.mail
        if _place(mail) != _place(other):
            raise UsageError(
                f"two different mails are {mail.message_id}: {before.shown} and {found.shown}",
                "take the one out that is not the author's",
            )
        copies += 1
        if _changed(mail) < _changed(other):
            kept[key] = found
    noted = f"{copies} mail{'s' * (copies > 1)} came more than once: one copy of each was taken"
    return list(kept.values()), [noted] if copies else []


def _place(mail: Mail) -> tuple[object, ...]:
    """What two copies of one mail cannot differ in."""
    return mail.version, _slot(mail), mail.total, mail.reply, mail.changes


def _changed(mail: Mail) -> tuple[bool, int]:
    return mail.masked or " via " in mail.author, len(mail.text)


def _placed(found: Found, above: Mapping[str, Found]) -> tuple[Found | None, str]:
    """The mail with its place in a series; None for a reply. A note where that is a surprise."""
    mail = found.mail
    if not is_part(mail):
        return None, ""
    over = next((up.mail for up in _ancestors(mail, above) if is_part(up.mail)), None)
    if over is None or is_cover(mail):
        return found, ""
    same = (mail.version, mail.number, mail.total) == (over.version, over.number, over.total)
    if not mail.diff and same:
        return None, ""
    if mail.counted or not over.counted or is_cover(over):
        return found, ""
    if mail.version > over.version:
        placed = replace(mail, number=over.number, total=over.total, counted=True)
        return replace(found, mail=placed), ""
    left = f"left out: {mail.subject!r} by {mail.author}, sent in reply to patch {over.number}"
    return None, left


def _ancestors(mail: Mail, above: Mapping[str, Found]) -> Iterator[Found]:
    seen = {mail.message_id}
    while True:
        up = next((above[at] for at in mail.parents if at in above and at not in seen), None)
        if up is None:
            return
        yield up
        mail = up.mail
        seen.add(mail.message_id)


def _postings(parts: Sequence[Found], above: Mapping[str, Found]) -> tuple[Posting, ...]:
    groups: dict[tuple[str, int, int], list[Found]] = {}
    loose = []
    known: dict[str, str] = {}
    # the earlier one first, as numbers may be taken; what has no number stays as it came
    for found in sorted(parts, key=lambda each: each.mail.moment if each.mail.counted else -1.0):
        key = _key(found.mail, above, known)
        if not key:
            loose.append(found)
        else:
            groups.setdefault((key, found.mail.version, _total(found.mail)), []).append(found)
    alone = []
    for found in loose:
        own = found.mail.message_id, found.mail.version, _total(found.mail)
        if own in groups:
            groups[own].insert(0, found)
        else:
            alone.append(found)
    for found in alone:
        _join(found, groups)
    split = [posting for group in groups.values() for posting in _split(group)]
    return tuple(sorted(split, key=lambda posting: posting.moment))


def _total(mail: Mail) -> int:
    return mail.total if mail.counted else 0


def _key(mail: Mail, above: Mapping[str, Found], known: dict[str, str]) -> str:
    """Names the posting that a mail says it is of; empty where it replies to nothing.

    `known` are the keys found before, by Message-ID; this one's are added.
    """
    path = [mail]
    for found in _ancestors(mail, above):
        if is_cover(path[-1]) or path[-1].message_id in known:
            break
        if is_part(found.mail):
            path.append(found.mail)
    root = path[-1]
    key = root.message_id if is_cover(root) else root.parents[0] if root.parents else ""
    key = known.get(root.message_id, key)
    for up, below in zip(reversed(path), reversed(path[:-1]), strict=False):
        key = key or up.message_id
        if (up.version, _total(up)) != (below.version, _total(below)):
            key = f"under {key}"
        if below.message_id:
            known[below.message_id] = key
    return key


def _join(found: Found, groups: dict[tuple[str, int, int], list[Found]]) -> None:
    """Put a mail that replies to nothing where its number is free."""
    kind = found.mail.version, _total(found.mail)
    for key, group in groups.items():
        if key[1:] == kind and _fits(found, group):
            group.append(found)
            return
    groups[f"loose {len(groups)}", *kind] = [found]


def _fits(found: Found, group: Iterable[Found]) -> bool:
    taken = {_slot(each.mail): each.mail.changes for each in group}
    slot = _slot(found.mail)
    return slot not in taken or (taken[slot] == found.mail.changes and not found.mail.message_id)


def _slot(mail: Mail) -> Slot:
    return mail.number if mail.counted else mail.title


def _split(group: Sequence[Found]) -> list[Posting]:
    """Usually one posting; a second one for those whose number is taken by another content."""
    postings: list[Posting] = []
    for found in group:
        slot = _slot(found.mail)
        for at, posting in enumerate(postings):
            taken = posting.cover if slot == 0 else posting.patches.get(slot)
            if taken is None:
                postings[at] = _with(posting, slot, found)
                break
            if taken.mail.changes == found.mail.changes:
                note = (
                    f"{found.mail.subject!r} was sent again with the same diff: taken as last sent"
                )
                newer = _with(posting, slot, found)
                postings[at] = replace(newer, notes=(*posting.notes, note))
                break
        else:
            empty = Posting(found.mail.version, _total(found.mail), {})
            postings.append(_with(empty, slot, found))
    return postings


def _with(posting: Posting, slot: Slot, found: Found) -> Posting:
    if slot == 0:
        return replace(posting, cover=found)
    return replace(posting, patches={**posting.patches, slot: found})


def _numbers(slots: Iterable[Slot]) -> list[int]:
    return [slot for slot in slots if isinstance(slot, int)]
