# SPDX-License-Identifier: GPL-2.0-only
"""What may come next on a command line: its words go down the tree of commands as they parse.

Of a command only what typer's and click's objects both have is read: its commands and parameters.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Candidate:
    """A word that may come next, and what it is."""

    word: str
    help: str = ""


@dataclass(frozen=True)
class Wanted:
    """A value that is wanted: of an argument or option of the verb `path` (("tree", "show")).

    `words` are what it is called, the likeliest first: long options, then its metavar's.
    """

    path: tuple[str, ...]
    words: tuple[str, ...]
    help: str = ""


Values = Callable[[Wanted], Iterable[str]]


@dataclass
class _Place:
    """Where the words have led to."""

    command: Any
    path: tuple[str, ...] = ()
    taken: int = 0
    option: Any = None
    only_arguments: bool = False

    def step(self, word: str) -> None:
        """Go on by a word that is whole."""
        if self.option is not None:
            self.option = None
        elif self.only_arguments or not word.startswith("-") or word == "-":
            self._argument(word)
        elif word == "--":
            self.only_arguments = True
        elif "=" not in word:
            found = _option(self.command, word)
            self.option = found if found is not None and not found.is_flag else None

    def _argument(self, word: str) -> None:
        below = getattr(self.command, "commands", None)
        if below is None:
            self.taken += 1
        elif word in below:
            self.command, self.path, self.taken = below[word], (*self.path, word), 0
        else:  # no such verb: nothing can be said of what follows
            self.command, self.only_arguments = None, True


def candidates(root: Any, words: Sequence[str], typed: str, values: Values) -> list[Candidate]:
    """All that begins with `typed` and may come after `words`, in the order of the command line."""
    place = _Place(root)
    for word in words:
        place.step(word)
    if place.command is None:
        return []
    name, equals, begun = typed.partition("=")
    if place.option is not None:
        found = _values(place, place.option, values)
    elif place.only_arguments or not typed.startswith("-"):
        found = _arguments(place, values)
    elif equals:
        option = _option(place.command, name)
        found = [] if option is None else _values(place, option, values)
        return [
            Candidate(f"{name}={each.word}", each.help)
            for each in found
            if each.word.startswith(begun)
        ]
    else:
        found = _options(place.command)
    return [each for each in found if each.word.startswith(typed)]


def _arguments(place: _Place, values: Values) -> list[Candidate]:
    below = getattr(place.command, "commands", None)
    if below is not None:
        return [
            Candidate(name, first_line(each.help))
            for name, each in below.items()
            if not each.hidden
        ]
    wanted = [each for each in place.command.params if each.param_type_name == "argument"]
    if place.taken < len(wanted):
        return _values(place, wanted[place.taken], values)
    return _values(place, wanted[-1], values) if wanted and wanted[-1].nargs == -1 else []


def _options(command: Any) -> list[Candidate]:
    found = [
        Candidate(word, first_line(each.help))
        for each in command.params
        if each.param_type_name == "option" and not each.hidden
        for word in (*each.opts, *each.secondary_opts)
        if word.startswith("--")
    ]
    return [*found, Candidate("--help", "Show this message and exit.")]


def _values(place: _Place, parameter: Any, values: Values) -> list[Candidate]:
    options = [word for word in parameter.opts if word.startswith("--")]
    metavar = parameter.metavar or parameter.name or ""
    words = (*options, *re.findall(r"[A-Z]+", metavar.upper()))
    wanted = Wanted(place.path, words, getattr(parameter, "help", None) or "")
    return [Candidate(word) for word in values(wanted) if not word.startswith("-")]


def _option(command: Any, word: str) -> Any:
    for each in command.params:
        if word in (*each.opts, *each.secondary_opts) and each.param_type_name == "option":
            return each
    return None


def first_line(text: str | None) -> str:
    """The first paragraph of a help text, on one line."""
    return " ".join((text or "").strip().partition("\n\n")[0].split())
