# SPDX-License-Identifier: GPL-2.0-only
"""suite.toml: what a suite builds, the guest it wants, what it runs and how to read that.

Adding a suite is adding a folder with such a file. Every message names the file and the field.
"""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import Annotated, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)

from kzc.errors import UsageError
from kzc.suites.parsers import PARSERS
from kzc.suites.words import first_problem

FILE = "suite.toml"


def _inside(path: str) -> str:
    parts = PurePosixPath(path).parts
    if not parts or parts[0] == "/" or ".." in parts:
        raise ValueError(f"{path!r} is no path inside its folder")
    return path


_Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][\w.-]*$")]
_Inside = Annotated[str, AfterValidator(_inside)]
_Seconds = Annotated[float, Field(gt=0)]
_Text = Annotated[str, Field(min_length=1)]
# they become single-quoted shell words and paths under /proc/sys
_Sysctl = Annotated[str, Field(pattern=r"^[a-z0-9_]+(\.[a-zA-Z0-9_-]+)+$")]
_Value = int | Annotated[str, Field(pattern=r"^[^'\n]*$")]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Build(_Table):
    """Programs of one folder of the tree.

    `make` are targets, `cflags` are added, `outputs` and `copy` (files that need no building) go
    to the folder of programs. Without `optional`, not to build is a failure of the tree.
    """

    folder: _Inside
    make: tuple[_Text, ...] = Field(min_length=1)
    static: bool = False
    cflags: tuple[str, ...] = ()
    outputs: tuple[_Inside, ...] = Field(min_length=1)
    copy_files: tuple[_Inside, ...] = Field(default=(), alias="copy")
    apt: tuple[str, ...] = ()
    optional: bool = False


class Command(_Table):
    """Shell text for the guest, run in the folder of programs, which is also `$KZC_BIN`.

    `$KZC_SLOWDOWN` says how much longer than under KVM things may take in this guest (1 or more).
    `list` prints the names of the cases to come, or `planned` holds them; `timeout` are seconds
    in all at KVM's speed; `needs` is a program without which the command is skipped.
    """

    name: _Name
    run: _Text
    parser: str
    list_tests: str = Field(default="", alias="list")
    planned: tuple[str, ...] = ()
    timeout: _Seconds | None = None
    needs: str = ""

    @field_validator("parser")
    @classmethod
    def _known(cls, name: str) -> str:
        if name not in PARSERS:
            raise ValueError(f"there is no parser {name!r}; there are {', '.join(PARSERS)}")
        return name


class Suite(_Table):
    """A suite. `silence` and `total` are seconds at KVM's speed, `memory` is like 512M or 2G.

    `prelude` is shell text that `load_suite` has put before every `run` and `list`.
    """

    name: _Name
    title: _Text
    guest: Literal["mini", "vng"]
    cpus: int = Field(default=1, ge=1, le=64)
    memory: str = Field(default="512M", pattern=r"^[1-9]\d*[MG]$")
    fragments: tuple[Annotated[str, Field(pattern=r"^[\w-]+\.config$")], ...] = ()
    sysctls: dict[_Sysctl, _Value] = {}
    silence: _Seconds = 60
    total: _Seconds = 300
    prelude: str = ""
    build: tuple[Build, ...] = ()
    commands: tuple[Command, ...] = Field(min_length=1)

    @property
    def memory_mib(self) -> int:
        """Memory of the guest in MiB."""
        return int(self.memory[:-1]) * (1024 if self.memory.endswith("G") else 1)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        _distinct("commands", [command.name for command in self.commands])
        made = [
            Path(name).name for build in self.build for name in (*build.outputs, *build.copy_files)
        ]
        _distinct("build", made)
        for command in self.commands:
            if command.needs and command.needs not in made:
                raise ValueError(f"command {command.name}: no build makes {command.needs!r}")
            if command.list_tests and command.planned:
                raise ValueError(f"command {command.name}: either `list` or `planned`")
        return self


def _distinct(where: str, names: Sequence[str]) -> None:
    doubled = sorted({name for name in names if names.count(name) > 1})
    if doubled:
        raise ValueError(f"{where}: {', '.join(doubled)} is there more than once")


def load_suite(folder: Path) -> Suite:
    """The suite of a folder. Raises UsageError `selftests/x/suite.toml: commands.0.timeout: ...`.

    `run` and `list` of its commands come complete, with the suite's prelude before them.
    """
    path = folder / FILE
    shown = Path(*path.parts[-3:])
    try:
        suite = Suite.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        raise UsageError(f"there is no {shown}", "name a folder with a suite.toml") from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(f"{shown}: {error}") from None
    except ValidationError as error:
        raise UsageError(f"{shown}: {first_problem(error)}") from None
    if suite.name != folder.name:
        raise UsageError(f"{shown}: name: {suite.name!r} is not the folder's name {folder.name!r}")
    return suite.model_copy(
        update={"commands": tuple(_complete(command, suite.prelude) for command in suite.commands)}
    )


def _complete(command: Command, prelude: str) -> Command:
    if not prelude:
        return command
    listing = command.list_tests and f"{prelude}\n{command.list_tests}"
    return command.model_copy(update={"run": f"{prelude}\n{command.run}", "list_tests": listing})
