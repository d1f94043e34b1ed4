# SPDX-License-Identifier: GPL-2.0-only
"""A suite's test programs, built from the same commit as the kernel, and its own ones.

Compiled against that commit's uapi headers and kept in the cache by tree id, manifest, own sources
and compiler; the worktree they were made in is left with what make wrote and cleaned by its owner.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from kzc.errors import CommandFailed, KzcError
from kzc.proc import Runner
from kzc.suites import application
from kzc.suites.manifest import Build, Program, Suite

ABSENT = "absent.json"
_GCC = ("gcc", "-std=gnu11", "-D_GNU_SOURCE", "-O2", "-Wall", "-Wextra", "-Werror")


@dataclass(frozen=True)
class Worktree:
    """Sources of one commit: `headers` is a folder of kzc's own for `make headers`."""

    src: Path
    headers: Path
    tree_id: str


class TestsDoNotBuild(KzcError):
    """A test program does not compile against the tree; it is the code under test that failed."""


def key(suite: Suite, tree_id: str, compiler: str) -> str:
    """Names the folder of built programs."""
    made = (*suite.build, *suite.programs)
    parts = (tree_id, compiler, *(entry.model_dump_json() for entry in made))
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:24]


def absent(folder: Path) -> dict[str, str]:
    """Optional programs that could not be built, with the reason."""
    found: dict[str, str] = json.loads((folder / ABSENT).read_text())
    return found


def build(
    suite: Suite, worktree: Worktree, store: Path, runner: Runner, *, compiler: str, log: Path
) -> Path:
    """The folder of programs, built now or before. Raises TestsDoNotBuild."""
    folder = store / key(suite, worktree.tree_id, compiler)
    if folder.exists():
        return folder
    if suite.build or any(program.sources for program in suite.programs):
        _headers(worktree, runner, log)
    store.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=store, prefix=".part-") as part:
        made = Path(part) / "bin"
        made.mkdir()
        missing: dict[str, str] = {}
        for entry in suite.build:
            missing |= _one(entry, worktree, made, runner, log)
        for program in suite.programs:
            if program.packages:
                application.write(program.packages, made / program.name, Path(part))
            else:
                _own(program, worktree, made, runner, log)
        (made / ABSENT).write_text(json.dumps(missing))
        made.chmod(0o755)
        if not folder.exists():
            made.rename(folder)
    return folder


def _headers(worktree: Worktree, runner: Runner, log: Path) -> None:
    command = ["make", "-C", str(worktree.src), f"O={worktree.headers}", "ARCH=x86_64", "headers"]
    for _ in runner.stream(command, log=log):
        pass


def _one(entry: Build, worktree: Worktree, made: Path, runner: Runner, log: Path) -> dict[str, str]:
    folder = worktree.src / entry.folder
    # after the tree's own -I, so that tools/include keeps its precedence
    flags = [f"-isystem {worktree.headers}/usr/include", *entry.cflags]
    env = {
        "CFLAGS": " ".join([*flags, "-static"] if entry.static else flags),
        "LDFLAGS": "-static" if entry.static else "",
    }
    command = ["make", "-C", str(folder), *entry.make]
    try:
        for _ in runner.stream(command, log=log, env=env):
            pass
        for name in (*entry.outputs, *entry.copy_files):
            shutil.copy2(folder / name, made / Path(name).name)
    except (CommandFailed, OSError) as error:
        if entry.optional:
            return dict.fromkeys(entry.outputs, _first_error(error))
        wants = f"; it needs {', '.join(entry.apt)}" if entry.apt else ""
        raise TestsDoNotBuild(
            f"{entry.folder}: {', '.join(entry.outputs)} does not build: {_first_error(error)}",
            f"the whole log is {log}{wants}",
        ) from None
    return {}


def _own(program: Program, worktree: Worktree, made: Path, runner: Runner, log: Path) -> None:
    with tempfile.TemporaryDirectory(dir=made.parent) as folder:
        for name, text in program.sources.items():
            (Path(folder) / name).write_text(text)
        sources = [name for name in program.sources if name.endswith(".c")]
        headers = ["-isystem", f"{worktree.headers}/usr/include"]
        target = ["-static", "-pthread", "-o", str(made / program.name)]
        try:
            for _ in runner.stream([*_GCC, *headers, *target, *sources], log=log, cwd=Path(folder)):
                pass
        except CommandFailed as error:
            raise TestsDoNotBuild(
                f"{program.name} does not build: {_first_error(error)}",
                f"the whole log is {log}; it is compiled against the tree's uapi headers",
            ) from None


def _first_error(error: CommandFailed | OSError) -> str:
    if isinstance(error, OSError):
        return str(error)
    lines = [line for line in error.tail.splitlines() if "error" in line.lower()]
    return lines[0].strip() if lines else f"make ended with {error.code}"
