# SPDX-License-Identifier: GPL-2.0-only
"""Trying a series on a commit without a checkout: a folder with only the files it touches.

The folder is no git repository and git is kept from looking for one above it. Only plain files
and links that are in the commit at a path which the series names get into it; git apply writes
neither through a link nor out of the folder. Fits as in fit.py: reverse before forward, no fuzz.
"""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from kzc.errors import UsageError
from kzc.git import Git, full_disk_told
from kzc.proc import Runner
from kzc.series.base import Step, Trial
from kzc.series.blobs import paths
from kzc.series.diff import FileDiff, find_diff, hostile, parse_diff
from kzc.series.taken import taken_numbers
from kzc.series.uapi import Collision
from kzc.values import Fit, Patch

_APPLY = ("apply", "--whitespace=nowarn")
_FAILED = re.compile(r"^error: patch failed: (.+:\d+)$", re.M)
_OTHER = re.compile(r"^error: (.+)$", re.M)
# a series made for another kernel fails all over: what comes after tells nothing new
_ENOUGH = 4
# a partial clone would fetch what it lacks, which takes long and writes to the user's repository
OFFLINE = {"GIT_NO_LAZY_FETCH": "1", "GIT_ALLOW_PROTOCOL": ""}
_LINK, _EXECUTABLE = "120000", "100755"


def try_series(
    git: Git, commit: str, patches: Sequence[Patch], within: Path | None = None
) -> Trial:
    """Put the patches one after the other on the files of `commit`, which `git` reads.

    The files are in a temporary folder, of `within` if given. A patch that does not fit is left
    out and the next one tried, until several did not. Raises UsageError for a path that leads out
    of a tree.
    """
    steps: list[Step] = []
    with scratch(git, commit, paths(patches), within) as folder:
        for patch in patches:
            steps.append(_step(folder, patch, git.runner))
            if sum(not step.good for step in steps) >= _ENOUGH:
                break
    return Trial(tuple(steps), len(patches))


@contextmanager
def scratch(
    git: Git, commit: str, names: Sequence[str], within: Path | None = None
) -> Iterator[Path]:
    """A temporary folder with those of the files `names` that `commit` has."""
    for name in names:
        if hostile(name):
            raise UsageError(f"the series writes to {name!r}, which is outside of the tree")
    with full_disk_told(), tempfile.TemporaryDirectory(prefix="kzc-base-", dir=within) as made:
        folder = Path(made).resolve() / "tree"
        folder.mkdir()
        _fill(folder, git, commit, names)
        yield folder


def read_blobs(git: Git, objects: Sequence[str]) -> list[bytes | None]:
    """The contents of objects by name (`id`, `commit:path`), None for one that is not there."""
    asked = "".join(f"{name}\n" for name in objects).encode(errors="surrogateescape")
    raw = git.run("cat-file", "--batch", env=OFFLINE, stdin=asked).raw
    found: list[bytes | None] = []
    at = 0
    for _ in objects:
        end = raw.index(b"\n", at)
        head, at = raw[at:end].split(b" "), end + 1
        if head[-1] == b"missing" or len(head) != 3 or not head[2].isdigit():
            found.append(None)
            continue
        size = int(head[2])
        found.append(raw[at : at + size] if head[1] == b"blob" else None)
        at += size + 1
    return found


def _fill(folder: Path, git: Git, commit: str, names: Sequence[str]) -> None:
    if not names:
        return
    words = ("--literal-pathspecs", "ls-tree", "-z", "--full-tree", commit, "--", *names)
    listed = git.run(*words, env=OFFLINE)
    wanted = set(names)
    entries = []
    for line in listed.raw.split(b"\0")[:-1]:
        fields, _, raw = line.partition(b"\t")
        mode, kind, blob = fields.decode().split()
        name = raw.decode(errors="replace")
        if name in wanted:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            if kind == "blob":
                entries.append((folder / name, mode, blob))
            else:
                (folder / name).mkdir(exist_ok=True)
    for (path, mode, _), data in zip(
        entries, read_blobs(git, [blob for *_, blob in entries]), strict=True
    ):
        if mode == _LINK:
            path.symlink_to(os.fsdecode(data or b"?"))
        else:
            path.write_bytes(data or b"")
            path.chmod(0o755 if mode == _EXECUTABLE else 0o644)


def _step(folder: Path, patch: Patch, runner: Runner) -> Step:
    git = Git(runner, folder)
    env = {"GIT_CEILING_DIRECTORIES": str(folder.parent)}
    diff = find_diff(patch.body)
    check = (*_APPLY, "--check")
    maybe = _may_be_there(folder, parse_diff(diff))
    if maybe and git.run(*check, "-R", "-", env=env, stdin=diff, check=False).code == 0:
        done = git.run(*check, "-", env=env, stdin=diff, check=False)
        return Step(Fit.ALREADY if done.code else Fit.BOTH)
    done = git.run(*_APPLY, "-", env=env, stdin=diff, check=False)
    if done.code == 0:
        return Step(Fit.APPLIES)
    said = _FAILED.findall(done.stderr)
    others = [text for text in _OTHER.findall(done.stderr) if not text.startswith("patch failed")]
    why = "" if said else (others or ["git does not take it"])[0]
    return Step(Fit.CONFLICT, tuple(said), why, _taken(folder, diff))


def _may_be_there(folder: Path, files: Sequence[FileDiff]) -> bool:
    """False where git need not be asked: a block that a hunk leaves is nowhere in its file."""
    for file in files:
        text = _text(folder, file.path)
        if text is None or b"\r" in text:
            continue
        for hunk in file.hunks:
            lines = hunk.text.split(b"\n")[1:-1]
            after = b"".join(line[1:] + b"\n" for line in lines if line[:1] in (b" ", b"+", b""))
            if not any(line.startswith(b"\\") for line in lines) and after not in text:
                return False
    return True


def _taken(folder: Path, diff: bytes) -> tuple[Collision, ...]:
    found: list[Collision] = []
    for file in parse_diff(diff):
        text = _text(folder, file.path)
        if text is not None:
            found += taken_numbers(file, text.decode(errors="replace"))
    return tuple(found)


def _text(folder: Path, name: str) -> bytes | None:
    path = folder / name
    if path.is_symlink() or not path.is_file() or not path.resolve().is_relative_to(folder):
        return None
    return path.read_bytes()
