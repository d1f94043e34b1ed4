# SPDX-License-Identifier: GPL-2.0-only
"""Ports: a series brought to another tree, patch by patch, with a stop where a person is needed.

A port is a folder under the data folder, for it holds a person's work (see port_yard.py). Rule: a
patch counts as come over once the state says so, and the state says that a person is wanted only
once the worktree is ready, so that after a kill the same command goes on.
"""

from __future__ import annotations

import re
import shlex
import shutil
from dataclasses import dataclass
from pathlib import Path

from kzc.errors import UsageError
from kzc.git import Git, full_disk_told, word
from kzc.jobs.port_yard import Yard, alone, clean_worktree, discard, fill
from kzc.proc import Runner
from kzc.series import port as steps
from kzc.series.apply import apply_series, find_applied
from kzc.series.blobs import paths
from kzc.series.diff import find_diff
from kzc.series.numbers import check_numbers
from kzc.series.port import How, Port, Step
from kzc.settings import Settings
from kzc.trees.slots import visit
from kzc.trees.tree import Tree
from kzc.values import Outcome, Patch, Series

_MARKER = re.compile(rb"^(<<<<<<< |>>>>>>> |\|\|\|\|\|\|\| )", re.M)
_MERGE = ("-c", "merge.conflictStyle=diff3", "-c", "core.editor=true")


@dataclass(frozen=True)
class Request:
    """A series, the tree it is for (None where that is not known) and the one it shall be for.

    `replace` allows to take the place of a finished port of that name.
    """

    name: str
    series: Series
    origin: Tree | None
    onto: Tree
    replace: bool = False


def default_name(series: Series, onto: Tree) -> str:
    """The port's name where none is given."""
    return word(f"{series.name}-on-{onto.name or onto.version}")


def yard_of(name: str, settings: Settings, runner: Runner) -> Yard:
    """Where the port of that name is, or would be. Raises UsageError for what can be no name."""
    if word(name) != name:
        raise UsageError(f"{name!r} is no name for a port", "letters, digits, dot, dash")
    return Yard(settings.data / "ports" / name, runner)


def unfinished(settings: Settings, runner: Runner) -> tuple[str, ...]:
    """The names of ports that are not done."""
    folders = sorted((settings.data / "ports").glob("*/port.json"))
    yards = [Yard(file.parent, runner) for file in folders]
    return tuple(yard.folder.name for yard in yards if not yard.complete(yard.load()))


def begin(request: Request, settings: Settings, runner: Runner) -> tuple[Port, Yard]:
    """Start a port and take it as far as it goes by itself.

    Raises UsageError where there is one of that name, or somebody works on it now.
    """
    yard = yard_of(request.name, settings, runner)
    with alone(yard):
        _make_way(yard, request)
        originals = _originals(request, settings, runner)
        trees = [request.onto, *([request.origin] if request.origin else [])]
        discard(yard)
        with full_disk_told():
            fill(yard, request.series, [tree.repo for tree in trees])
        names = [Step(patch.subject, commit) for patch, commit in originals]
        port = yard.save(
            Port(
                request.name,
                request.series.name,
                request.origin.version if originals[0][1] and request.origin else "",
                request.onto.name or request.onto.version,
                request.onto.commit,
                request.onto.commit,
                tuple(names),
            )
        )
        return _advance(yard, port), yard


def resume(name: str, settings: Settings, runner: Runner) -> tuple[Port, Yard]:
    """Go on with a port. Raises UsageError where something is still to be resolved."""
    yard = _existing(name, settings, runner)
    with alone(yard):
        port = _known(yard, name)
        if port.stopped:
            port = yard.save(_resolved(yard, port))
        return _advance(yard, port), yard


def abort(name: str, settings: Settings, runner: Runner) -> Path:
    """Throw an unfinished port away, with what was resolved in it; returns what was removed."""
    yard = _existing(name, settings, runner)
    with alone(yard):
        port = _known(yard, name)
        if yard.complete(port):
            raise UsageError(f"the port {name} is done", f"its patches are in {yard.patches}")
        discard(yard)
    return yard.folder


def _make_way(yard: Yard, request: Request) -> None:
    """Refuse to overwrite a port that is there: what a person did for it would be lost."""
    if not yard.state.exists():
        return
    before = yard.load()
    if not yard.complete(before):
        raise UsageError(
            f"the port {request.name} is not done: {_left(before)}",
            f"`kzc continue {request.name}`, or --abort there to throw it away",
        )
    if not request.replace:
        what = f"its patches are in {yard.patches}" if yard.patches.is_dir() else "it is empty"
        raise UsageError(
            f"there is a port {request.name} already: {what}",
            "--replace makes it anew, --name N makes another one",
        )


def _existing(name: str, settings: Settings, runner: Runner) -> Yard:
    """The port's place, looked at before its lock is made: asking for none leaves nothing."""
    yard = yard_of(name, settings, runner)
    if not yard.folder.is_dir():
        _known(yard, name)
    return yard


def _known(yard: Yard, name: str) -> Port:
    if not yard.state.exists():
        there = ", ".join(
            sorted(file.parent.name for file in yard.folder.parent.glob("*/port.json"))
        )
        raise UsageError(f"there is no port {name}", f"there are: {there or 'none'}")
    return yard.load()


def _left(port: Port) -> str:
    return f"patch {port.at + 1}/{len(port.steps)} " + (
        "waits for you" if port.stopped else "is next"
    )


