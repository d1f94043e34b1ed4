# SPDX-License-Identifier: GPL-2.0-only
"""Real shells that complete: a terminal, the script of `kzc completion`, and the Tab key."""

from __future__ import annotations

import os
import pty
import re
import select
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import resources
from pathlib import Path

import pytest

from tests.unit.cli.completing import RUNS, TREES, make_data

REPOSITORY = Path(__file__).parents[3]
ALL = {"bash": b"\x1b*", "zsh": b"\x18a"}  # the keys that put all candidates on the line
STARTS = {
    "bash": ["bash", "--norc", "--noprofile", "-i"],
    "zsh": ["zsh", "-f", "-i"],
}
BEFORE = {
    "bash": "bind 'set enable-bracketed-paste off'; PS1=; ",
    "zsh": "unset zle_bracketed_paste; PS1=; unsetopt PROMPT_SP; autoload -U compinit; "
    "compinit -u -D; bindkey -e; zle -C all complete-word _all; "
    "_all() { _main_complete; compstate[insert]=all }; bindkey '^Xa' all; ",
}


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A folder to stand in, with a `kzc` of this source and data of its own."""
    make_data(tmp_path / "data")
    (tmp_path / "bin").mkdir()
    (tmp_path / "here").mkdir()
    (tmp_path / "here/scm-files").touch()
    program = tmp_path / "bin/kzc"
    program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m kzc "$@"\n')
    program.chmod(0o755)
    return tmp_path


def environment(home: Path) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("LANG", "LC_ALL") if name in os.environ}
    return {
        **kept,
        "PATH": f"{home}/bin:{os.environ['PATH']}",
        "PYTHONPATH": str(REPOSITORY),
        "HOME": str(home),
        "KZC_DATA": str(home / "data"),
        "TERM": "dumb",
    }


def script(shell: str) -> Path:
    """What `kzc completion SHELL` prints."""
    return Path(str(resources.files("kzc.cli.completing") / f"kzc.{shell}"))


class Terminal:
    """A shell on a terminal."""

    def __init__(self, file: int) -> None:
        self.file = file
        self.seen = b""

    def type(self, keys: bytes) -> None:
        os.write(self.file, keys)

    def wait(self, pattern: bytes) -> re.Match[bytes]:
        """What was printed until now matches from the last match on; fails after 20 seconds."""
        until = time.monotonic() + 20
        while not (found := re.search(pattern, self.seen, re.DOTALL)):
            ready, _, _ = select.select([self.file], [], [], max(0, until - time.monotonic()))
            assert ready, f"no {pattern!r} in {self.seen!r}"
            self.seen += os.read(self.file, 65536)
        self.seen = self.seen[found.end() :]
        return found


@contextmanager
def terminal(shell: str, home: Path) -> Iterator[Terminal]:
    if shutil.which(shell) is None:
        pytest.skip(f"there is no {shell} here")
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        STARTS[shell],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        cwd=home / "here",
        env=environment(home),
        start_new_session=True,
    )
    os.close(theirs)
    try:
        shown = Terminal(ours)
        ready = "echo 're''ady'"
        shown.type(f"{BEFORE[shell]} . {script(shell)}; {ready}\n".encode())
        shown.wait(b"\nready\r\n")
        yield shown
    finally:
        process.kill()
        process.wait()
        os.close(ours)


def completed(shown: Terminal, line: str, keys: bytes) -> list[str]:
    """The words of the line after the keys: an `echo` put before it prints them."""
    shown.type(line.encode() + keys)
    shown.type(b"\x01print=1; echo '<<' \x05 '>>'\n")
    said = shown.wait(rb"\n<< (.*?) >>\r\n")[1].decode()
    return said.split()


@pytest.mark.parametrize("shell", STARTS)
def test_a_shell_completes_verbs_options_and_names(shell: str, home: Path) -> None:
    with terminal(shell, home) as shown:
        for line, words in {
            "kzc tree sh": "kzc tree show",
            "kzc run --tree=7": "kzc run --tree=7.3",
            "kzc run scm-f": "kzc run scm-files",  # no series: a file
        }.items():
            assert completed(shown, line, b"\t") == words.split()
        assert completed(shown, "kzc run --tree ", ALL[shell]) == ["kzc", "run", "--tree", *TREES]
        assert completed(shown, "kzc report ", ALL[shell]) == ["kzc", "report", *RUNS]
    assert not [*home.rglob("pwned")]


def test_fish_completes_verbs_options_and_names(home: Path) -> None:
    if shutil.which("fish") is None:
        pytest.skip("there is no fish here")
    lines = ["kzc tree sh", "kzc run --tree ", "kzc run scm-f", "kzc run --gu"]
    asked = "; echo ==; ".join(f"complete -C {shlex.quote(line)}" for line in lines)
    done = subprocess.run(
        ["fish", "--no-config", "-c", f"source {script('fish')}; {asked}"],
        cwd=home / "here",
        env=environment(home),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    words = [
        [line.partition("\t")[0] for line in part.splitlines() if line]
        for part in done.stdout.split("==\n")
    ]
    assert words == [["show"], TREES, ["scm-files"], ["--guest-kernel"]]
    assert not done.stderr
    assert not [*home.rglob("pwned")]
