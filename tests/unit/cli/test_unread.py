# SPDX-License-Identifier: GPL-2.0-only
"""Output that nobody reads to its end, as with `head` and `less`: no complaint, and 141."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from kzc.cli.unread import UNREAD
from kzc.cli.words import spoken

REPOSITORY = Path(__file__).parents[3]


@pytest.fixture
def unread() -> Iterator[int]:
    """A pipe whose reading end is closed before anything is written."""
    ours, theirs = os.pipe()
    os.close(ours)
    yield theirs
    os.close(theirs)


def kzc(home: Path, *words: str, out: int, err: int) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "kzc", *words],
        cwd=home,
        env={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(REPOSITORY),
            "HOME": str(home),
            "KZC_DATA": str(home / "data"),
            "KZC_CACHE": str(home / "cache"),
        },
        stdin=subprocess.DEVNULL,
        stdout=out,
        stderr=err,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(
    "words",
    [
        ["schema"],  # more than a buffer: print() finds out
        ["series", "list"],  # written by rich
        ["runs", "--json"],  # so short that it is written at the end
        ["help", "verdicts"],
        ["--help"],
        ["--version"],
    ],
    ids=" ".join,
)
def test_a_reader_that_left_is_no_error(words: list[str], unread: int, tmp_path: Path) -> None:
    done = kzc(tmp_path, *words, out=unread, err=subprocess.PIPE)
    assert (done.returncode, done.stderr) == (UNREAD, "")
    assert UNREAD == 141


def test_nobody_reads_what_went_wrong(unread: int, tmp_path: Path) -> None:
    for words in (["show", "nobody"], ["show", "--nonsense"]):
        done = kzc(tmp_path, *words, out=subprocess.PIPE, err=unread)
        assert (done.returncode, done.stdout) == (UNREAD, "")
    assert kzc(tmp_path, "show", "nobody", out=unread, err=unread).returncode == UNREAD


def test_a_full_disk_is_this_machines_fault(tmp_path: Path) -> None:
    with open("/dev/full", "w") as full:
        done = kzc(tmp_path, "help", "verdicts", out=full.fileno(), err=subprocess.PIPE)
    assert done.returncode == 3
    assert done.stderr.startswith("kzc: ")
    assert "No space left on device" in done.stderr
    assert "Traceback" not in done.stderr


def test_another_pipe_that_broke_is_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    def broken() -> int:
        raise BrokenPipeError(32, "Broken pipe")

    assert spoken(broken) == 3
    assert "Broken pipe" in capsys.readouterr().err
