# SPDX-License-Identifier: GPL-2.0-only
"""Profiles: named sets of fragments, read from kconfigs/profiles.toml."""

from __future__ import annotations

import tomllib
from pathlib import Path

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from kzc.errors import UsageError
from kzc.kernel.fragment import Fragment


class Profile(BaseModel):
    """`slowdown` multiplies time limits of guests, `memory` is the least that they need, in MiB."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    title: str
    fragments: tuple[str, ...]
    slowdown: float = 1.0
    memory: int = 512


def load_profiles(folder: Path) -> dict[str, Profile]:
    """All profiles. Raises UsageError naming file and field."""
    path = folder / "profiles.toml"
    try:
        return TypeAdapter(dict[str, Profile]).validate_python(tomllib.loads(path.read_text()))
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        raise UsageError(f"{path}: {field}: {first['msg']}") from None
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise UsageError(f"{path}: {error}") from None


def find_profile(name: str, folder: Path) -> Profile:
    """The profile of that name. Raises UsageError naming those there are."""
    profiles = load_profiles(folder)
    if name not in profiles:
        raise UsageError(f"there is no profile {name}", f"there are: {', '.join(profiles)}")
    return profiles[name]


def load_fragment(name: str, folder: Path) -> Fragment:
    """A fragment by name (of `folder`, with or without .config) or by path.

    Raises UsageError when it cannot be read.
    """
    path = Path(name) if "/" in name else folder / f"{name.removesuffix('.config')}.config"
    try:
        return Fragment(path.name, path.read_text())
    except (OSError, UnicodeDecodeError) as error:
        known = ", ".join(sorted(entry.stem for entry in folder.glob("*.config")))
        raise UsageError(f"config fragment {path}: {error}", f"there are: {known}") from None
