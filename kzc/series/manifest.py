# SPDX-License-Identifier: GPL-2.0-only
"""patches/NAME/series.toml: what a carried series is, its history, and the trees it is for."""

from __future__ import annotations

import datetime
import tomllib
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from kzc.errors import UsageError

FILE_NAME = "series.toml"
_Fragment = Annotated[str, Field(pattern=r"^[\w-]+(\.config)?$")]


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Posted(_Strict):
    """One posting on a mailing list."""

    version: int = Field(ge=1, description="the n of [PATCH vn]")
    message_id: str = Field(pattern=r"^[^<>\s]+@[^<>\s]+$", description="without angle brackets")
    date: datetime.date | None = Field(default=None, description="day of the posting")
    note: str = Field(default="", description="RFC, or what became of it")

    @property
    def link(self) -> str:
        """Where it can be read."""
        return f"https://lore.kernel.org/r/{self.message_id}"


class Mark(_Strict):
    """How a tree shows that it has the feature, whatever its version: a line of `file` has the
    text `has`."""

    file: str = Field(pattern=r"^[\w+-][\w.+-]*(/[\w+-][\w.+-]*)*$", description="in the tree")
    has: str = Field(min_length=1, pattern=r"^[^\n]+$", description="a fixed text, not a pattern")


class Base(_Strict):
    """Patches for one line of kernels."""

    folder: str = Field(
        default="",
        pattern=r"^[A-Za-z0-9._-]*$",
        description="beside series.toml; the label if empty",
    )
    note: str = Field(default="", description="what differs from the posting")
    tested_on: str = Field(default="", description="the version it was last seen to pass on")
    tree: str = Field(default="", description="what --tree takes to get such a kernel")


class Manifest(_Strict):
    """A series that kzc carries."""

    title: str = Field(min_length=1)
    cover: str = Field(default="", description="the cover letter's text")
    posted: tuple[Posted, ...] = ()
    upstream_since: str = Field(default="", description="first release that has it, v6.7")
    fate: str = Field(default="", description="as what it was merged, or why it was not")
    present: tuple[Mark, ...] = Field(
        default=(), description="a tree that shows them all has the feature: nothing to apply"
    )
    links: tuple[str, ...] = ()
    bases: dict[str, Base] = Field(min_length=1, description="by the kernel version they fit")
    fragments: tuple[_Fragment, ...] = Field(default=(), description="kconfigs/ it needs")
    suites: tuple[str, ...] = Field(default=(), description="selftests/ that exercise it")
    measurement_only: bool = Field(default=False, description="nothing with it counts as clean")


def load_manifest(folder: Path) -> Manifest:
    """Read `folder`/series.toml. Raises UsageError naming file and field."""
    file = folder / FILE_NAME
    try:
        values = tomllib.loads(file.read_text(encoding="utf-8"))
        manifest = Manifest.model_validate(values)
    except OSError as error:
        raise UsageError(f"{file}: cannot be read: {error.strerror}") from error
    except ValidationError as error:
        raise UsageError("\n".join(_messages(file, error))) from error
    except ValueError as error:
        raise UsageError(f"{file}: no valid TOML: {error}") from error
    for label, base in manifest.bases.items():
        if not base_folder(folder, label, base).is_dir():
            missing = base_folder(folder, label, base)
            raise UsageError(f"{file}: bases.{label}: there is no folder {missing}")
    return manifest


def find_manifest(patches_dir: Path, name: str) -> Manifest | None:
    """The manifest of the series `name`, None where none is carried under that name."""
    return load_manifest(patches_dir / name) if name in list_series(patches_dir) else None


def base_folder(folder: Path, label: str, base: Base) -> Path:
    """Where the patches for that base are."""
    return folder / (base.folder or label)


def list_series(patches_dir: Path) -> tuple[str, ...]:
    """The names of the series carried there."""
    return tuple(sorted(file.parent.name for file in patches_dir.glob(f"*/{FILE_NAME}")))


def pick_base(manifest: Manifest, version: str) -> str:
    """The label of the base for a tree of that version: the longest of which it is one.

    Raises UsageError naming the bases there are.
    """
    fitting = [
        label
        for label in manifest.bases
        if version == label or version.startswith((f"{label}.", f"{label}-"))
    ]
    if not fitting:
        raise UsageError(
            f"{manifest.title!r} carries no patches for {version}; "
            f"it does for {', '.join(manifest.bases)}",
            "give the patches as a folder, an mbox or a range, or take another tree with --tree",
        )
    return max(fitting, key=len)


def _messages(file: Path, error: ValidationError) -> list[str]:
    return [
        f"{file}: {'.'.join(str(part) for part in problem['loc'])}: "
        + ("no such field" if problem["type"] == "extra_forbidden" else problem["msg"])
        for problem in error.errors()
    ]
