# SPDX-License-Identifier: GPL-2.0-only
"""What a CI run is made of: cells of its matrix, jobs with what they want, and what came of them.

A job is a command line of kzc. Seconds are wall time, memory is MiB.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from kzc.values import Run

NONE = "none"
"""The series of a tree that is tested as it is."""


class Kind(StrEnum):
    """What a job is for."""

    BUILD = "build"
    TEST = "test"
    BENCH = "bench"


@dataclass(frozen=True)
class Cell:
    """A place in the matrix; a build has neither topology nor suite, a bench a plan instead."""

    tree: str
    series: str = NONE
    profile: str = "default"
    topology: str = ""
    suite: str = ""
    plan: str = ""


@dataclass(frozen=True)
class Wants:
    """What a job takes of a machine while it runs; `devices` as in /dev, without the path."""

    cpus: int = 1
    memory: int = 1024
    devices: tuple[str, ...] = ()


@dataclass(frozen=True)
class Job:
    """A node of the graph. `argv` are the words after `kzc`; `needs` names jobs that come before.

    `expected` are seconds, from runs before where `known`. What is not `required` may fail.
    """

    name: str
    kind: Kind
    argv: tuple[str, ...]
    cell: Cell
    needs: tuple[str, ...] = ()
    wants: Wants = Wants()
    expected: float = 60.0
    known: bool = False
    required: bool = True


@dataclass(frozen=True)
class Attempt:
    """What one go of a job left.

    `status` is the exit status, None where it was ended before its end. `run` holds the outcomes
    seen, None where none had begun; `tail` the last lines it said. `logs` are the bytes of a tar
    with its logs, empty where they lie in place. `where` is the machine, `lost` why nothing is
    known of it.
    """

    status: int | None
    run: Run | None = None
    tail: str = ""
    seconds: float = 0.0
    logs: bytes = b""
    where: str = ""
    lost: str = ""
