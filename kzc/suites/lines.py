# SPDX-License-Identifier: GPL-2.0-only
"""Lines as the parsers read them: without their ends, without a last one that was torn."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from kzc.values import Case, Verdict

_STAMP = re.compile(r"\[ *\d+\.\d{6}\](?:\[ *[A-Z]\d+\])? ?")
_MARK = re.compile(r"(.+?)(=== (?:server|died|status \d+|[46] \w+))$")
_BAD_EXIT = {Verdict.FAIL, Verdict.CRASH, Verdict.TIMEOUT, Verdict.INFRA}


def whole(lines: Iterable[str], status: int | None) -> list[str]:
    """All whole lines.

    Where lines come with their ends and the last one has none, it was torn when the command died
    and proves nothing; after a good end (status 0) it is kept.
    """
    found = list(lines)
    if status != 0 and len(found) > 1 and found[0].endswith("\n") and not found[-1].endswith("\n"):
        found.pop()
    return [line.rstrip("\r\n") for line in found]


def is_kernel(line: str) -> bool:
    """True for a line that starts as the kernel log's do, `[   12.345678] ` or with `[ T1]`."""
    return _STAMP.match(line) is not None


def message(line: str) -> str:
    """What follows the last timestamp of the kernel in a line, or the whole line."""
    if "[" not in line:
        return line
    end = 0
    for found in _STAMP.finditer(line):
        end = found.end()
    return line[end:]


def unglued(lines: Iterable[str]) -> list[str]:
    """The lines, with a `=== ` mark on one of its own where a program died in the middle of one."""
    found: list[str] = []
    for line in lines:
        match = _MARK.match(line) if "=== " in line else None
        found += [match[1], match[2]] if match else [line]
    return found


def unmarked(line: str) -> str:
    """The line, as one that the parsers take for no mark of ours: an end's own output is data."""
    return line.replace("=== ", "===  ")


class Names:
    """Hands out names that occur once: the second `a` becomes `a#2`, in order of asking."""

    def __init__(self) -> None:
        self._seen: dict[str, int] = {}

    def unique(self, name: str) -> str:
        if name not in self._seen:
            self._seen[name] = 1
            return name
        count = self._seen[name]
        while True:
            count += 1
            other = f"{name}#{count}"
            if other not in self._seen:
                self._seen[name] = count
                self._seen[other] = 1
                return other


def uniques(names: Iterable[str]) -> tuple[str, ...]:
    """The names with `#2`, `#3` appended where they are doubled."""
    pool = Names()
    return tuple(pool.unique(name) for name in names)


def with_planned(cases: Sequence[Case], planned: Sequence[str]) -> tuple[Case, ...]:
    """The cases in the order of the plan, NOT_RUN for those that never began; others follow."""
    if not planned:
        return tuple(cases)
    found: Mapping[str, Case] = {case.name: case for case in cases}
    wanted = uniques(planned)
    missing = "it was planned and never began"
    ordered = [found.get(name) or Case(name, Verdict.NOT_RUN, reason=missing) for name in wanted]
    known = set(wanted)
    return (*ordered, *(case for case in cases if case.name not in known))


def with_exit(
    cases: Sequence[Case], fault: str, verdict: Verdict = Verdict.FAIL
) -> tuple[Case, ...]:
    """The cases, and one named `exit` when `fault` says something that none of them shows."""
    if not fault or any(case.verdict in _BAD_EXIT for case in cases):
        return tuple(cases)
    return (*cases, Case("exit", verdict, reason=fault))
