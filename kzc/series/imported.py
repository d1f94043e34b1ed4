# SPDX-License-Identifier: GPL-2.0-only
"""Series that were imported: `NAME/series.json`, and beside it the mails that it names.

series.json is written last and renamed, and the files of the patches are named by their content:
so a series is there whole, or as it was before, whatever happens in between.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from filelock import FileLock

from kzc.errors import UsageError
from kzc.git import full_disk_told
from kzc.series.mails import Intake
from kzc.values import Patch, Series

FILE_NAME = "series.json"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,79}")
_ROOM = 48


def default_name(series: Series) -> str:
    """A name made of the title, and `-vN` where it was posted."""
    plain = re.sub(r"[^a-z0-9]+", "-", series.title.lower()).strip("-")
    short = plain[:_ROOM].rpartition("-")[0] if len(plain) > _ROOM else plain
    return (short or "series") + (f"-v{series.version}" if series.version else "")


def list_imported(folder: Path) -> tuple[str, ...]:
    """The names of the series kept there."""
    found = (file.parent.name for file in folder.glob(f"*/{FILE_NAME}"))
    return tuple(sorted(name for name in found if _NAME.fullmatch(name)))


def load_imported(folder: Path, name: str) -> Intake:
    """The series `name`. Raises UsageError where there is none, or what is there is damaged."""
    if name not in list_imported(folder):
        kept = ", ".join(list_imported(folder)) or "none"
        raise UsageError(f"no series {name} was imported", f"imported are: {kept}")
    file = folder / name / FILE_NAME
    try:
        return _intake(name, json.loads(file.read_text(encoding="utf-8")), file.parent)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise UsageError(
            f"{file}: what was imported is damaged: {error}",
            f"kzc series remove {name}, and import it again",
        ) from error


def save_imported(folder: Path, intake: Intake, taken: set[str], swap: bool = False) -> bool:
    """Keep a series by its name; False where the very same is there already.

    `taken` are names that cannot be had. `swap` replaces another series of that name. Raises
    UsageError for a bad name, or where another one has it.
    """
    name = intake.series.name
    if not _NAME.fullmatch(name) or ".." in name or name.endswith(".lock"):
        raise UsageError(f"{name!r} is no name", "letters, digits and . _ + - make one")
    if name in taken:
        raise UsageError(f"{name} is a series that kzc carries", "give another name with --name")
    with full_disk_told():
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(folder / ".lock"):
            if name in list_imported(folder) and not (swap and _broken(folder, name)):
                before = load_imported(folder, name)
                if _same(before.series, intake.series):
                    return False
                if not swap:
                    raise UsageError(
                        f"another series is called {name}: {before.series.title!r} "
                        f"v{before.series.version}, from {before.series.origin}",
                        "give another name with --name, or let it go with --replace",
                    )
            _write(folder / name, intake)
    return True


def remove_imported(folder: Path, name: str) -> None:
    """Forget a series that was imported. Raises UsageError where there is none."""
    if name not in list_imported(folder):
        load_imported(folder, name)
    with FileLock(folder / ".lock"):
        (folder / name / FILE_NAME).unlink(missing_ok=True)
        shutil.rmtree(folder / name, ignore_errors=True)


def as_values(intake: Intake) -> dict[str, Any]:
    """All but the mails themselves, fit for JSON."""
    series = intake.series
    return {
        "name": series.name,
        "title": series.title,
        "version": series.version,
        "message_id": series.message_id,
        "date": intake.date,
        "origin": series.origin,
        "base": series.base,
        "prerequisites": list(series.prerequisites),
        "hints": list(intake.hints),
        "links": list(series.links),
        "trailers": list(intake.trailers),
        "notes": list(series.notes),
        "cover": series.cover,
        "tags": series.tags,
        "patches": [_patch_values(patch) for patch in series.patches],
    }


def _patch_values(patch: Patch) -> dict[str, Any]:
    digest = hashlib.sha256(patch.body).hexdigest()
    return {
        "number": patch.number,
        "subject": patch.subject,
        "author": patch.author,
        "message_id": patch.message_id,
        "files": list(patch.files),
        "file": f"{patch.number:04}-{digest[:12]}.patch",
        "sha256": digest,
    }


def _intake(name: str, values: Mapping[str, Any], folder: Path) -> Intake:
    series = Series(
        name,
        values["title"],
        tuple(_patch(found, folder) for found in values["patches"]),
        values["base"],
        values["origin"],
        values["version"],
        values["cover"],
        values["message_id"],
        tuple(values["prerequisites"]),
        tuple(values["links"]),
        tuple(values["notes"]),
        values["tags"],
    )
    return Intake(series, values["date"], tuple(values["hints"]), tuple(values["trailers"]))


def _patch(values: Mapping[str, Any], folder: Path) -> Patch:
    body = (folder / Path(values["file"]).name).read_bytes()
    if hashlib.sha256(body).hexdigest() != values["sha256"]:
        raise ValueError(f"{values['file']} is not what was imported")
    return Patch(
        values["number"],
        values["subject"],
        values["author"],
        body,
        tuple(values["files"]),
        values["message_id"],
    )


def _write(folder: Path, intake: Intake) -> None:
    folder.mkdir(exist_ok=True)
    values = as_values(intake)
    names = [found["file"] for found in values["patches"]]
    for name, patch in zip(names, intake.series.patches, strict=True):
        _put(folder / name, patch.body)
    text = json.dumps(values, indent=1)
    _put(folder / FILE_NAME, text.encode())
    for file in folder.iterdir():
        if file.name not in {*names, FILE_NAME}:
            file.unlink()


def _put(file: Path, data: bytes) -> None:
    temporary = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        temporary.write_bytes(data)
        temporary.replace(file)
    finally:
        temporary.unlink(missing_ok=True)


def _same(before: Series, now: Series) -> bool:
    return replace(before, origin="", notes=()) == replace(now, origin="", notes=())


def _broken(folder: Path, name: str) -> bool:
    try:
        load_imported(folder, name)
    except UsageError:
        return True
    return False
