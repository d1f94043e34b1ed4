# SPDX-License-Identifier: GPL-2.0-only
"""`--skew old..new`: two kernels that meet in all four ways, since hosts and guests are upgraded
separately."""

from __future__ import annotations

from kzc.errors import UsageError


def parse_skew(text: str) -> tuple[str, str]:
    """The two words of `old..new`, split at the first `..` that leaves both non-empty.

    A `..` that is a whole part of a path is none (`../old..../new` is ../old and ../new); of
    three dots the first two are taken only where a path begins with the third (`old.../new`).
    Raises UsageError.
    """
    for at in range(1, len(text) - 2):
        old, new = text[:at], text[at + 2 :]
        in_path = old.endswith("/") and new.startswith("/")
        if text[at : at + 2] != ".." or in_path:
            continue
        if new.startswith(".") and not new.startswith(("./", "../")) and new not in (".", ".."):
            break
        return old, new
    raise UsageError(
        f"--skew {text} names no two kernels", "like this: --skew v6.12..my-branch, with two dots"
    )


def skew_pairs(old: str, new: str) -> tuple[tuple[str, str], ...]:
    """(host, guest) of the four runs, in the order of the table."""
    return (old, old), (old, new), (new, old), (new, new)
