# SPDX-License-Identifier: GPL-2.0-only
"""`kzc help`, `kzc manual` and `kzc completion`."""

from __future__ import annotations

import difflib
import os
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path

from kzc import __version__
from kzc.cli.manual.pages import Edition, pages
from kzc.cli.manual.topics import title, topics
from kzc.cli.reflow import reflow, room
from kzc.errors import HostError, UsageError

SHELLS = ("bash", "zsh", "fish")


def explain(topic: str) -> int:
    """The text of a topic, filled for a terminal's width, or the list of them. Raises UsageError
    for what is none."""
    texts = topics()
    if not topic:
        width = max(map(len, texts))
        for name, text in texts.items():
            print(f"{name.ljust(width)}  {title(text)}")
        return 0
    if topic not in texts:
        raise UsageError(f"there is no topic {topic}", _hint(topic, tuple(texts)))
    columns = room()
    print(reflow(texts[topic], columns) if columns else texts[topic], end="")
    return 0


def write(folder: Path) -> int:
    """All man pages below `folder`, which is made. Raises UsageError where it can be none."""
    edition = Edition(__version__, today())
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder} is no folder", "name another one; it is made where need be")
    try:
        for name, text in pages(_command(), edition).items():
            place = folder / f"man{name.rpartition('.')[2]}" / name
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(text, encoding="utf-8")
    except (FileExistsError, NotADirectoryError, IsADirectoryError) as error:
        raise UsageError(
            f"{error.filename}: {error.strerror}", "name a folder that can have such files"
        ) from error
    except OSError as error:
        raise HostError(f"{error.filename}: {error.strerror}", "name another folder") from error
    return 0


def completion(shell: str) -> int:
    """The script for a shell. Raises UsageError for one that has none."""
    if shell not in SHELLS:
        raise UsageError(f"there is nothing for {shell}", f"there is for {', '.join(SHELLS)}")
    script = resources.files("kzc.cli.completing") / f"kzc.{shell}"
    print(script.read_text(encoding="utf-8"), end="")
    return 0


def today() -> str:
    """The date of the pages: SOURCE_DATE_EPOCH where a build has to be reproducible."""
    epoch = os.environ.get("SOURCE_DATE_EPOCH", "")
    when = datetime.fromtimestamp(int(epoch), UTC) if epoch.isdigit() else datetime.now(UTC)
    return f"{when:%Y-%m-%d}"


def _command() -> object:
    from kzc.cli.app import command

    return command()


def _hint(topic: str, there: tuple[str, ...]) -> str:
    if topic in getattr(_command(), "commands", {}):
        return f"it is a verb: `kzc {topic} --help`; topics are {', '.join(there)}"
    near = difflib.get_close_matches(topic, there, 1)
    return (f"{near[0]}? " if near else "") + f"topics are {', '.join(there)}"
