# SPDX-License-Identifier: GPL-2.0-only
"""plans/NAME.toml: what is measured, how often, and which figures its tables show.

Adding a plan is adding a file. Every message names the file and the key.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from kzc.bench.values import MULTIFD, VHOST, Mode
from kzc.errors import UsageError

_UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30}


class Figure(StrEnum):
    """What a table shows of a round.

    SEND, WHOLE, RECEIVE: bytes over the time inside the send calls, from the first send to the last
    completion, or at the receiver. CPU: the sender's CPU time per message. MESSAGE: the whole time
    per message. LATENCY: the median time from a send to its completion. PROCESS and SYSTEM: the
    work per message of the sending process, and of all CPUs with the receiver: in cycles of a PMU,
    or in instructions. Of vhost-net HOST: the CPU time of its threads per byte. TRIP: the median
    time of a request and its answer.
    """

    SEND = "send"
    WHOLE = "whole"
    RECEIVE = "receive"
    CPU = "cpu"
    MESSAGE = "message"
    LATENCY = "latency"
    PROCESS = "process"
    SYSTEM = "system"
    HOST = "host"
    TRIP = "trip"

    @property
    def rate(self) -> bool:
        """Whether more is better."""
        return self in {Figure.SEND, Figure.WHOLE, Figure.RECEIVE}


def parse_size(text: object) -> object:
    """Bytes of "4K", "1M" or a number; anything else as it is, for pydantic to refuse."""
    found = re.fullmatch(r"(\d+)([KMG]?)", text) if isinstance(text, str) else None
    return int(found[1]) * _UNITS[found[2]] if found else text


def show_size(size: int) -> str:
    """The shortest way to write it: 4K, 1M, 100."""
    for unit in ("G", "M", "K"):
        if size and size % _UNITS[unit] == 0:
            return f"{size // _UNITS[unit]}{unit}"
    return str(size)


_Size = Annotated[int, BeforeValidator(parse_size), Field(gt=0, strict=True)]
_Count = Annotated[int, Field(gt=0, strict=True)]
_Transport = Literal["vsock", "tcp", "udp", "raw", "packet", "multifd"]
_Direction = Literal["loopback", "veth", "g2h", "h2g", "tap", "macvtap"]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Knobs(_Table):
    """What is set before measuring: net.core.optmem_max in bytes and net.core.skb_defer_max (None:
    the kernel's own), and the socket buffers of both ends in bytes (None: so large that nothing
    waits for room; vsock's credit then holds a whole round).

    With skb_defer_max 0 a receiver frees what it has read itself. Else it leaves that to the CPU of
    the sender, which may be idle by then: where local receivers keep a sender's pages, the last
    completions then do not come.
    """

    optmem_max: _Size | None = None
    skb_defer_max: int | None = Field(default=None, ge=0)
    buffer: _Size | None = None


class Plan(_Table):
    """`rounds` are for each cell and kernel, shared out over `boots`; `warmup` messages of a round
    do not count. `bytes` are sent in a round, though never less than four messages. Of multifd a
    message is a page, `bytes` the memory of a guest, and `channels` its connections.

    `series` and `overlay` are what its kernel has if the command line names none. `layout`: a row
    for each size, or for each mode. `counts` adds a table of what was sent, received, completed and
    copied. `against` is the mode that others are a ratio of. `unit` is of
    rates in wall time. `shuffle` seeds the order of measurement.
    """

    title: str = Field(min_length=1)
    about: str = ""
    seed: str = ""
    topology: Literal["loopback", "pair", "nested"] = "loopback"
    series: str = ""
    overlay: str = ""
    rounds: _Count = 10
    boots: _Count = 2
    transports: tuple[_Transport, ...] = Field(min_length=1)
    ip: tuple[Literal[4, 6], ...] = (4,)
    directions: tuple[_Direction, ...] = Field(min_length=1)
    modes: tuple[Mode, ...] = Field(min_length=1)
    sizes: tuple[_Size, ...] = Field(min_length=1)
    intervals: tuple[_Count, ...] = (1,)
    channels: tuple[_Count, ...] = ()
    bytes: _Size = 4 << 20
    warmup: _Count = 16
    settings: Knobs = Knobs()
    figures: tuple[Figure, ...] = Field(min_length=1)
    layout: Literal["sizes", "modes"] = "sizes"
    counts: bool = False
    against: Mode = Mode.COPY
    unit: Literal["Gbit/s", "MB/s"] = "Gbit/s"
    shuffle: int = 1

    @property
    def suite(self) -> str:
        """The suite whose program sends all of it."""
        if MULTIFD in self.transports:
            return "qemu-migration"
        return "vhost-net" if set(self.directions) <= VHOST else "zcbench"

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if MULTIFD in self.transports and set(self.transports) != {MULTIFD}:
            raise ValueError("multifd is measured by QEMU, the other transports are not")
        if bool(self.channels) != (MULTIFD in self.transports):
            raise ValueError("multifd has channels, and no other transport has")
        return self


def load_plan(path: Path) -> Plan:
    """The plan in a file. Raises UsageError naming file and key."""
    try:
        return Plan.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}") from None
    except ValidationError as error:
        lines = [_problem(each["loc"], each["msg"]) for each in error.errors()]
        keys = ", ".join(Plan.model_fields)
        raise UsageError("\n".join(f"{path}: {line}" for line in lines), f"keys: {keys}") from None
    except ValueError as error:
        raise UsageError(f"{path}: no valid TOML: {error}") from None


def _problem(where: tuple[int | str, ...], words: str) -> str:
    key = ".".join(str(part) for part in where)
    extra = "Extra inputs are not permitted"
    return f"{key}: there is no such key" if words == extra else f"{key}: {words}"


def list_plans(folder: Path) -> tuple[str, ...]:
    """The names of the plans of a folder."""
    return tuple(sorted(path.stem for path in folder.glob("*.toml")))


def find_plan(spec: str, folders: Sequence[Path], cwd: Path) -> tuple[str, Plan]:
    """A plan by name, of the last folder that has it, or by path; with its name.

    Raises UsageError.
    """
    if "/" in spec or spec.endswith(".toml"):
        path = cwd / Path(spec).expanduser()
        return path.stem, load_plan(path)
    for folder in reversed(folders):
        if spec in list_plans(folder):
            return spec, load_plan(folder / f"{spec}.toml")
    there = ", ".join(dict.fromkeys(name for each in folders for name in list_plans(each)))
    raise UsageError(f"there is no plan {spec}", f"there are: {there}; or a path: ./mine.toml")
