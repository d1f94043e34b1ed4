# SPDX-License-Identifier: GPL-2.0-only
"""Bringing a patch to another base: what is known of a port, and one step of it.

A step writes commits, and nothing else: git merges in memory (merge-tree), with the patch's own
parent as the common ancestor, or, where that is not to be had, applies to an index of its own.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from pathlib import Path

from kzc.errors import HostError
from kzc.git import IDENTITY, Git
from kzc.series.diff import FileDiff, Hunk, find_diff, parse_diff
from kzc.series.landing import header_of, name_of

_FORM = 1
_DIFF = ("diff-tree", "-p", "--full-index", "--no-renames", "--src-prefix=a/", "--dst-prefix=b/")


class How(StrEnum):
    """How a patch came to the new base."""

    WAITING = "waiting"
    UNCHANGED = "unchanged"
    MERGED = "merged"
    BY_HAND = "resolved by hand"
    ALREADY = "already there"


@dataclass(frozen=True)
class Step:
    """A patch of the port. `original` is its commit on the old base, empty where there is none;
    `commit` the one on the new base, empty where it made none; `note` says how it was moved."""

    subject: str
    original: str = ""
    how: How = How.WAITING
    commit: str = ""
    note: str = ""


@dataclass(frozen=True)
class Port:
    """A series on its way from `origin` to the commit `base` of the tree `onto` (as shown).

    `head` is the last commit that was made, `conflicts` are the files that wait for a person.
    """

    name: str
    series: str
    origin: str
    onto: str
    base: str
    head: str
    steps: tuple[Step, ...]
    conflicts: tuple[str, ...] = ()

    @property
    def at(self) -> int:
        """The index of the patch that is next, the number of patches where none is left."""
        left = (index for index, step in enumerate(self.steps) if step.how is How.WAITING)
        return next(left, len(self.steps))

    @property
    def done(self) -> bool:
        """Whether every patch has come over."""
        return self.at == len(self.steps)

    @property
    def stopped(self) -> bool:
        """Whether a person has to resolve something first."""
        return bool(self.conflicts)

    def waits(self, tried: Tried) -> Port:
        """The port with a person wanted for its next patch."""
        step = replace(self.steps[self.at], note=tried.why)
        steps = (*self.steps[: self.at], step, *self.steps[self.at + 1 :])
        return replace(self, steps=steps, conflicts=tried.conflicts)

    def went(self, how: How, commit: str, note: str = "") -> Port:
        """The port after its next patch came over."""
        step = replace(self.steps[self.at], how=how, commit=commit, note=note)
        steps = (*self.steps[: self.at], step, *self.steps[self.at + 1 :])
        return replace(self, steps=steps, head=commit or self.head, conflicts=())


@dataclass(frozen=True)
class Tried:
    """The tree that a patch gives on the new base; empty, with the files and why, where a person
    has to decide."""

    tree: str
    conflicts: tuple[str, ...] = ()
    why: str = "conflict"


@dataclass(frozen=True)
class Authored:
    """What of a patch is not its diff; `message` is the whole one."""

    name: str
    address: str
    date: str
    message: str

    @property
    def env(self) -> dict[str, str]:
        """For git commit-tree; the same everywhere, so the committer's date is the author's."""
        return {
            **IDENTITY,
            "GIT_AUTHOR_NAME": self.name,
            "GIT_AUTHOR_EMAIL": self.address,
            "GIT_AUTHOR_DATE": self.date,
            "GIT_COMMITTER_DATE": self.date,
        }


def written(port: Port) -> str:
    """The port as JSON."""
    return json.dumps({"form": _FORM, **asdict(port)}, indent=1) + "\n"


def read(text: str) -> Port:
    """The port that `written` gave. Raises HostError where it is damaged."""
    try:
        values = json.loads(text)
        if values.pop("form") != _FORM:
            raise ValueError("written by another kzc")
        steps = tuple(Step(**{**step, "how": How(step["how"])}) for step in values.pop("steps"))
        conflicts = tuple(values.pop("conflicts"))
        return Port(**values, steps=steps, conflicts=conflicts)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise HostError(f"what is known of the port is damaged: {error!r}") from error


def merge(git: Git, head: str, original: str) -> Tried:
    """Three-way: what `original` changed against its parent, on `head`."""
    ancestor = _bare_commit(git, f"{original}^", ())
    ours, theirs = (_bare_commit(git, side, (ancestor,)) for side in (head, original))
    words = ("merge-tree", "--write-tree", "--no-messages", "--name-only", "-z", ours, theirs)
    done = git.run(*words, check=False)
    if done.code not in (0, 1):
        raise HostError(f"git cannot merge {original}: {done.stderr.strip()}")
    tree, *files = [field for field in done.stdout.split("\0") if field]
    return Tried("" if done.code else tree, tuple(dict.fromkeys(files)))


def apply_mail(git: Git, head: str, body: bytes, index: Path) -> Tried:
    """The mail's diff on `head`: merged where the blobs of its index lines are there, else
    applied as it stands. `index` is a file that nobody else uses, made and removed here."""
    env = {"GIT_INDEX_FILE": str(index)}
    diff = find_diff(body)
    words = ("apply", "--cached", "--whitespace=nowarn")
    try:
        git.run("read-tree", head, env=env)
        backward = git.run(*words, "--check", "-R", "-", env=env, stdin=diff, check=False)
        forward = git.run(*words, "--check", "-", env=env, stdin=diff, check=False)
        if backward.code == 0:
            if forward.code == 0:
                return Tried("", _files(diff), "fits forward and backward: is it there already?")
            return Tried(git.out(*_tree_of(head)))
        done = git.run(*words, "--3way", "-", env=env, stdin=diff, check=False)
        if done.code == 0:
            return Tried(git.out("write-tree", env=env))
        unmerged = git.out("diff", "--cached", "--name-only", "--diff-filter=U", "-z", env=env)
        files = tuple(dict.fromkeys(name for name in unmerged.split("\0") if name))
        return Tried("", files or _files(diff))
    finally:
        index.unlink(missing_ok=True)
        index.with_name(f"{index.name}.lock").unlink(missing_ok=True)


def commit(git: Git, tree: str, parent: str, authored: Authored) -> str:
    """A commit with that tree; the same from the same."""
    words = ("commit-tree", tree, "-p", parent, "-F", "-")
    message = authored.message.encode()
    return git.run(*words, env=authored.env, stdin=message).stdout.strip()


def author_of(git: Git, original: str) -> Authored:
    """Author and message of a commit."""
    shown = git.run("show", "-s", "--format=%an%x00%ae%x00%ad%x00%B", "--date=raw", original)
    return Authored(*shown.stdout.removesuffix("\n").split("\0", 3))


def author_of_mail(git: Git, body: bytes, folder: Path) -> Authored:
    """The same of a mail, as git am reads it; `folder` takes two files for a moment."""
    files = [folder / "mail.message", folder / "mail.diff"]
    try:
        said = git.run("mailinfo", *map(str, files), stdin=body).stdout
        facts = dict(line.split(": ", 1) for line in said.splitlines() if ": " in line)
        text = files[0].read_text(encoding="utf-8", errors="replace").strip()
    finally:
        for file in files:
            file.unlink(missing_ok=True)
    message = f"{facts.get('Subject', 'patch')}\n\n{text}".strip() + "\n"
    name, address = facts.get("Author", "unknown"), facts.get("Email", "unknown@localhost")
    return Authored(name, address, facts.get("Date", "946684800 +0000"), message)


def diff_of(git: Git, revision: str) -> bytes:
    """What a commit changes against its parent."""
    return git.run(*_DIFF, f"{revision}^", revision).raw


def compare(old: bytes, new: bytes) -> tuple[How, str]:
    """How a patch that came over by itself differs from what it was. Pure."""
    before, after = _hunks(old), _hunks(new)
    notes = []
    if [(file, _body(hunk)) for file, hunk in before] == [(f, _body(h)) for f, h in after]:
        pairs = list(zip(before, after, strict=True))
        moved = [abs(one[1].start - other[1].start) for one, other in pairs]
        count = sum(offset > 0 for offset in moved)
        if count:
            notes.append(f"{count} of {len(moved)} hunks moved, at most {max(moved)} lines")
        notes += [words for one, other in pairs if (words := _elsewhere(*one, other[1]))]
    else:
        same = {(file, _body(hunk)) for file, hunk in before}
        count = sum((file, _body(hunk)) not in same for file, hunk in after)
        notes.append(f"{count} of {len(after)} hunks have other lines now")
    return (How.MERGED if notes else How.UNCHANGED), "; ".join(notes)


def _elsewhere(file: str, one: Hunk, other: Hunk) -> str:
    old, new = (name_of(header_of(hunk)[2]) for hunk in (one, other))
    if not file.endswith((".c", ".h")) or not old or not new or old == new:
        return ""
    return f"{file}: what was below {old} is below {new} now"


def _hunks(diff: bytes) -> list[tuple[str, Hunk]]:
    files: Sequence[FileDiff] = parse_diff(diff)
    return [(file.path, hunk) for file in files for hunk in file.hunks]


def _body(hunk: Hunk) -> bytes:
    return hunk.text.partition(b"\n")[2]


def _files(diff: bytes) -> tuple[str, ...]:
    return tuple(dict.fromkeys(file.path for file in parse_diff(diff)))


def _tree_of(revision: str) -> tuple[str, ...]:
    return ("rev-parse", f"{revision}^{{tree}}")


def _bare_commit(git: Git, revision: str, parents: Sequence[str]) -> str:
    """The tree of a commit under other parents: merge-tree takes its ancestor from history."""
    env: Mapping[str, str] = {
        **IDENTITY,
        "GIT_AUTHOR_DATE": "946684800 +0000",
        "GIT_COMMITTER_DATE": "946684800 +0000",
    }
    given = [word for parent in parents for word in ("-p", parent)]
    return git.out("commit-tree", f"{revision}^{{tree}}", *given, "-m", revision, env=env)
