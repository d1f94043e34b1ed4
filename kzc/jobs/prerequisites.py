# SPDX-License-Identifier: GPL-2.0-only
"""Which patches that a series names as needed before it are in a repository's history.

Looked for is only where it costs little: in the newest commits below the candidates that touch the
series' files, up to a number and an age. So one that is found is there, and one that is not may be.
A patch id is compared with that of a commit's whole diff, a Message-ID with the commit's message,
where a maintainer's Link: has it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from kzc.errors import CommandFailed
from kzc.git import Git
from kzc.series.base import Candidate, Present
from kzc.series.scratch import OFFLINE

_NUMBER = "300"
_AGE = 2 * 365 * 86_400
_CALM = {**OFFLINE, "GIT_LITERAL_PATHSPECS": "1"}
_ID = re.compile(r"[0-9a-f]{40,64}")


def present(
    git: Git, tree: str, candidates: Sequence[Candidate], wanted: Iterable[str], files: list[str]
) -> tuple[Present, ...]:
    """Those of `wanted` (patch ids and Message-IDs) that are below the candidates, all of which
    `git` reads, with their commits."""
    wanted = tuple(wanted)
    if not wanted or not candidates or not files:
        return ()
    newest = max(each.when for each in candidates)
    since = [f"--since={newest - _AGE}"] if newest > _AGE else []
    walk = [f"--max-count={_NUMBER}", "--min-parents=1", "--max-parents=1", *since]
    where = [*dict.fromkeys(each.commit for each in candidates), "--", *files]
    try:
        return _found(git, tree, wanted, (walk, where))
    except CommandFailed:
        return ()  # a partial clone lacks what it would take


def _found(
    git: Git, tree: str, wanted: tuple[str, ...], words: tuple[list[str], list[str]]
) -> tuple[Present, ...]:
    walk, where = words
    said = git.out("log", "-z", "--format=%H%n%B", *walk, *where, env=_CALM)
    messages = {
        entry.partition("\n")[0]: entry.partition("\n")[2] for entry in said.split("\0") if entry
    }
    found: dict[str, str] = {}
    for name in (name for name in wanted if not _ID.fullmatch(name)):
        link = re.compile(rf"https?://\S+/{re.escape(name)}/?$", re.M)
        commit = next((each for each in messages if link.search(messages[each])), "")
        found |= {name: commit} if commit else {}
    if messages and any(_ID.fullmatch(name) for name in wanted):
        diffs = git.run("log", "-p", "--full-diff", "--no-color", *walk, *where, env=_CALM).raw
        ids = git.run("patch-id", "--stable", stdin=diffs).stdout.split()
        found |= dict(zip(ids[::2], ids[1::2], strict=True))
    return tuple(
        Present(name, found[name], messages.get(found[name], "").partition("\n")[0], tree)
        for name in wanted
        if name in found
    )
