# SPDX-License-Identifier: GPL-2.0-only
"""What a posting says of the tree it is for and of what it needs, by trailer or in words. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from kzc.series.mail import Mail

_BASE = re.compile(rb"^base-commit: ([0-9a-f]{12,64})\s*$", re.M)
_NEEDED = re.compile(
    rb"^prerequisite-(?:patch-id: ([0-9a-f]{40,64})|message-id: <?([^<>\s]+@[^<>\s]+)>?)\s*$", re.M
)
_CHANGE = re.compile(rb"^prerequisite-change-id: (\S+)\s*$", re.M)
_SAID = re.compile(
    r"\b(?:based[- ]on|on top of|depends[- ]on|base (?:commit|tree|branch)|"
    r"appl(?:y|ies) (?:cleanly )?(?:onto|on|to)|rebased (?:onto|on|to|against)|"
    r"(?:made|generated|diff) against)\b",
    re.IGNORECASE,
)
_LINK = re.compile(rb"https?://[^\s<>\"'\]]+")
_NAMED = re.compile(rb"^(?:Link|Closes|BugLink|Fixes-link): *(https?://[^\s<>]+)", re.M)
_END = re.compile(rb"^(?:-- ?$|_{10,}\s*$|(?:base-commit|prerequisite-|change-id).*$)", re.M)
_TAGS = re.compile(r"\b(?:PATCH|RFC|RESEND|REPOST|v\d+|\d+/\d+)\b|[,\s]+", re.IGNORECASE)
_MANY, _WIDE = 20, 300


@dataclass(frozen=True)
class Hints:
    """`base` is a commit id or empty; `needed` patch ids and Message-IDs; `words` for a person."""

    base: str
    needed: tuple[str, ...]
    links: tuple[str, ...]
    words: tuple[str, ...]


def read_hints(cover: Mail | None, patches: Sequence[Mail]) -> Hints:
    """Trailers count wherever git puts them: in the cover, or below the diff of a patch."""
    mails = ([cover] if cover else []) + list(patches)
    # of a series put together of two versions the newer one's base counts
    texts = [mail.text for mail in sorted(mails, key=lambda mail: -mail.version)]
    base = next((found[1].decode() for text in texts if (found := _BASE.search(text))), "")
    needed = [
        (patch_id or mail_id).decode(errors="replace")
        for text in texts
        for patch_id, mail_id in _NEEDED.findall(text)
    ]
    links = [*(_LINK.findall(cover_text(cover)) if cover else [])]
    links += [link for mail in patches for link in _NAMED.findall(_message(mail))]
    tags = dict.fromkeys(" ".join(_TAGS.sub(" ", mail.tags).split()) for mail in mails)
    words = [f"the subject says [{tag}]" for tag in tags if tag]
    changes = [each.decode(errors="replace") for text in texts for each in _CHANGE.findall(text)]
    words += [f"it needs the change {each}" for each in changes]
    for mail in mails:
        text = cover_text(mail) if mail is cover else _above(mail)
        lines = text.decode(errors="replace").split("\n")
        words += [" ".join(line.split())[:_WIDE] for line in lines if _SAID.search(line)]
    shown = tuple(link.decode(errors="replace").rstrip(".,;:)") for link in links)
    return Hints(base, _unique(needed), _unique(shown), _unique(words)[:_MANY])


def cover_text(cover: Mail | None) -> bytes:
    """What a cover says, without trailers for programs, signature and footers of lists."""
    if cover is None:
        return b""
    match = _END.search(cover.text)
    return (cover.text[: match.start()] if match else cover.text).strip() + b"\n"


def _above(mail: Mail) -> bytes:
    return mail.text[: len(mail.text) - len(mail.diff)]


def _message(mail: Mail) -> bytes:
    return _above(mail).partition(b"\n---\n")[0]


def _unique(values: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(values))
