# SPDX-License-Identifier: GPL-2.0-only
"""The uapi numbers of a series that was applied, as an Outcome of their own.

Read from the commits with three calls of git, and only where the series touches such a header.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from kzc.git import Git
from kzc.series.constants import Constant
from kzc.series.uapi import (
    Collision,
    Lacking,
    find_collisions,
    find_lacking,
    is_socket_header,
    watched,
)
from kzc.values import Outcome, Series, Stage, Verdict

SUBJECT = "uapi numbers"
_PLACES = ("include/uapi", "include/linux/socket.h", "arch")


def check_numbers(git: Git, base: str, head: str, series: Series) -> Outcome | None:
    """FAIL where a constant that is new from `base` to `head` has the value of another one.

    None where no header is touched whose numbers programs see. `detail` has `commit` (`head`),
    `collisions` (of each `patch`, and `new` and `taken` with file, line, name and value) and, as
    `warnings`, socket options that architectures with a header of their own do not get.
    """
    words = ("diff", "--name-only", "--no-renames", "-z", base, head, "--")
    touched = [path for path in git.out(*words, *_PLACES).split("\0") if watched(path)]
    if not touched:
        return None
    after = list(touched)
    if any(map(is_socket_header, touched)):
        listed = git.out("ls-tree", "--name-only", "-z", head, "arch/").split("\0")
        own = [f"{arch}/include/uapi/asm/socket.h" for arch in listed if arch]
        after += [path for path in own if path not in touched]
    old = _texts(git, base, touched)
    new = _texts(git, head, after)
    changed = {path: new[path] for path in touched if path in new}
    found = _outcome(find_collisions(old, changed), find_lacking(old, new), series)
    return replace(found, detail={"commit": head, **found.detail})


def _outcome(
    collisions: Iterable[Collision], lacking: Iterable[Lacking], series: Series
) -> Outcome:
    found = [_told(each, series) for each in collisions]
    warned = [_warning(each) for each in lacking]
    detail: dict[str, Any] = {"collisions": found, "warnings": warned}
    flags = [each["text"] for each in warned]
    if not found:
        reason = "; ".join(flags) if flags else "no new one is taken already"
        return Outcome(Stage.APPLY, SUBJECT, Verdict.PASS, detail=detail, reason=reason)
    detail["hint"] = "give the new constant the next free value of this tree, on each architecture"
    reason = "; ".join([*(each["text"] for each in found), *flags])
    return Outcome(Stage.APPLY, SUBJECT, Verdict.FAIL, detail=detail, reason=reason)


def _told(collision: Collision, series: Series) -> dict[str, Any]:
    patch = _patch_of(collision.new, series)
    where = f"patch {patch}, " if patch else ""
    return {
        "text": where + str(collision),
        "patch": patch,
        "new": _place(collision.new),
        "taken": _place(collision.taken),
    }


def _warning(lacking: Lacking) -> dict[str, Any]:
    at = lacking.constant
    words = f"{at.name} {at.shown} is missing in {', '.join(lacking.architectures)}"
    text = f"{words}, which have a socket.h of their own"
    return {"file": at.file, "line": at.line, "kind": "missing", "text": text}


def _place(constant: Constant) -> Mapping[str, Any]:
    return {
        "file": constant.file,
        "line": constant.line,
        "name": constant.name,
        "value": constant.shown,
    }


def _patch_of(constant: Constant, series: Series) -> str:
    """The patch that adds it, as `2/3`; empty where no patch says its name."""
    added = re.compile(rb"^\+.*\b%s\b" % re.escape(constant.name.encode()), re.M)
    total = len(series.patches)
    numbers = (at for at, patch in enumerate(series.patches, 1) if added.search(patch.body))
    return next((f"{number}/{total}" for number in numbers), "")


def _texts(git: Git, commit: str, paths: Iterable[str]) -> dict[str, str]:
    """The files at a commit, without those that are not there."""
    paths = [path for path in paths if "\n" not in path]
    asked = "".join(f"{commit}:{path}\n" for path in paths).encode()
    raw = git.run("cat-file", "--batch", stdin=asked).raw
    found: dict[str, str] = {}
    at = 0
    for path in paths:
        end = raw.index(b"\n", at)
        words = raw[at:end].split(b" ")
        at = end + 1
        if words[-1] == b"missing":
            continue
        size = int(words[-1])
        found[path] = raw[at : at + size].decode(errors="replace")
        at += size + 1
    return found
