# SPDX-License-Identifier: GPL-2.0-only
"""What the programs on two ends have in common: each comes from the commit of its own kernel.

vsock_test's ends meet test by test, by position: at a position where both lists have another
title, or one has none, there is nothing that both could run. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import zip_longest

from kzc.suites.lines import uniques

_OPTION = re.compile(r"(?<![\w-])--[a-z][a-z0-9-]*")


@dataclass(frozen=True)
class Agreement:
    """`planned` are all titles of both lists, `only` those that cannot run, with the reason, and
    `skip` the positions at which the lists differ; `options` are known on both ends. `positions`
    is empty where the lists are not the same."""

    planned: tuple[str, ...] = ()
    only: Mapping[str, str] = field(default_factory=dict)
    skip: tuple[int, ...] = ()
    options: tuple[str, ...] = ()
    positions: Mapping[str, int] = field(default_factory=dict)

    def only_of(self, names: Collection[str]) -> Agreement:
        """The same for a run of these titles alone."""
        others = tuple(at for title, at in self.positions.items() if title not in names)
        planned = tuple(title for title in self.planned if title in names)
        return replace(self, planned=planned, skip=tuple(sorted({*self.skip, *others})))


def agree(program: str, host: Sequence[str], guest: Sequence[str]) -> Agreement:
    """Compare two lists of titles. An empty one says nothing: its program does not work."""
    if not host or not guest:
        return Agreement(tuple(host or guest))
    planned: list[str] = []
    only: dict[str, str] = {}
    skip: list[int] = []
    for position, (ours, theirs) in enumerate(zip_longest(host, guest)):
        planned += dict.fromkeys(title for title in (ours, theirs) if title is not None)
        if ours == theirs:
            continue
        for title, end in ((ours, "host"), (theirs, "guest")):
            if title is not None:
                only[title] = f"only the {end}'s {program} knows this test"
                if None not in {ours, theirs}:
                    only[title] += f" as its number {position}"
        if None not in {ours, theirs}:
            skip.append(position)
    titles = uniques(planned)
    same = {} if only else {title: position for position, title in enumerate(titles)}
    return Agreement(titles, only, tuple(skip), positions=same)


def shared_options(host: Iterable[str], guest: Iterable[str]) -> tuple[str, ...]:
    """The long options in the usage texts of both ends, sorted."""
    found = [set(_OPTION.findall("\n".join(lines))) for lines in (host, guest)]
    return tuple(sorted(found[0] & found[1]))
