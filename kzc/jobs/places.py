# SPDX-License-Identifier: GPL-2.0-only
"""Where the machines of a run stand, and how long: as long as they are worked with or, with
`--keep`, until the end of the run.

A place holds one machine with what it needs, as the guest in loopback; "nested" and "nested/guest"
are two, the second on the first. Rule: who comes to a place clears it first, so that of several
suites the guest of the last one is kept, and memory is needed for one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TypeVar

from kzc.guest import session
from kzc.guest.argv import GuestSpec
from kzc.guest.loop import Loop
from kzc.guest.session import Guest
from kzc.hosts.host import Host
from kzc.hosts.local import LocalHost
from kzc.inuse import holding
from kzc.jobs.keep import keep
from kzc.jobs.live import Live
from kzc.values import Ended, Limits

T = TypeVar("T")


class Place:
    """What is entered here stays as long as the place is not cleared."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack

    def enter(self, context: AbstractContextManager[T]) -> T:
        """Enter a context whose end is the place's."""
        return self._stack.enter_context(context)


class Places:
    """All places of a run; `live` is told what stands there. One loop reads all of them."""

    def __init__(self, live: Live | None = None, *, kept: bool = False) -> None:
        self.loop = Loop()
        self._live = live
        self._kept = kept and live is not None
        self._standing: dict[str, ExitStack] = {}
        self._guests: dict[str, Guest] = {}
        self._replaced = False
        self._holding = ExitStack()
        self.use = self._holding.enter_context(holding())
        """A folder of the cache that is handed to it stays until the end of the run; whether it is
        there is looked for after that."""

    @contextmanager
    def place(self, name: str) -> Iterator[Place]:
        """A place as long as the block runs; with `kept` longer, if a guest in it is of use."""
        self._replaced |= name in self._standing
        self._clear(name)
        before = set(self._guests)
        with ExitStack() as stack, ExitStack() as above:
            above.callback(self._clear, name)  # what stands on it ends first
            yield Place(stack)
            came = [guest for own, guest in self._guests.items() if own not in before]
            if self._kept and any(map(_usable, came)):
                self._standing[name] = stack.pop_all()
                above.pop_all()

    @contextmanager
    def machine(
        self, name: str, what: str, *, address: str = "", host: Host | None = None
    ) -> Iterator[str]:
        """A guest or host is up as long as the block runs; yields its name in this run.

        `address` is where it is reached over SSH, `host` what it runs on.
        """
        scratch = str(host.folder) if isinstance(host, LocalHost) else ""
        with (
            nullcontext(name)
            if self._live is None
            else self._live.machine(name, what, address=address, scratch=scratch)
        ) as own:
            yield own

    @contextmanager
    def boot(
        self,
        spec: GuestSpec,
        folder: Path,
        host: Host,
        limits: Limits,
        *,
        name: str,
        what: str,
        beneath: Callable[[], Ended | None] = lambda: None,
        connected: Callable[[Guest], None] = lambda _guest: None,
    ) -> Iterator[Guest]:
        """`session.boot` of a guest that is known by name, with a terminal if it is to be kept."""
        with (
            self.machine(name, what, host=host) as own,
            session.boot(
                replace(spec, terminal=self._kept),
                folder,
                host,
                limits,
                loop=self.loop,
                beneath=beneath,
                connected=connected,
            ) as guest,
        ):
            self._guests[own] = guest
            try:
                yield guest
            finally:
                del self._guests[own]

    def hold(self, say: Callable[[str], None]) -> None:
        """With `kept`, hold what stands until it is told to end; see `keep`."""
        if self._live is None or not self._kept:
            return
        if self._replaced:
            say("of each topology only the last guest is kept")
        usable = {name: guest for name, guest in self._guests.items() if _usable(guest)}
        keep(self._live, usable, say)

    def close(self) -> None:
        """Clear all places."""
        with ExitStack() as stack:
            stack.callback(self._holding.close)
            stack.callback(self.loop.close)
            for name in self._standing:
                stack.callback(partial(self._clear, name))

    def _clear(self, name: str) -> None:
        """End what stands there and, before it, what stands on it (which came first)."""
        for each in list(self._standing):
            if each == name or each.startswith(f"{name}/"):
                self._standing.pop(each).close()


def _usable(guest: Guest) -> bool:
    return guest.booted.ended is Ended.EXIT and guest.failed is None
