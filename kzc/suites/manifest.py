# SPDX-License-Identifier: GPL-2.0-only
"""suite.toml: what a suite builds, the guest it wants, what it runs and how to read that.

Adding a suite is adding a folder with such a file. Every message names the file and the field.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path, PurePosixPath
from typing import Annotated, Literal, Self, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from kzc.errors import UsageError
from kzc.shared import shared_folder
from kzc.suites import application
from kzc.suites.faults import KINDS, Kind
from kzc.suites.kernel_log import Known
from kzc.suites.parsers import PARSERS
from kzc.suites.words import first_problem

FILE = "suite.toml"
LIB = "lib"
LOOPBACK = ("loopback",)
TWO_ENDS = ("pair", "nested")


class Direction(StrEnum):
    """Which end is the client: the host (host to guest) or the guest."""

    H2G = "H2G"
    G2H = "G2H"


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
_Parameter = Annotated[str, Field(pattern=r"^[^\s'\"]+$")]
_Value = int | Annotated[str, Field(pattern=r"^[^'\n]*$")]


_TEXTS = ("run", "pick", "list_tests", "server", "client", "help_text")


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


def _texts(names: object, info: ValidationInfo) -> dict[str, str]:
    """The sources named and all headers beside them, by name."""
    if not isinstance(names, list) or not names or not all(isinstance(n, str) for n in names):
        raise ValueError("should be a list of C files")
    folder = Path((info.context or {})["folder"])
    found: dict[str, Path] = {}
    for place in (shared_folder("selftests") / LIB, folder):
        headers = [path.name for path in sorted(place.glob("*.h"))]
        found |= {name: place / name for name in (*headers, *names) if (place / name).is_file()}
    for name in names:
        if not re.fullmatch(r"[\w-]+\.c", name):
            raise ValueError(f"{name!r} is no C file beside {FILE} or in {LIB}/")
        if name not in found:
            raise ValueError(f"there is no {name} beside {FILE} or in {LIB}/")
    return {name: path.read_text(encoding="utf-8") for name, path in sorted(found.items())}


def _packages(names: object, info: ValidationInfo) -> dict[str, str]:
    """All files of the packages, by path."""
    if not isinstance(names, list) or not names or not all(isinstance(n, str) for n in names):
        raise ValueError("should be a list of Python packages")
    return application.texts(names, Path((info.context or {})["folder"]))


class Program(_Table):
    """A program of the suite's own, static, compiled against the tree's uapi headers; or in Python.

    `sources` in suite.toml are names of C files that stand beside it or in lib/. Here they are
    the texts by name, those of all headers there too: a changed text is another program.
    `packages` are in place of them: the first, a Python package beside suite.toml, is run by the
    guest's python3, the others are dependencies of kzc's that it imports. A mini guest has none.
    """

    name: _Name
    sources: Annotated[dict[str, str], BeforeValidator(_texts)] = {}
    packages: Annotated[dict[str, str], BeforeValidator(_packages)] = {}

    @model_validator(mode="after")
    def _either(self) -> Self:
        if bool(self.sources) == bool(self.packages):
            raise ValueError("either `sources` or `packages`")
        return self


class _Entry(_Table):
    """What commands and pairs share.

    `list` prints the names of the cases to come, or `planned` holds them; `timeout` are seconds
    in all at KVM's speed; `needs` is a program without which it is skipped.
    """

    name: _Name
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


_E = TypeVar("_E", bound=_Entry)


class Command(_Entry):
    """Shell text for the guest, run in the folder of programs, which is also `$KZC_BIN`.

    `$KZC_SLOWDOWN` says how much longer than under KVM things may take in this guest (1 or more).
    `pick` is shell text put before `run` to leave out all cases but the one named `$KZC_CASE`.
    """

    run: _Text
    pick: str = ""


class PairCommand(_Entry):
    """Shell texts for both ends of a pair, run in both directions unless `directions` has one.

    Both see KZC_BIN and KZC_SLOWDOWN as a command does, and KZC_DIRECTION, KZC_PEER_CID, KZC_PORT
    (AF_VSOCK), KZC_CONTROL_PORT and KZC_CONTROL_HOST (TCP: where the server listens, where the
    client connects to), KZC_OPTIONS (long options that what `help` printed on both ends has in
    common) and KZC_SKIP (`--skip=N` for each test that the two ends' lists do not agree on).
    With `ready` tcp the client waits until something listens on the control port. `racy` are
    cases whose failure may be the test's own, with the reason: they get a second try, which is
    said.
    """

    server: _Text
    client: _Text
    ready: Literal["tcp", "none"] = "tcp"
    racy: dict[_Text, _Text] = {}
    help_text: str = Field(default="", alias="help")
    directions: tuple[Direction, ...] = Field(default=tuple(Direction), min_length=1)


class Suite(_Table):
    """A suite. `silence` and `total` are seconds at KVM's speed, `memory` is like 512M or 2G.

    `append` goes to the guest's kernel, and each of `again` is the whole suite once more, called
    `NAME WORD`, with these parameters instead. With two `levels` the guest is a host: its commands
    start guests with the kernel KZC_IMAGE, the initramfs KZC_INITRD (with the suite's programs),
    the emulator KZC_QEMU, on emulated SVM the CPU model KZC_CPU and the options KZC_DEVICES, and
    the parameters KZC_APPEND;
    `wires` are pairs of cards of the first level, each pair connected.
    `prelude` is shell text that `load_suite` has put before every shell text of the others.
    `fault_under` are functions of the kernel that lie together: under faults one of these, or one
    between them, has to be on the stack, and none of `fault_spares` (they lie together, too).
    `fault_every` are its rounds where others show little, `fault_kinds` what fails.
    `known` are faults of kernels that its commands meet: expected failures.
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
    append: tuple[_Parameter, ...] = ()
    again: dict[_Name, tuple[_Parameter, ...]] = {}
    levels: Literal[1, 2] = 1
    wires: int = Field(default=0, ge=0, le=9)
    prelude: str = ""
    fault_under: tuple[Annotated[str, Field(pattern=r"^\w+$")], ...] = ()
    fault_spares: tuple[Annotated[str, Field(pattern=r"^\w+$")], ...] = ()
    fault_every: tuple[Annotated[int, Field(ge=1)], ...] = ()
    fault_kinds: tuple[Kind, ...] = KINDS
    known: tuple[Known, ...] = ()
    build: tuple[Build, ...] = ()
    programs: tuple[Program, ...] = ()
    commands: tuple[Command, ...] = ()
    pairs: tuple[PairCommand, ...] = ()

    @property
    def memory_mib(self) -> int:
        """Memory of the guest in MiB."""
        return int(self.memory[:-1]) * (1024 if self.memory.endswith("G") else 1)

    @property
    def topologies(self) -> tuple[str, ...]:
        """Where it can run: `commands` in one guest, `pairs` between a host and a guest."""
        return (LOOPBACK if self.commands else ()) + (TWO_ENDS if self.pairs else ())

    @property
    def boots(self) -> tuple[Self, ...]:
        """The suite as it is to be run, once for each boot of its guest."""
        more = (
            self.model_copy(update={"name": f"{self.name} {word}", "append": append, "again": {}})
            for word, append in self.again.items()
        )
        return (self, *more)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.levels == 2 and (self.guest != "vng" or self.cpus != 2):
            raise ValueError("levels: a host of guests is a vng guest with 2 cpus")
        if not self.commands and not self.pairs:
            raise ValueError("commands: there are none, and no pairs either")
        if self.known and not self.commands:
            raise ValueError("known: it is of commands, and there are none")
        _distinct("commands", [command.name for command in self.commands])
        _distinct("pairs", [pair.name for pair in self.pairs])
        made = [
            Path(name).name for build in self.build for name in (*build.outputs, *build.copy_files)
        ] + [program.name for program in self.programs]
        _distinct("build", made)
        for kind, entries in (("command", self.commands), ("pair", self.pairs)):
            for entry in entries:
                if entry.needs and entry.needs not in made:
                    raise ValueError(f"{kind} {entry.name}: no build makes {entry.needs!r}")
                if entry.list_tests and entry.planned:
                    raise ValueError(f"{kind} {entry.name}: either `list` or `planned`")
        return self


def _distinct(where: str, names: Sequence[str]) -> None:
    doubled = sorted({name for name in names if names.count(name) > 1})
    if doubled:
        raise ValueError(f"{where}: {', '.join(doubled)} is there more than once")


def load_suite(folder: Path) -> Suite:
    """The suite of a folder. Raises UsageError `selftests/x/suite.toml: commands.0.timeout: ...`.

    Its shell texts come complete, with the suite's prelude before them.
    """
    path = folder / FILE
    shown = Path(*path.parts[-3:])
    try:
        text = path.read_text(encoding="utf-8")
        suite = Suite.model_validate(tomllib.loads(text), context={"folder": folder})
    except FileNotFoundError:
        raise UsageError(f"there is no {shown}", "name a folder with a suite.toml") from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(f"{shown}: {error}") from None
    except ValidationError as error:
        raise UsageError(f"{shown}: {first_problem(error)}") from None
    if suite.name != folder.name:
        raise UsageError(f"{shown}: name: {suite.name!r} is not the folder's name {folder.name!r}")
    return suite.model_copy(
        update={
            "commands": tuple(_complete(command, suite.prelude) for command in suite.commands),
            "pairs": tuple(_complete(pair, suite.prelude) for pair in suite.pairs),
        }
    )


def _complete(entry: _E, prelude: str) -> _E:
    texts = {name: getattr(entry, name) for name in _TEXTS if getattr(entry, name, "")}
    if not prelude:
        return entry
    return entry.model_copy(update={name: f"{prelude}\n{text}" for name, text in texts.items()})