def _originals(request: Request, settings: Settings, runner: Runner) -> list[tuple[Patch, str]]:
    """Each patch with its commit on the tree it is for; empty ones where it is for none we have."""
    series, origin = request.series, request.origin
    none = [(patch, "") for patch in series.patches]
    if origin is None:
        return none
    applied = find_applied(origin.repo, origin.commit, series, runner)
    if applied is None:
        with visit(origin.repo, origin.commit, paths(series.patches), settings, runner) as slot:
            applied = apply_series(slot.path, series, runner)
    if not applied.whole or not all(applied.commits):
        return none
    return [
        (patch, commit or "") for patch, commit in zip(series.patches, applied.commits, strict=True)
    ]


def _advance(yard: Yard, port: Port) -> Port:
    while not port.done:
        tried = _try(yard, port)
        if not tried.tree:
            return _stop(yard, port, tried)
        port = yard.save(_went(yard, port, tried.tree))
    return _finish(yard, port)


def _try(yard: Yard, port: Port) -> steps.Tried:
    step = port.steps[port.at]
    if step.original:
        return steps.merge(yard.git, port.head, step.original)
    body = yard.mail(port.at).read_bytes()
    return steps.apply_mail(yard.git, port.head, body, yard.folder / "index")


def _authored(yard: Yard, port: Port) -> steps.Authored:
    original = port.steps[port.at].original
    if original:
        return steps.author_of(yard.git, original)
    return steps.author_of_mail(yard.git, yard.mail(port.at).read_bytes(), yard.folder)


def _went(yard: Yard, port: Port, tree: str, *, by_hand: bool = False) -> Port:
    git = yard.git
    if tree == git.out("rev-parse", f"{port.head}^{{tree}}"):
        return port.went(How.ALREADY, "", "dropped")
    made = steps.commit(git, tree, port.head, _authored(yard, port))
    step = port.steps[port.at]
    old = steps.diff_of(git, step.original) if step.original else yard.mail(port.at).read_bytes()
    how, note = steps.compare(find_diff(old), steps.diff_of(git, made))
    return port.went(How.BY_HAND if by_hand else how, made, note)


def _stop(yard: Yard, port: Port, tried: steps.Tried) -> Port:
    """Leave the worktree with both sides in it."""
    git = clean_worktree(yard, port.head)
    step = port.steps[port.at]
    if step.original:
        git.run(*_MERGE, "cherry-pick", "--no-commit", step.original, check=False)
    else:
        diff = find_diff(yard.mail(port.at).read_bytes())
        words = ("apply", "--whitespace=nowarn")
        done = git.run(*_MERGE, *words, "--3way", "-", stdin=diff, check=False)
        if done.code and not _unmerged(git):
            # no blobs to merge with: what fits is put in, the rest goes to FILE.rej
            git.run(*words, "--reject", "-", stdin=diff, check=False)
    return yard.save(port.waits(tried))


def _resolved(yard: Yard, port: Port) -> Port:
    """Take what a person made of the worktree. Raises UsageError with what is left to do."""
    if not yard.worktree.is_dir():
        raise UsageError(
            f"{yard.worktree} is gone", f"`kzc continue {port.name} --abort`, and port it again"
        )
    git = Git(yard.runner, yard.worktree)
    unmerged = _unmerged(git)
    changed = git.out("diff", "--name-only", "--no-renames", "-z", port.head).split("\0")
    marked = [name for name in (*unmerged, *changed) if name and _has_markers(yard.worktree / name)]
    rejected = [str(path.relative_to(yard.worktree)) for path in _rejects(yard, port)]
    if marked or rejected:
        left = [f"{name} has conflict markers" for name in dict.fromkeys(marked)]
        left += [f"{name} is still there" for name in rejected]
        raise UsageError(
            f"the port {port.name} is not resolved: {'; '.join(left)}",
            f"edit them in {yard.worktree}, `git add` what is right, remove the .rej files",
        )
    if unmerged:
        raise UsageError(
            f"the port {port.name} is not resolved: {', '.join(unmerged)} unmerged",
            shlex.join(["git", "-C", str(yard.worktree), "add", *unmerged]),
        )
    git.run("add", "-u")
    tree = git.out("write-tree")
    return _went(yard, port, tree, by_hand=True)


def _unmerged(git: Git) -> tuple[str, ...]:
    listed = git.out("diff", "--name-only", "--diff-filter=U", "-z").split("\0")
    return tuple(dict.fromkeys(name for name in listed if name))


def _has_markers(path: Path) -> bool:
    return path.is_file() and not path.is_symlink() and bool(_MARKER.search(path.read_bytes()))


def _rejects(yard: Yard, port: Port) -> list[Path]:
    files = [yard.worktree / f"{name}.rej" for name in port.conflicts]
    return [path for path in files if path.exists()]


def _finish(yard: Yard, port: Port) -> Port:
    """Write the patches, and give the worktree's room back."""
    if port.head != port.base:
        yard.git.run("update-ref", "refs/heads/port", port.head)
        making = yard.folder / "patches.making"
        shutil.rmtree(making, ignore_errors=True)
        words = ("format-patch", "-q", "-n", "--no-signature", "--full-index", "--src-prefix=a/")
        more = ("--dst-prefix=b/", f"--base={port.base}", "-o", str(making))
        yard.git.run(*words, *more, f"{port.base}..{port.head}")
        shutil.rmtree(yard.patches, ignore_errors=True)
        making.rename(yard.patches)
    yard.ready.unlink(missing_ok=True)
    if yard.worktree.exists():
        shutil.rmtree(yard.worktree)
    yard.git.run("worktree", "prune")
    return port


def numbers(port: Port, yard: Yard) -> Outcome | None:
    """What the uapi numbers of the new series are on the new base; None where it has none."""
    mails = enumerate(port.steps)
    patches = tuple(
        Patch(at + 1, step.subject, "", yard.mail(at).read_bytes(), ()) for at, step in mails
    )
    series = Series(port.series, port.series, patches)
    return check_numbers(yard.git, port.base, port.head, series)
