# SPDX-License-Identifier: GPL-2.0-only
"""Config fragments: parsed, merged, and compared with the .config that came of them.

Pure. A symbol that was asked for and did not take is never silent: a missing CONFIG makes tests
skip and the run look green. Behind a wish `# if known` says that some trees have no such symbol.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

_SET = re.compile(r"^CONFIG_(\w+)=(.*?)(\s+# if known)?$")
_UNSET = re.compile(r"^# CONFIG_(\w+) is not set$")


@dataclass(frozen=True)
class Fragment:
    """A named piece of .config text."""

    name: str
    text: str


@dataclass(frozen=True)
class Asked:
    """One wish: `value` is y, m, n, a number or a quoted string; `if_known` of trees that have
    the symbol."""

    symbol: str
    value: str
    fragment: str
    line: int
    if_known: bool = False


@dataclass(frozen=True)
class Refusal:
    """A wish that did not take, and what .config has instead (n where it has nothing)."""

    asked: Asked
    got: str


def parse(fragment: Fragment) -> tuple[Asked, ...]:
    """The wishes of one fragment, in order."""
    found = []
    for number, line in enumerate(fragment.text.splitlines(), 1):
        if match := _SET.match(line.strip()):
            known = match.group(3) is not None
            found.append(Asked(match.group(1), match.group(2), fragment.name, number, known))
        elif match := _UNSET.match(line.strip()):
            found.append(Asked(match.group(1), "n", fragment.name, number))
    return tuple(found)


def merge(fragments: Iterable[Fragment]) -> tuple[Asked, ...]:
    """All wishes, the last one for a symbol winning, in the order of first mention."""
    wishes: dict[str, Asked] = {}
    for fragment in fragments:
        for asked in parse(fragment):
            wishes[asked.symbol] = asked
    return tuple(wishes.values())


def render(wishes: Iterable[Asked]) -> str:
    """The text that KCONFIG_ALLCONFIG takes."""
    return "".join(f"CONFIG_{asked.symbol}={asked.value}\n" for asked in wishes)


def parse_config(text: str) -> Mapping[str, str]:
    """Symbol to value of a whole .config; what is not set is absent."""
    return {
        match.group(1): match.group(2) for line in text.splitlines() if (match := _SET.match(line))
    }


def refused(wishes: Iterable[Asked], config: Mapping[str, str]) -> tuple[Refusal, ...]:
    """The wishes that `config` does not fulfil; built in counts where a module was asked for."""
    refusals = []
    for asked in wishes:
        got = config.get(asked.symbol, "n")
        if got != asked.value and (asked.value, got) != ("m", "y"):
            refusals.append(Refusal(asked, got))
    return tuple(refusals)
