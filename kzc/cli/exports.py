# SPDX-License-Identifier: GPL-2.0-only
"""Reports as files: which are wanted, that their folders are there, and writing them whole.

A file is replaced at once, so that a reader or a full disk never leaves half a report.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from kzc.cli.options import Asked
from kzc.cli.page import html_of
from kzc.errors import UsageError
from kzc.results import disk
from kzc.results.formats import EXPORTS, FORMATS
from kzc.values import Run

Files = Mapping[str, Path | None]
"""The file for each format's name, None for one that is not wanted."""

FORMS: dict[str, Callable[[Run, Path], str]] = {**FORMATS, **EXPORTS, "html": html_of}
"""What makes a report of a run and the folder with its logs."""


def files_of(asked: Asked) -> Files:
    """What a verb that tests was told to write. Raises UsageError where it cannot be written."""
    return checked({"html": asked.html, "junit": asked.junit})


def checked(files: Files) -> Files:
    """The files; their folders are looked at now, and not after an hour of testing."""
    for name, path in files.items():
        if path and path != Path("-") and (path.is_dir() or not path.absolute().parent.is_dir()):
            what = "is a folder" if path.is_dir() else "is in a folder that is not there"
            raise UsageError(f"--{name} {path} {what}", "name a file, or - for standard output")
    return files


def write(files: Files, run: Run, folder: Path) -> None:
    """Write the wanted reports of a run; `folder` has its logs. Raises UsageError, HostError."""
    for name, path in files.items():
        if path is None:
            continue
        text = FORMS[name](run, folder)
        if path == Path("-"):
            print(text, end="")
            continue
        with disk.blamed(path, named=True):
            data = text.encode(errors="backslashreplace")
            if path.exists() and not path.is_file():
                path.write_bytes(data)  # a pipe or a terminal cannot be replaced
            else:
                disk.replace(path.absolute(), data)
        print(f"{name}: {path}", file=sys.stderr)
