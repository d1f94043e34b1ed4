# SPDX-License-Identifier: GPL-2.0-only
"""Which posting of a thread is meant: the newest whole version, unless the user says another. Pure.

What is ambiguous is refused with the Message-IDs to choose from; a partial reroll counts only
where its mails reply to the very patches they replace.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from kzc.errors import UsageError
from kzc.series.headers import address_of
from kzc.series.thread import Found, Posting, Slot, Thread, is_cover, is_part

_WHICH = "say which: --posting MESSAGE-ID"
_FILE = re.compile(rb"^\+\+\+ b/(.*)$", re.M)
AGAIN = "fetch it again, or save it as lore's raw mbox"


@dataclass(frozen=True)
class Choice:
    """What the user says: a version (0: the newest) or a mail of the posting he means.

    A `posting` that is only `preferred` is no error where it names a reply or nothing.
    """

    version: int = 0
    posting: str = ""
    preferred: bool = False


NEWEST = Choice()


@dataclass(frozen=True)
class Chosen:
    """`posting` may be put together of two; `notes` say so, and what else there was."""

    posting: Posting
    notes: tuple[str, ...] = ()


def choose(thread: Thread, choice: Choice, origin: str) -> Chosen:
    """The posting that is meant. Raises UsageError: several series, versions alike, gaps."""
    named = _named(thread, choice, origin)
    if named is not None:
        chosen = _whole(named, thread, origin)
        return _with_others(chosen, thread)
    if not choice.version:
        _one_series(thread, origin)
    version = choice.version or max(posting.version for posting in thread.postings)
    return _with_others(_of_version(version, thread, origin), thread)


def _named(thread: Thread, choice: Choice, origin: str) -> Posting | None:
    if not choice.posting:
        return None
    wanted = f"<{choice.posting.strip('<> ')}>"
    for posting in thread.postings:
        if any(found.mail.message_id == wanted for found in posting.mails):
            return posting
    if choice.preferred:
        return None
    raise UsageError(f"{origin}: no posting has the mail {wanted}", _listed(thread.postings))


def _of_version(version: int, thread: Thread, origin: str) -> Chosen:
    alike = [posting for posting in thread.postings if posting.version == version]
    if not alike:
        raise UsageError(f"{origin}: there is no v{version} in it", _listed(thread.postings))
    joined = _joined(alike)
    if joined is not None:
        return _whole(joined, thread, origin)
    whole = [posting for posting in alike if not posting.missing]
    newest = max(whole or alike, key=lambda posting: posting.moment)
    for other in alike:
        if other is not newest:
            _same_or_refused(newest, other, origin)
    chosen = _whole(newest, thread, origin)
    words = f"{len(whole)} times" if len(whole) > 1 else "once, and parts of it again,"
    note = (
        f"v{version} was posted {words} with the same patches: the newest whole one, "
        f"{newest.message_id or newest.mails[0].shown} of {newest.mails[0].mail.date}, was taken"
    )
    return replace(chosen, notes=(note, *chosen.notes))


def _joined(alike: Sequence[Posting]) -> Posting | None:
    """One posting of several whose threading broke, where no number is in two of them."""
    if len(alike) == 1:
        return alike[0]
    slots: list[Slot] = [slot for posting in alike for slot in posting.patches]
    covers = [posting.cover for posting in alike if posting.cover is not None]
    counted = all(isinstance(slot, int) for slot in slots)
    totals = {posting.total for posting in alike}
    if not counted or len(set(slots)) < len(slots) or len(covers) > 1 or len(totals) > 1:
        return None
    together = {slot: found for posting in alike for slot, found in posting.patches.items()}
    notes = tuple(note for posting in alike for note in posting.notes)
    cover = covers[0] if covers else None
    return Posting(alike[0].version, alike[0].total, together, cover, notes)


def _same_or_refused(newest: Posting, other: Posting, origin: str) -> None:
    if bool(newest.total) != bool(other.total):
        odd = other if newest.total else newest
        raise UsageError(
            f"{odd.mails[0].shown}: {odd.mails[0].mail.subject!r} has a diff, but no number among "
            "the others",
            f"take the mail out, give it its place in the series, or {_WHICH}",
        )
    short = not other.missing and other.patches.keys() != newest.patches.keys()
    for slot, found in other.patches.items():
        mine = newest.patches.get(slot)
        if not short and mine is not None and mine.mail.changes == found.mail.changes:
            continue
        if (
            not short
            and mine is not None
            and (other.missing or not (newest.message_id and other.message_id))
        ):
            first, second = sorted((mine, found), key=lambda each: each.mail.moment)
            raise UsageError(
                f"{origin}: two different mails are {slot}/{newest.total}: "
                f"{_at(first)} and {_at(second)}",
                "keep the mails of one posting only, or " + _WHICH,
            )
        raise UsageError(
            f"{origin}: v{newest.version} was posted twice with different patches: "
            f"{other.named} and {newest.named}",
            _WHICH,
        )


def _at(found: Found) -> str:
    known = found.mail.message_id
    return f"{found.shown} ({known}, {found.mail.date})" if known else found.shown


def _whole(
    posting: Posting, thread: Thread, origin: str, after: tuple[Posting, ...] = ()
) -> Chosen:
    """With nothing missing, if need be by what a partial reroll left as it was.

    `after` are the rerolls that led here.
    """
    if posting.patches and not posting.missing:
        return Chosen(posting, posting.notes)
    older = {each.version for each in thread.postings if each.patches and not each.missing}
    hint = f"{AGAIN}; --version {max(older)} takes what is whole" if older else AGAIN
    if not posting.patches:
        raise UsageError(f"{origin}: a cover letter without its patches", hint)
    before = _rerolled(posting, thread)
    if before is None or before in after:
        raise UsageError(
            f"{origin}: the series is not whole: {', '.join(map(str, posting.missing))} of "
            f"{posting.total} {'is' if len(posting.missing) == 1 else 'are'} missing",
            hint,
        )
    ground = _whole(before, thread, origin, (*after, posting))
    new = ", ".join(f"{slot}/{posting.total}" for slot in posting.patches)
    note = (
        f"put together: only {new} was posted as v{posting.version}, in reply to "
        f"v{before.version}; the other patches are those of v{before.version}"
    )
    patches = {**ground.posting.patches, **posting.patches}
    together = replace(posting, patches=patches, cover=ground.posting.cover)
    return Chosen(together, (note, *posting.notes, *ground.notes))


def _rerolled(posting: Posting, thread: Thread) -> Posting | None:
    """The older posting whose patches these replace; None where no reply link proves it."""
    if posting.cover is not None:
        return None
    ground = None
    for slot, found in posting.patches.items():
        above = (up for up in thread.ancestors(found.mail) if is_part(up.mail))
        over = next((up for up in above if up not in posting.patches.values()), None)
        if over is None or over.mail.version > posting.version or is_cover(over.mail):
            return None
        if (over.mail.number, over.mail.total) != (slot, posting.total):
            return None
        of = next((each for each in thread.postings if over in each.patches.values()), None)
        if of is None or (ground is not None and of is not ground):
            return None
        ground = of
    return ground


def _one_series(thread: Thread, origin: str) -> None:
    """Raises UsageError where the mails are of series that have nothing to do with each other."""
    groups: list[list[Posting]] = []
    for posting in thread.postings:
        near = [group for group in groups if any(_related(posting, each, thread) for each in group)]
        groups = [group for group in groups if group not in near]
        groups.append([posting, *(each for group in near for each in group)])
    if len(groups) > 1:
        raise UsageError(
            f"{origin}: there are {len(groups)} series in it that have nothing in common",
            _listed([max(group, key=lambda each: each.version) for group in groups]),
        )


def _related(one: Posting, other: Posting, thread: Thread) -> bool:
    alike = (one.version, one.total) == (other.version, other.total)
    if alike and one.patches.keys().isdisjoint(other.patches):
        # perhaps one sending whose threading broke
        return True
    by: tuple[Callable[[Found], object], ...] = (
        lambda found: found.mail.title.casefold(),
        lambda found: _root(found, thread),
    )
    for trait in by:
        if {trait(found) for found in one.mails} & {trait(found) for found in other.mails}:
            return True
    versions = one.version != other.version
    return versions and _sender(one) == _sender(other) and bool(_files(one) & _files(other))


def _root(found: Found, thread: Thread) -> object:
    last = [found, *thread.ancestors(found.mail)][-1].mail
    return last.parents[-1] if last.parents else last.message_id or id(last)


def _files(posting: Posting) -> set[bytes]:
    return {name for found in posting.mails for name in _FILE.findall(found.mail.changes)}


def _sender(posting: Posting) -> str:
    return address_of(posting.mails[0].mail.author)


def _with_others(chosen: Chosen, thread: Thread) -> Chosen:
    """Note the versions that were not taken."""
    taken = chosen.posting.version
    others = sorted({posting.version for posting in thread.postings} - {taken})
    if not others:
        return chosen
    words = ", ".join(f"v{version}" for version in others)
    verb = "is" if len(others) == 1 else "are"
    note = f"v{taken} was taken; {words} {verb} there too (--version)"
    return replace(chosen, notes=(note, *chosen.notes))


def _listed(postings: Sequence[Posting]) -> str:
    shown = "\n".join(f"  {posting.named}" for posting in postings[-12:])
    return f"{_WHICH}; there are\n{shown}" if postings else AGAIN
