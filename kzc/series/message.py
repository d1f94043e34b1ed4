# SPDX-License-Identifier: GPL-2.0-only
"""The commit message of a patch, its trailers apart, and how two of them differ. Pure."""

from __future__ import annotations

import difflib
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from kzc.series.diff import find_diff
from kzc.values import Patch

_TRAILER = re.compile(r"[A-Za-z][A-Za-z0-9-]*: ?\S|\[[^\]]+: [^\]]*\]$|\(cherry picked from ")
_CUT = re.compile(rb"^---[ \t]*$", re.MULTILINE)
_IN_BODY = re.compile(r"\A\s*From: [^\n]*\n\s*")


@dataclass(frozen=True)
class Message:
    """Title, paragraphs of the text and trailers, each with its own lines."""

    title: str
    author: str
    text: tuple[str, ...]
    trailers: tuple[str, ...]


@dataclass(frozen=True)
class MessageDelta:
    """What differs; `title` and `author` are the older ones, empty where they stayed.

    `text` are lines with `+`, `-` or a blank in front.
    """

    title: str = ""
    author: str = ""
    text: tuple[str, ...] = ()
    came: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.title or self.author or self.text or self.came or self.gone)


def message_of(patch: Patch) -> Message:
    """The message as git am would commit it; what stands below `---` is no part of it."""
    body = patch.body.partition(b"\n\n")[2]
    raw = _CUT.split(body[: len(body) - len(find_diff(body))], maxsplit=1)[0]
    text = _IN_BODY.sub("", raw.decode(errors="replace"), count=1)
    lines = [line.rstrip() for line in text.strip("\n").split("\n")]
    while lines and not lines[-1].strip():
        lines.pop()
    at = _trailers_from(lines)
    kept = lines[:at]
    while kept and not kept[-1]:
        kept.pop()
    return Message(patch.subject, patch.author, tuple(kept), _unfolded(lines[at:]))


def compare_messages(old: Message, new: Message) -> MessageDelta:
    """How they differ. Text that was only wrapped otherwise did not change."""
    came = Counter(new.trailers) - Counter(old.trailers)
    gone = Counter(old.trailers) - Counter(new.trailers)
    return MessageDelta(
        old.title if old.title != new.title else "",
        old.author if old.author != new.author else "",
        compare_texts(old.text, new.text),
        tuple(dict.fromkeys(each for each in new.trailers if each in came)),
        tuple(dict.fromkeys(each for each in old.trailers if each in gone)),
    )


def compare_texts(old: Sequence[str], new: Sequence[str], context: int = 1) -> tuple[str, ...]:
    """A short diff of two texts, without headers; empty where only the wrapping differs."""
    if " ".join(old).split() == " ".join(new).split():
        return ()
    found = difflib.unified_diff(old, new, n=context, lineterm="")
    return tuple(line for line in list(found)[2:] if not line.startswith("@@"))


def _trailers_from(lines: Sequence[str]) -> int:
    """Where the last paragraph begins, if all of it is trailers; else the end."""
    at = len(lines)
    while at and lines[at - 1]:
        at -= 1
    last = lines[at:]
    folded = (place > 0 and line[:1] in (" ", "\t") for place, line in enumerate(last))
    whole = all(more or _TRAILER.match(line) for more, line in zip(folded, last, strict=True))
    return at if last and whole else len(lines)


def _unfolded(lines: Sequence[str]) -> tuple[str, ...]:
    found: list[str] = []
    for line in lines:
        if line[:1] in (" ", "\t") and found:
            found[-1] += f" {line.strip()}"
        else:
            found.append(line)
    return tuple(found)
