# SPDX-License-Identifier: GPL-2.0-only
"""What is said of claims: figures that runs have, and what becomes of a claim by its rule."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Word(StrEnum):
    """What is known of a claim."""

    HOLDS = "holds"
    NOT = "does not hold"
    UNTOLD = "cannot be told"


def fold(words: Iterable[Word]) -> Word:
    """Of several: one that does not hold decides, then one that cannot be told; of none at all
    nothing can be told."""
    found = set(words)
    if Word.NOT in found:
        return Word.NOT
    return Word.HOLDS if found == {Word.HOLDS} else Word.UNTOLD


@dataclass(frozen=True)
class Found:
    """A figure of a run with its interval, both in percent where it is a ratio; `value` is None
    where there is none, and `reason` says why. `sides` tells what the figure was made of."""

    value: float | None = None
    low: float = 0.0
    high: float = 0.0
    sides: str = ""
    reason: str = ""


@dataclass(frozen=True)
class Point:
    """One part of a claim: what was posted, what came out, what that says."""

    name: str
    posted: str
    found: str
    word: Word
    why: str = ""


@dataclass(frozen=True)
class Made:
    """The run that tells, with `command` as it was typed; `notes` stand beside its figures."""

    run: str
    started: str
    command: str
    kernel: str
    how: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Answer:
    """What became of a claim. `proof` is the suite or plan, `command` does it (again). `column` is
    what the points' `posted` holds."""

    name: str
    says: str
    where: str
    proof: str
    rule: str
    word: Word
    why: str
    points: tuple[Point, ...] = ()
    made: Made | None = None
    command: str = ""
    note: str = ""
    column: str = "posted"


@dataclass(frozen=True)
class Document:
    """A seed with its claims. Texts as seeds/*.toml has them."""

    seed: str
    title: str
    author: str
    what: str
    date: str
    links: tuple[str, ...]
    about: str
    answers: tuple[Answer, ...]
