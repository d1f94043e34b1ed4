# SPDX-License-Identifier: GPL-2.0-only
"""A command line in the test's own process: for tests that are about what it says and answers.

What only a process of its own has (a terminal, signals, its end) is tested with one.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile

import pytest

from kzc.cli.app import run


@dataclass(frozen=True)
class Said:
    """How a command line ended, and what it said."""

    returncode: int
    stdout: str
    stderr: str


def kzc(env: Mapping[str, str], *words: str, cwd: Path | None = None, mail: bytes = b"") -> Said:
    """Run `kzc WORDS` with these variables and `mail` as standard input, which is no terminal."""
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8") for _ in range(2))
    with TemporaryFile() as file, pytest.MonkeyPatch.context() as patch:
        file.write(mail)
        file.seek(0)
        for name, value in env.items():
            patch.setenv(name, value)
        if cwd is not None:
            patch.chdir(cwd)
        for stream, other in {
            "stdin": io.TextIOWrapper(file),
            "stdout": out,
            "stderr": err,
        }.items():
            patch.setattr(sys, stream, other)
        status = run(words)
    return Said(status, *(_text(stream) for stream in (out, err)))


def _text(stream: io.TextIOWrapper) -> str:
    stream.flush()
    said = stream.buffer
    assert isinstance(said, io.BytesIO)
    return said.getvalue().decode()
