# SPDX-License-Identifier: GPL-2.0-only
"""Mails as lists deliver them, for the small kernel: one function per kind, a dict per header."""

from __future__ import annotations

from typing import Any

from kzc.series.choose import NEWEST, Choice
from kzc.series.mails import Intake, Source, take_in

JANE = "Jane Doe <jane@example.org>"
BOB = "Bob Roe <bob@example.org>"
SEPARATOR = b"From mboxrd@z Thu Jan  1 00:00:00 1970\n"


def diff(number: int, kind: str = "long", file: str = "net/socket.c") -> str:
    """A change to line `number`, with the context that the small kernel has."""
    word = file.rpartition("/")[2].partition(".")[0]
    around = [f" int {word}_{at}\n".replace("\n", ";\n") for at in range(number - 3, number + 4)]
    around[3:4] = [f"-int {word}_{number};\n", f"+{kind} {word}_{number};\n"]
    head = f"diff --git a/{file} b/{file}\n--- a/{file}\n+++ b/{file}\n"
    return f"{head}@@ -{number - 3},7 +{number - 3},7 @@\n{''.join(around)}"


def mail(
    subject: str, body: str, at: str = "", over: str = "", day: int = 1, **headers: str
) -> bytes:
    """A mail with Message-ID <at> in reply to <over>, on a day of July; `who` is its From."""
    lines = {
        "From": headers.pop("who", JANE),
        "Date": f"{day:02} Jul 2024 10:00:00 +0000",
        "Subject": subject,
        "Message-ID": f"<{at}>" if at else "",
        "In-Reply-To": f"<{over}>" if over else "",
        **{name.replace("_", "-"): value for name, value in headers.items()},
    }
    head = "".join(f"{name}: {value}\n" for name, value in lines.items() if value)
    return f"{head}\n{body}".encode()


def patch(tag: str, title: str, change: str, at: str = "", over: str = "", **more: Any) -> bytes:
    """A patch with its commit message, a trailer and a signature."""
    body = f"Because of {title}.\n\nSigned-off-by: {JANE}\n---\n{change}-- \n2.39.5\n"
    return mail(f"[PATCH {tag}] {title}", body, at, over, **more)


def posting(version: int = 1, kind: str = "long", day: int = 1, mark: str = "") -> list[bytes]:
    """A cover and three patches; Message-IDs are cN@x, 1vN@x, 2vN@x, 3vN@x, with `mark` in them."""
    tag = "" if version == 1 else f"v{version} "
    root = f"c{version}{mark}@x"
    cover = f"What it is for.\n\nBased on net-next.\n\n-- \n{2}.39.5\n"
    found = [mail(f"[PATCH {tag}0/3] net: widen three", cover, root, day=day)]
    for number in (1, 2, 3):
        at = f"{number}v{version}{mark}@x"
        change = diff(number * 10, kind)
        found.append(patch(f"{tag}{number}/3", f"net: widen {number}", change, at, root, day=day))
    return found


def reply(text: str, over: str, who: str = BOB, at: str = "", day: int = 9) -> bytes:
    """An answer to <over>."""
    return mail("Re: [PATCH] net: widen", text, at or f"re-{over}", over, day, who=who)


def take(mails: list[bytes], choice: Choice = NEWEST) -> Intake:
    """What kzc understands of them."""
    sources = [Source(raw, f"mail {at}", "patch") for at, raw in enumerate(mails, start=1)]
    return take_in(sources, "x", "x.mbox", choice)


def ids(intake: Intake) -> list[str]:
    return [patch.message_id.strip("<>") for patch in intake.series.patches]


def mbox(mails: list[bytes]) -> bytes:
    """As b4 and lore write it."""
    quoted = (
        b"\n".join(b">" + s if s.startswith(b"From ") else s for s in m.split(b"\n")) for m in mails
    )
    return b"".join(SEPARATOR + each + b"\n" for each in quoted)
