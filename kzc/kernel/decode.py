# SPDX-License-Identifier: GPL-2.0-only
"""Frames of a call trace as source lines, by the kernel's own scripts/decode_stacktrace.sh.

Rule: that script is for logs one trusts. It hands names of functions to awk as program text and
offsets to the shell's arithmetic, so a line that a guest made up can run a command on this
machine. Nothing of an excerpt reaches it but `function+0x1/0x2` of a strict form, one a line; the
answers are put into the lines here. `Code:` lines and frames of modules stay as they are.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from kzc.errors import HostError
from kzc.git import Git
from kzc.proc import Runner

SCRIPT = "scripts/decode_stacktrace.sh"
_SECONDS = 30.0
_FRAMES = 64
_FRAME = re.compile(
    r"(?<![\w.$])([A-Za-z_][A-Za-z0-9_.]{0,255}\+0x[0-9a-f]{1,8}/0x[0-9a-f]{1,8})"
    r"(?=[\s),;]|$)(?! \[)"
)
_ANSWER = re.compile(r"([\w.]+) \((.+)\)\s*", re.ASCII)
# the script finds out what is in front of the tree's own paths only with debug info of all of it
_WORKTREE = re.compile(r"/[^\s:]*/work/[^/\s]+/src/")
_NO_DEBUG_INFO = "the kernel was built without debug info (CONFIG_DEBUG_INFO_NONE)"


def script_at(git: Git, commit: str, folder: Path) -> Path:
    """The script of a commit as a file in `folder`; an absent one is a path without a file."""
    path = folder / Path(SCRIPT).name
    done = git.run("cat-file", "blob", f"{commit}:{SCRIPT}", check=False)
    if not done.code:
        path.write_bytes(done.raw)
    return path


def decode(
    excerpt: Sequence[str], vmlinux: Path, script: Path, runner: Runner
) -> tuple[tuple[str, ...], str]:
    """The lines with `(file:line)` for each frame of the kernel proper, and "".

    Where that cannot be had: the lines as they are, and one sentence why. Never raises for what
    the tree, its script or the tools lack; takes at most 30 seconds for the script.
    """
    lines = tuple(excerpt)
    frames = frames_of(lines)
    if not frames:
        return lines, "the excerpt has no frame of the kernel proper"
    if why := _lacking(vmlinux, script, runner):
        return lines, why
    try:
        answers = _ask(frames[:_FRAMES], vmlinux, script, runner)
    except HostError as error:
        return lines, f"{SCRIPT} failed: {error.message.splitlines()[0]}"
    if not answers:
        return lines, f"{SCRIPT} found none of the frames in {vmlinux}"
    return tuple(_FRAME.sub(lambda found: answers.get(found[1], found[1]), e) for e in lines), ""


def frames_of(excerpt: Iterable[str]) -> tuple[str, ...]:
    """The frames of the kernel proper, `function+0x1/0x2`, each once."""
    return tuple(dict.fromkeys(frame for text in excerpt for frame in _FRAME.findall(text)))


def _lacking(vmlinux: Path, script: Path, runner: Runner) -> str:
    if not vmlinux.is_file():
        return f"there is no {vmlinux}"
    if not script.is_file():
        return f"the tree has no {SCRIPT}"
    try:
        sections = runner.capture(["readelf", "-SW", str(vmlinux)], timeout=_SECONDS)
    except HostError:
        return f"readelf (binutils) cannot read {vmlinux}"
    return "" if ".debug_line" in sections.stdout else _NO_DEBUG_INFO


def _ask(frames: Sequence[str], vmlinux: Path, script: Path, runner: Runner) -> Mapping[str, str]:
    """What each frame became; frames that stayed unknown are left out."""
    with tempfile.TemporaryDirectory(prefix="kzc-") as empty:
        done = runner.capture(
            ["bash", str(script.absolute()), str(vmlinux.absolute())],
            cwd=Path(empty),
            env={"LC_ALL": "C", "LLVM": "", "CROSS_COMPILE": "", "DEBUGINFOD_URLS": ""},
            stdin="".join(f"{frame}\n" for frame in frames).encode(),
            timeout=_SECONDS,
        )
    found = {}
    for frame, text in zip(frames, done.stdout.splitlines(), strict=False):
        answer = _ANSWER.fullmatch(text)
        if answer and frame.startswith(f"{answer[1]}+") and ":?" not in answer[2]:
            found[frame] = f"{answer[1]} ({_WORKTREE.sub('', answer[2])})"
    return found
