# SPDX-License-Identifier: GPL-2.0-only
"""Which parsers there are. A parser takes lines and gives cases; it opens and prints nothing.

Nothing passes until its own output proves it: what began and did not end is a CRASH, what was
planned and did not begin is NOT_RUN.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib import import_module
from typing import Protocol, cast

from kzc.errors import describe_status
from kzc.suites.lines import uniques
from kzc.values import Case, Verdict

_KSFT_SKIP = 4


class Parser(Protocol):
    def __call__(
        self, lines: Iterable[str], *, status: int | None, planned: Sequence[str] = ()
    ) -> tuple[Case, ...]:
        """Cases out of a command's output, names unique and the same for the same output.

        `status` is the command's exit status, None when it did not end by itself (the guest died
        or time was up); `planned` are names of cases that have to appear.
        """
        ...


def parse_exit(
    lines: Iterable[str], *, status: int | None, planned: Sequence[str] = ()
) -> tuple[Case, ...]:
    """One case out of the exit status alone: 0 passes, 4 skips (KSFT_SKIP), None is a crash."""
    name = planned[0] if planned else "exit"
    last = next((line.strip() for line in reversed(list(lines)) if line.strip()), "")
    if status is None:
        return (Case(name, Verdict.CRASH, reason="it did not end by itself"),)
    if status == 0:
        return (Case(name, Verdict.PASS),)
    if status == _KSFT_SKIP:
        return (Case(name, Verdict.SKIP, reason=last or "status 4"),)
    verdict = Verdict.CRASH if status > 128 or status < 0 else Verdict.FAIL
    reason = f"it ended with {describe_status(status)}" + (f": {last}" if last else "")
    return (Case(name, verdict, reason=reason),)


class Parsers(Mapping[str, Parser]):
    """Parsers by name; the module of one is read when it is first asked for."""

    _MODULES: Mapping[str, str] = {
        "vsock_test": "kzc.suites.vsock_test",
        "vsock_perf": "kzc.suites.vsock_perf",
        "msg_zerocopy": "kzc.suites.msg_zerocopy",
        "ktap": "kzc.suites.ktap",
    }

    def __getitem__(self, name: str) -> Parser:
        if name == "exit":
            return parse_exit
        return cast(Parser, import_module(self._MODULES[name]).parse)

    def __iter__(self) -> Iterator[str]:
        yield from self._MODULES
        yield "exit"

    def __len__(self) -> int:
        return len(self._MODULES) + 1

    def names(self, name: str, lines: Iterable[str]) -> tuple[str, ...]:
        """Planned names out of what a suite's `list` command printed, unless it is `unlisted`."""
        if name == "vsock_test":
            from kzc.suites.vsock_test import parse_list

            return parse_list(lines)
        return uniques(line.strip() for line in lines if line.strip())

    def unlisted(self, name: str, lines: Iterable[str], status: int | None) -> str:
        """Why what a `list` command printed is no list of names; empty where it is one.

        One that fails without a word has nothing to list: the command itself says why.
        """
        said = [line.strip() for line in lines if line.strip()]
        if name == "vsock_test" or not status or not said:  # vsock_test's own status is always 1
            return ""
        return f"{'; '.join(said[-3:])} ({describe_status(status)})"


PARSERS = Parsers()
