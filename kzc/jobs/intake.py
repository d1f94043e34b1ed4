# SPDX-License-Identifier: GPL-2.0-only
"""From what the user names to a series taken in: a file, folder, Maildir, Message-ID or range."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

from kzc.errors import UsageError
from kzc.proc import Runner
from kzc.series.choose import NEWEST, Choice
from kzc.series.fetch import fetch_thread, message_id
from kzc.series.find import is_range
from kzc.series.imported import default_name, save_imported
from kzc.series.mails import Intake, take_in
from kzc.series.read import read_range, take_path


@dataclass(frozen=True)
class Request:
    """`source` as the user wrote it, in the folder `cwd`; `b4` is empty where there is none.

    `folder` is where imported series are, `carried` the names that are taken. `name` is empty for
    the one that the title makes; `swap` replaces another series of that name.
    """

    source: str
    cwd: Path
    b4: str
    folder: Path
    carried: frozenset[str]
    name: str = ""
    choice: Choice = NEWEST
    swap: bool = False


@dataclass(frozen=True)
class Imported:
    """`new` is false where the very same series had been imported by that name."""

    intake: Intake
    new: bool


def take(request: Request, runner: Runner) -> Imported:
    """Read, name and keep a series. Raises UsageError, or HostError where fetching failed."""
    found = _read(request, runner)
    series = replace(found.series, name=request.name or default_name(found.series))
    intake = replace(found, series=series)
    taken = set(request.carried)
    return Imported(intake, save_imported(request.folder, intake, taken, request.swap))


def _read(request: Request, runner: Runner) -> Intake:
    source, choice = request.source, request.choice
    path = request.cwd / Path(source).expanduser()
    if path.exists():
        return take_path(path, choice)
    wanted = message_id(source)
    if wanted:
        if not (choice.posting or choice.version):
            choice = Choice(posting=wanted, preferred=True)
        with tempfile.TemporaryDirectory(prefix="kzc-") as scratch:
            mails = fetch_thread(wanted, request.b4, runner, Path(scratch))
        return take_in(mails, wanted, f"<{wanted}>", choice)
    if is_range(source):
        return Intake(read_range(request.cwd, source, runner))
    raise UsageError(
        f"{source}: no file, folder, Message-ID or range of commits",
        "an mbox, a Maildir, a folder of patches, <id@host>, a URL with one, or a..b in a checkout",
    )
