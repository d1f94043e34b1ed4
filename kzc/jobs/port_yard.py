# SPDX-License-Identifier: GPL-2.0-only
"""The folder of a port: repository, state, worktree, patches, and who may work in it.

The repository has the objects of both trees, linked, so that emptying the cache takes nothing from
a person's work; the state is one file that is replaced whole; a worktree counts once its mark is
there. So whatever a kill interrupts is seen as undone and is done again.
"""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from kzc.errors import UsageError
from kzc.git import Git, full_disk_told
from kzc.proc import Runner
from kzc.series import port as steps
from kzc.series.port import Port
from kzc.trees.repos import write_whole
from kzc.trees.slots import admin_folder
from kzc.values import Series


@dataclass(frozen=True)
class Yard:
    """Where a port is worked on."""

    folder: Path
    runner: Runner

    @property
    def repo(self) -> Path:
        return self.folder / "repo.git"

    @property
    def worktree(self) -> Path:
        """What a person resolves conflicts in."""
        return self.folder / "linux"

    @property
    def patches(self) -> Path:
        """The new series, once it is done."""
        return self.folder / "patches"

    @property
    def ready(self) -> Path:
        """Is there once the worktree is whole."""
        return self.folder / "linux.ready"

    @property
    def state(self) -> Path:
        return self.folder / "port.json"

    def complete(self, port: Port) -> bool:
        """Whether every patch has come over and the new series is written."""
        return port.done and (self.patches.is_dir() or port.head == port.base)

    @property
    def git(self) -> Git:
        return Git(self.runner, git_dir=self.repo)

    def load(self) -> Port:
        """The port as it was left."""
        return steps.read(self.state.read_text(encoding="utf-8"))

    def save(self, port: Port) -> Port:
        """Write it down, whole or not at all."""
        write_whole(self.state, steps.written(port).encode())
        return port

    def mail(self, index: int) -> Path:
        """The original mail of a patch, from 0."""
        return self.folder / "originals" / f"{index + 1:04}.patch"


@contextmanager
def alone(yard: Yard) -> Iterator[None]:
    """Nobody else works on the port while the block runs. Raises UsageError where one does."""
    with full_disk_told():
        yard.folder.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(yard.folder.with_name(f".{yard.folder.name}.lock"))
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise UsageError(
            f"another kzc works on the port {yard.folder.name}", "wait for it, or give another name"
        ) from None
    try:
        yield
    finally:
        lock.release()


def fill(yard: Yard, series: Series, repos: Iterable[Path]) -> None:
    """Make the folder of a port, with the mails and the objects of those repositories."""
    stores = list(dict.fromkeys(repos))
    yard.folder.mkdir(parents=True)
    (yard.folder / "originals").mkdir()
    for index, patch in enumerate(series.patches):
        yard.mail(index).write_bytes(patch.body)
    form = Git(yard.runner, git_dir=stores[0]).out("rev-parse", "--show-object-format")
    Git(yard.runner).run("init", "-q", "--bare", f"--object-format={form}", str(yard.repo))
    shallow: set[str] = set()
    for repo in stores:
        _link_objects(repo / "objects", yard.repo / "objects")
        if (repo / "shallow").exists():
            shallow.update((repo / "shallow").read_text().split())
    if shallow:
        (yard.repo / "shallow").write_text("".join(f"{each}\n" for each in sorted(shallow)))
    # in a bare repository git does not read the tree's own
    (yard.repo / "info").mkdir(exist_ok=True)
    (yard.repo / "info/attributes").write_text("*.[ch] diff=cpp\n")


def discard(yard: Yard) -> None:
    """The state first, so that half of a port never counts as one."""
    yard.state.unlink(missing_ok=True)
    if yard.folder.exists():
        shutil.rmtree(yard.folder)


def clean_worktree(yard: Yard, head: str) -> Git:
    """The worktree, made if need be, at that commit, without anything of before."""
    with full_disk_told():
        if not yard.ready.exists() or admin_folder(yard.worktree) is None:
            yard.ready.unlink(missing_ok=True)
            shutil.rmtree(yard.worktree, ignore_errors=True)
            yard.git.run("worktree", "prune")
            yard.git.run("worktree", "add", "-f", "-f", "--detach", str(yard.worktree), head)
            yard.ready.touch()
        admin = admin_folder(yard.worktree)
        assert admin is not None
        for lock in ("index.lock", "HEAD.lock"):  # of a git that was killed
            (admin / lock).unlink(missing_ok=True)
    git = Git(yard.runner, yard.worktree)
    git.run("cherry-pick", "--quit", check=False)
    git.run("checkout", "-q", "-f", "--detach", head)
    git.run("clean", "-ffdxq")
    return git


def _link_objects(store: Path, into: Path) -> None:
    """Make the objects of one repository those of another too; what it borrows is borrowed.

    On another file system the store itself is borrowed.
    """
    borrowed = store / "info/alternates"
    lines = borrowed.read_text() if borrowed.exists() else ""
    try:
        for folder, _, names in os.walk(store):
            inside = Path(folder).relative_to(store)
            (into / inside).mkdir(parents=True, exist_ok=True)
            for name in names if inside.name != "info" else ():
                with suppress(FileExistsError, FileNotFoundError):
                    os.link(Path(folder) / name, into / inside / name)
    except OSError as error:
        if error.errno not in (errno.EXDEV, errno.EPERM, errno.EMLINK):
            raise
        lines += f"{store}\n"
    if lines:
        with (into / "info/alternates").open("a") as alternates:
            alternates.write(lines)
