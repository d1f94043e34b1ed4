# SPDX-License-Identifier: GPL-2.0-only
"""A data folder with names, good and hostile, and the questions that shells ask."""

from __future__ import annotations

from pathlib import Path

import pytest

from kzc.cli.app import command
from kzc.cli.completing.answer import answer

TREES = ["6.1", "6.12", "7.3"]
RUNS = ["20261122-043042-8dbd", "20261121-095859-1c58"]
HOSTILE = [
    "$(touch pwned)",
    "`touch pwned`",
    "6.1;touch pwned",
    "\\$(touch pwned)",
    "'\"",
    "--debug",
    "-x",
    "*",
    "~",
    "with blank",
    "two\nlines",
    "tab\tafter",
    "\x1b[31m",
    "\udcff",
]


def make_data(folder: Path) -> Path:
    """Trees, runs and an imported series, each among hostile names."""
    (folder / "trees").mkdir(parents=True)
    for name in (*TREES, *HOSTILE):
        (folder / "trees" / f"{name}.json").write_text("{}")
    for name in (*RUNS, *HOSTILE):
        (folder / "runs" / name).mkdir(parents=True)
    for name in ("net-next-v3", *HOSTILE):
        (folder / "series" / name).mkdir(parents=True)
        (folder / "series" / name / "series.json").write_text("{}")
    return folder


def offered(line: str, capsys: pytest.CaptureFixture[str]) -> list[str]:
    """The words that `kzc --complete-line` prints; it never says anything else."""
    assert answer(command(), [line]) == 0
    printed = capsys.readouterr()
    assert not printed.err
    return [each.partition("\t")[0] for each in printed.out.splitlines()]
