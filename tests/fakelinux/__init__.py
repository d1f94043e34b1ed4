# SPDX-License-Identifier: GPL-2.0-only
"""A kernel tree small enough for tests: real git, real files, nothing of Linux in it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from kzc.git import IDENTITY, Git
from tests.plain import RUNNER

DATES = {
    "GIT_AUTHOR_DATE": "1700000000 +0000",
    "GIT_COMMITTER_DATE": "1700000000 +0000",
}

MAKEFILE = """\
# SPDX-License-Identifier: GPL-2.0
VERSION = 6
PATCHLEVEL = 12
SUBLEVEL = 117
EXTRAVERSION =
NAME = Small Potato

all: ;
"""


def numbered(word: str, count: int = 40) -> str:
    """A C file in which every line is another one."""
    return "".join(f"int {word}_{number};\n" for number in range(1, count + 1))


def write_kernel(folder: Path) -> Path:
    """The files of a kernel in `folder`, which is made."""
    files = {
        "Makefile": MAKEFILE,
        "Kbuild": "obj-y += net/\n",
        "Kconfig": 'mainmenu "fake"\n',
        "arch/x86/Kconfig": "config X86\n\tdef_bool y\n",
        "include/linux/socket.h": "#define SO_ZEROCOPY 60\n",
        "scripts/Makefile.build": "# nothing\n",
        "net/socket.c": numbered("socket"),
        "net/core/sock.c": numbered("sock"),
        "net/vmw_vsock/af_vsock.c": numbered("vsock"),
    }
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (folder / "scripts/run").write_text("#!/bin/sh\n")
    (folder / "scripts/run").chmod(0o755)
    return folder


def commit(folder: Path, message: str = "change") -> str:
    """Commit all there is and return the commit's id; the same content gives the same id."""
    git = Git(RUNNER, folder)
    if not (folder / ".git").exists():
        git.run("init", "-q", "-b", "main", "--template=")
    git.run("add", "-A", "-f")
    git.run("commit", "-q", "-m", message, env={**IDENTITY, **DATES})
    return git.commit_of("HEAD")


@cache
def _templates() -> TemporaryDirectory[str]:
    return TemporaryDirectory(prefix="kzc-fakelinux-")


def copy_of(name: str, make: Callable[[Path], object], folder: Path) -> Path:
    """The checkout that `make` makes, which is done once in a test process and copied then."""
    template = Path(_templates().name) / name
    if not template.exists():
        make(template)
    shutil.copytree(template, folder, symlinks=True)
    RUNNER.capture(["git", "update-index", "-q", "--refresh"], cwd=folder)
    return folder


def make_kernel(folder: Path) -> Path:
    """A checkout with one commit."""
    return copy_of("kernel", lambda new: commit(write_kernel(new), "kernel"), folder)


def edit(file: Path, old: str, new: str) -> None:
    """Replace text that has to be there."""
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))


def make_series(kernel: Path, out: Path) -> Path:
    """A folder of mails: a cover and three patches for `kernel`, which stays as it was."""
    git = Git(RUNNER, kernel)
    base = git.commit_of("HEAD")
    for file, number in (("net/socket.c", 10), ("net/core/sock.c", 20), ("net/socket.c", 30)):
        word = Path(file).stem
        edit(kernel / file, f"int {word}_{number};\n", f"long {word}_{number};\n")
        commit(kernel, f"net: widen {word}_{number}\n\nOne of three.")
    words = ("format-patch", "-q", "-n", "--cover-letter", "--base", base, "-o", str(out))
    git.run(*words, f"{base}..HEAD")
    cover = out / "0000-cover-letter.patch"
    edit(cover, "*** SUBJECT HERE ***", "net: widen three variables")
    git.run("reset", "-q", "--hard", base)
    return out
