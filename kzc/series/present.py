# SPDX-License-Identifier: GPL-2.0-only
"""Whether a tree has the feature of a carried series already. Read from the tree's commit, as a
version proves nothing: distributions take features back into older kernels.
"""

from __future__ import annotations

from dataclasses import dataclass

from kzc.errors import CommandFailed
from kzc.git import Git
from kzc.series.manifest import Manifest, Mark


@dataclass(frozen=True)
class Present:
    """A series that a tree has: `places` (FILE:LINE) show it; `since` is the first release that has
    it (v6.7), empty if none is known."""

    name: str
    since: str
    places: tuple[str, ...]

    def reason(self, version: str) -> str:
        """The sentence that says so, of a tree of that version."""
        since = f" (since {self.since})" if self.since else ""
        return f"{version} has it already{since}: nothing to apply"


def find_present(git: Git, commit: str, name: str, manifest: Manifest) -> Present | None:
    """What shows that the commit has the series `name`; None unless all of its marks are there.

    Raises CommandFailed where the commit cannot be read.
    """
    places = []
    for mark in manifest.present:
        place = _place(git, commit, mark)
        if not place:
            return None
        places.append(place)
    return Present(name, manifest.upstream_since, tuple(places)) if places else None


def _place(git: Git, commit: str, mark: Mark) -> str:
    words = ("grep", "-n", "-F", "-m1", "--no-color", "-e", mark.has, commit, "--", mark.file)
    done = git.run(*words, check=False)
    if done.code > 1:
        raise CommandFailed(git.argv(*words), done.code, tail=done.stderr)
    if done.code:
        return ""
    _, file, line, _ = done.stdout.split(":", 3)
    return f"{file}:{line}"
