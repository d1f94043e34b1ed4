# SPDX-License-Identifier: GPL-2.0-only
"""What the user may set, declared once: a flag outranks the environment, that outranks a file.

Two files are read, `kzc.toml` of the user's configuration folder and the one of the current
folder, field by field, the nearer one winning. Nothing here is changed after loading.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from platformdirs import user_cache_path, user_config_path, user_data_path
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from kzc.errors import UsageError

FILE_NAME = "kzc.toml"
_FOLDERS = ("cache", "data")
_OTHERS = ("ci",)  # tables of the same file that others read


class Settings(BaseModel):
    """All settings, each with its default and what it is for."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    cache: Path = Field(
        default_factory=lambda: user_cache_path("kzc"),
        description="trees, worktrees and builds; can be deleted at any time",
    )
    data: Path = Field(
        default_factory=lambda: user_data_path("kzc"),
        description="runs and the list of trees; what should be kept",
    )
    jobs: int = Field(
        default_factory=lambda: len(os.sched_getaffinity(0)),
        ge=1,
        description="compilers at once",
    )
    accel: Literal["auto", "kvm", "tcg"] = Field(
        default="auto", description="auto takes KVM where a guest was seen to run with it"
    )
    qemu: str = Field(
        default="qemu-system-x86_64", min_length=1, description="the emulator, by name or path"
    )
    tree: str = Field(default="", description="the tree to take outside of a kernel checkout")
    db: str = Field(
        default="", description="a database's URL for runs; SQLite's in the data folder if empty"
    )
    profile: str = Field(
        default="default", min_length=1, description="a set of config fragments, by name"
    )


def load_settings(
    overrides: Mapping[str, object], cwd: Path, env: Mapping[str, str] | None = None
) -> Settings:
    """Settings from flags (`overrides`, None for one not given), environment and files.

    Relative folders are meant from where they were written: the file's folder, or `cwd`.
    Raises UsageError naming the file, variable or flag, and the field.
    """
    variables = os.environ if env is None else env
    values: dict[str, object] = {}
    origins: dict[str, str] = {}
    for file in (user_config_path("kzc") / FILE_NAME, cwd / FILE_NAME):
        found = {name: value for name, value in _read(file).items() if name not in _OTHERS}
        values |= _anchored(found, file.parent)
        origins |= {name: str(file) for name in found}
    for name in Settings.model_fields:
        variable = f"KZC_{name.upper()}"
        if variables.get(variable):
            values |= _anchored({name: variables[variable]}, cwd)
            origins[name] = f"the variable {variable}"
    given = {name: value for name, value in overrides.items() if value is not None}
    values |= _anchored(given, cwd)
    origins |= {name: f"the option --{name.replace('_', '-')}" for name in given}
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        raise UsageError("\n".join(_messages(error, origins)), _known()) from error


def _read(file: Path) -> dict[str, object]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except OSError as error:
        raise UsageError(f"{file}: cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise UsageError(f"{file}: no valid TOML: {error}") from error


def _anchored(values: Mapping[str, object], folder: Path) -> dict[str, object]:
    return {
        name: folder / Path(value).expanduser()
        if name in _FOLDERS and isinstance(value, str | Path)
        else value
        for name, value in values.items()
    }


def _messages(error: ValidationError, origins: Mapping[str, str]) -> list[str]:
    lines = []
    for problem in error.errors():
        field = ".".join(str(part) for part in problem["loc"])
        origin = origins.get(str(problem["loc"][0]), "settings")
        if problem["type"] == "extra_forbidden":
            lines.append(f"{origin}: {field}: there is no such setting")
        else:
            lines.append(f"{origin}: {field}: {problem['msg']} (it is {problem['input']!r})")
    return lines


def _known() -> str:
    return f"settings are {', '.join(Settings.model_fields)}"
