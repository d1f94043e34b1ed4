# SPDX-License-Identifier: GPL-2.0-only
"""Makes versions of a series for tests: patches by title and lines, at any line numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from kzc.series.mail import read_mail
from kzc.values import Patch, Series

SIGNED = "Signed-off-by: Ann Author <ann@example.org>"


def diff(
    files: Mapping[str, Sequence[str]],
    *,
    at: int = 10,
    function: str = "int f(void)",
    near: tuple[str, str] = ("line above", "line below"),
) -> str:
    """A hunk per file with these + and - lines; `at` moves numbers and blob ids."""
    parts = []
    for path, lines in files.items():
        marks = [line[0] for line in lines]
        old, new = marks.count("-") + 2, marks.count("+") + 2
        parts += [
            f"diff --git a/{path} b/{path}",
            f"index {at:07x}..{at + 1:07x} 100644",
            f"--- a/{path}",
            f"+++ b/{path}",
            f"@@ -{at},{old} +{at + 3},{new} @@ {function}",
            f" {near[0]}",
            *lines,
            f" {near[1]}",
        ]
    return "\n".join(parts) + "\n"


def patch(
    title: str, changes: str, *, text: str = "Why it is done.", trailers: Sequence[str] = (SIGNED,)
) -> Patch:
    """A patch as kzc reads it from a mail."""
    mail = read_mail(mailed(title, changes, text=text, trailers=trailers).encode())
    return Patch(1, mail.title, mail.author, mail.rewritten, (), "")


def mailed(
    title: str,
    changes: str,
    *,
    tag: str = "PATCH",
    text: str = "Why it is done.",
    trailers: Sequence[str] = (SIGNED,),
) -> str:
    """The mail of a patch."""
    message = "\n\n".join((text, "\n".join(trailers)))
    return (
        f"From: Ann Author <ann@example.org>\nDate: Mon, 1 Jan 2024 00:00:00 +0000\n"
        f"Subject: [{tag}] {title}\n\n{message}\n---\nv2: not of the message\n\n{changes}"
        "-- \n2.39\n"
    )


def series(*patches: Patch, name: str = "s", cover: str = "") -> Series:
    """Patches in order."""
    return Series(name, "t", patches, cover=cover)


def lines(word: str, count: int = 8) -> list[str]:
    """Added lines of which each is another one."""
    return [f"+int {word}_number_{at} = {at};" for at in range(count)]
