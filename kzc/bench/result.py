# SPDX-License-Identifier: GPL-2.0-only
"""A bench as a whole: plan, kernels, setup and all rounds, and how it is kept in a run's folder.

`bench.json` is the head, written whole before the first round; each round is a line of
`rounds.jsonl` from the moment it was measured, so that a kill loses only the round in flight.
What is read equals what was written.
"""

from __future__ import annotations

import os
from collections.abc import Hashable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any, Literal, TypeVar, cast

from pydantic import TypeAdapter, ValidationError

from kzc.bench.order import Missing
from kzc.bench.plan import Plan
from kzc.bench.values import Clock, Round
from kzc.errors import HostError, UsageError

FOLDER, HEAD, ROUNDS = "bench", "bench.json", "rounds.jsonl"


@dataclass(frozen=True)
class Kernel:
    """A kernel of a bench by its label there; `key` names its content, `what` is for a person."""

    label: str
    what: str
    release: str = ""
    key: str = ""


@dataclass(frozen=True)
class Bench:
    """What was measured and with what. `wanted` rounds were to come; fewer are there where it was
    cut short. `kvm`: whether guests ran on a real CPU. `unclean` names what was put on the kernels
    only to measure. Of two kernels the second is compared with the first."""

    name: str
    plan: Plan
    topology: str
    clock: Clock
    kvm: bool
    command: str
    kernels: tuple[Kernel, ...]
    setup: Mapping[str, str] = field(default_factory=dict)
    unclean: str = ""
    wanted: int = 0
    missing: tuple[Missing, ...] = ()
    rounds: tuple[Round, ...] = ()
    schema: Literal["kzc-bench/1"] = "kzc-bench/1"

    @property
    def posting(self) -> bool:
        """Whether its figures may be posted: wall time only where the CPU is real."""
        return self.clock is Clock.INSTRUCTIONS or self.kvm

    @property
    def whole(self) -> bool:
        """Whether nothing was cut off."""
        return len(self.rounds) >= self.wanted


_T = TypeVar("_T")


def adapter(kind: type[_T]) -> TypeAdapter[_T]:
    """pydantic's reader and writer of that kind; making one takes longer than using it."""
    found: TypeAdapter[_T] = _made(cast("Hashable", kind))
    return found


@cache
def _made(kind: Any) -> Any:
    return TypeAdapter(kind)


def parsed(kind: TypeAdapter[_T], data: bytes | str, origin: str) -> _T:
    """A value of that kind; `origin` is where it is from. Raises UsageError."""
    try:
        return kind.validate_json(data)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise UsageError(f"{origin}: no bench of kzc's: {where}: {first['msg']}") from None


class Journal:
    """Where rounds go as they come. Made by `journal`."""

    def __init__(self, bench: Bench, file: int, path: Path) -> None:
        self._bench, self._file, self._path = bench, file, path

    @property
    def bench(self) -> Bench:
        """The bench as it stands."""
        return self._bench

    def add(self, found: Round) -> None:
        """Keep one round. Raises HostError when the disk refuses."""
        try:
            os.write(self._file, adapter(Round).dump_json(found) + b"\n")
        except OSError as error:
            raise HostError(f"cannot write {self._path}: {error.strerror}") from error
        self._bench = replace(self._bench, rounds=(*self._bench.rounds, found))


@contextmanager
def journal(run: Path, bench: Bench) -> Iterator[Journal]:
    """Keep a bench in the folder of a run. Raises HostError when the disk refuses."""
    folder = run / FOLDER
    path = folder / ROUNDS
    try:
        folder.mkdir(exist_ok=True)
        spare = folder / f".{HEAD}.new"
        spare.write_bytes(adapter(Bench).dump_json(replace(bench, rounds=()), indent=1))
        spare.replace(folder / HEAD)
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    except OSError as error:
        raise HostError(f"cannot write {folder}: {error.strerror}") from error
    try:
        yield Journal(replace(bench, rounds=()), file, path)
    finally:
        os.close(file)


def load(run: Path) -> Bench | None:
    """The bench that is kept in a run's folder; None where there is none.

    What a kill left of the last round is passed over. Raises UsageError for a damaged one.
    """
    head = run / FOLDER / HEAD
    if not head.exists():
        return None
    bench = parsed(adapter(Bench), head.read_bytes(), str(head))
    path = run / FOLDER / ROUNDS
    lines = path.read_bytes().splitlines(keepends=True) if path.exists() else []
    one = adapter(Round)
    found = []
    for number, line in enumerate(lines, 1):
        try:
            found.append(one.validate_json(line))
        except ValidationError as error:
            if number == len(lines):
                break
            raise UsageError(
                f"{path}: line {number} is damaged: {error.errors()[0]['msg']}"
            ) from None
    return replace(bench, rounds=tuple(found))
