# SPDX-License-Identifier: GPL-2.0-only
"""The kept runs as a list to look through: what it may be narrowed to, and its pages. Pure.

Which runs are wanted is decided where they are kept, so that a list of some need not read all. A
head is a run without its cases. Whatever keeps runs can be looked through if it is a `Runs`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import urlencode

from kzc.results import summary
from kzc.results.clean import short
from kzc.results.logs import OpenLog
from kzc.results.matrix import of_suite
from kzc.results.page import Section, tone
from kzc.results.wanted import Wanted
from kzc.results.words import span
from kzc.values import Run, Stage

CHOICES = ("tree", "series", "suite", "verdict")
"""What the list may be narrowed by: fields of `Wanted`."""
PAGE = 50
"""Runs of a page."""


class Runs(Protocol):
    """Where kept runs come from. All may raise HostError or OSError."""

    def heads(self, wanted: Wanted) -> Sequence[Run]:
        """The runs that are wanted, the newest first, their outcomes without cases and with folded
        verdicts."""

    def known(self) -> Mapping[str, Sequence[str]]:
        """What all runs were made with and came to, as it is kept, by the name of the choice."""

    def load(self, name: str) -> Run:
        """The whole run of that id. Raises UsageError where there is none."""

    def logs(self, run: Run) -> OpenLog:
        """How to open the logs of a run."""

    def sections(self, run: Run) -> Sequence[Section]:
        """What its page shows beside what every page has."""


@dataclass(frozen=True)
class Item:
    """A run in the list."""

    run: str
    started: str
    tone: str
    verdict: str
    what: str
    trees: tuple[str, ...]
    series: tuple[str, ...]
    suites: tuple[str, ...]
    time: str


@dataclass(frozen=True)
class Listing:
    """A page of the list, and what could be chosen to narrow it; `number` counts from 1."""

    items: tuple[Item, ...]
    wanted: Wanted
    number: int
    pages: int
    found: int
    choices: Mapping[str, tuple[str, ...]]

    @property
    def before(self) -> str:
        """The address of the page of newer runs, empty on the first."""
        return self._address(self.number - 1) if self.number > 1 else ""

    @property
    def after(self) -> str:
        """The address of the page of older runs, empty on the last."""
        return self._address(self.number + 1) if self.number < self.pages else ""

    def _address(self, number: int) -> str:
        pairs = [(name, getattr(self.wanted, name)) for name in CHOICES]
        known = [(key, value) for key, value in pairs if value]
        return "/?" + urlencode([*known, *([("page", str(number))] if number > 1 else [])])


def listing(runs: Runs, wanted: Wanted, number: int) -> Listing:
    """Page `number` of the runs that are wanted; the nearest there is. Raises what `runs` do."""
    found = runs.heads(wanted)
    pages = max(1, -(-len(found) // PAGE))
    number = min(max(number, 1), pages)
    shown = tuple(map(_item, found[(number - 1) * PAGE : number * PAGE]))
    return Listing(shown, wanted, number, pages, len(found), choices(runs.known()))


def choices(known: Mapping[str, Sequence[str]]) -> Mapping[str, tuple[str, ...]]:
    """What the list may be narrowed to, each a word that finds the runs it is of."""
    said = {name: known.get(name, ()) for name in CHOICES}
    verdicts = (word.replace("_", " ") for word in said["verdict"])
    return {
        "tree": _shown(tree for each in said["tree"] for tree in _trees(each)),
        "series": _shown(name for each in said["series"] for name in each.split(", ")),
        "suite": _shown(each.partition(" ")[0] for each in said["suite"]),
        "verdict": (*_shown(verdicts), "not clean", "unfinished"),
    }


def _item(run: Run) -> Item:
    suites = (of_suite(each)[0] for each in run.outcomes if each.stage is Stage.TEST)
    return Item(
        run=run.id,
        started=short(run.started[:16].replace("T", " ")),
        tone=tone(run),
        verdict=summary.word(run).lower(),
        what=short(" ".join(run.command), 160),
        trees=_named(_trees(run.environment.get("tree", ""))),
        series=_named(run.environment.get("series", "").split(", ")),
        suites=tuple(dict.fromkeys(suites)),
        time=span(summary.seconds_of(run)),
    )


def _trees(text: str) -> Iterator[str]:
    """`6.12 (6.12.117)` is called 6.12; a run over several trees names them all."""
    return (each.partition(" (")[0] for each in text.split(", "))


def _named(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(short(name, 80) for name in names if name))


def _shown(words: Iterable[str]) -> tuple[str, ...]:
    """What can be shown as it is kept: of anything else no run would be found."""
    return tuple(sorted({word for word in words if word and short(word) == word}))
