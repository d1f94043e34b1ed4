# SPDX-License-Identifier: GPL-2.0-only
"""The bytes of mails from where they are kept: a file, a folder of files, a Maildir. Read only."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from kzc.errors import UsageError
from kzc.series.mails import Source
from kzc.series.mbox import expand, split_mbox

_MAILS = ("*.patch", "*.eml", "*.diff")
_BOXES = ("*.mbox", "*.mbx", "*.mbox.gz", "*.mbx.gz")
_LIMIT = 256 << 20
_ENDINGS = re.compile(r"(\.(mbox|mbx|patch|eml|diff|gz|t))+$")


def sources_at(path: Path) -> list[Source]:
    """All mails of a file or folder, in the order of the names. Raises UsageError."""
    if not path.is_dir():
        return _of_file(path)
    if is_maildir(path):
        return _of_maildir(path)
    files = _matching(path, _MAILS) or _matching(path, _BOXES)
    if not files:
        raise UsageError(
            f"{path}: there are no patches in it ({', '.join(_MAILS)})",
            "git format-patch -o FOLDER a..b makes them",
        )
    _not_too_much(path, files)
    return [source for file in files for source in _of_file(file)]


def name_at(path: Path) -> str:
    """What to call the series there: the file's or folder's name without its endings."""
    return path.name if path.is_dir() else _ENDINGS.sub("", path.name)


def is_maildir(folder: Path) -> bool:
    """Whether the folder has the two that a Maildir's mails are in."""
    return (folder / "cur").is_dir() and (folder / "new").is_dir()


def _of_maildir(folder: Path) -> list[Source]:
    files = [
        file
        for place in ("cur", "new")
        for file in sorted((folder / place).iterdir())
        if file.is_file() and not file.name.startswith(".")
    ]
    _not_too_much(folder, files)
    return [Source(_bytes(file), str(file), "patch") for file in files]


def _of_file(file: Path) -> list[Source]:
    data = expand(_bytes(file), str(file))
    if not data.strip():
        raise UsageError(f"{file}: it is empty")
    if b"\0" in data[:4096]:
        raise UsageError(f"{file}: binary data, neither mails nor a diff")
    mails = split_mbox(data)
    if len(mails) == 1:
        return [Source(mails[0], str(file), file.stem)]
    return [Source(raw, f"{file}, mail {at}", file.stem) for at, raw in enumerate(mails, start=1)]


def _matching(folder: Path, patterns: Sequence[str]) -> list[Path]:
    return sorted(file for pattern in patterns for file in folder.glob(pattern) if file.is_file())


def _bytes(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise UsageError(f"{file}: cannot be read: {error.strerror}") from error


def _not_too_much(folder: Path, files: Sequence[Path]) -> None:
    size = sum(file.stat().st_size for file in files)
    if size > _LIMIT:
        raise UsageError(
            f"{folder}: {size >> 20} MiB of mails are more than any series has",
            "save the thread alone, as an mbox",
        )
