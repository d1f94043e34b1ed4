# SPDX-License-Identifier: GPL-2.0-only
"""The two ends of a vsock as suites see them: places where shell texts run, with a kernel each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from kzc.suites.manifest import Direction
from kzc.values import Answer, Limits

HOST_CID = 2


class Serving(Protocol):
    """A shell text that runs in the background of an end."""

    def finish(self, seconds: float) -> Answer:
        """Wait for its end, at most so long, then kill what is left of it.

        The answer holds its whole output; `ended` is EXIT with the status when it ended by itself,
        TOTAL when it was killed, and what else became of the end or of the connection to it.
        """
        ...


class End(Protocol):
    """One end of a pair."""

    @property
    def name(self) -> str:
        """host or guest."""
        ...

    @property
    def folder(self) -> str:
        """Folder of the programs on that end, built from the commit of its kernel."""
        ...

    @property
    def absent(self) -> Mapping[str, str]:
        """Programs that could not be built there, with the reason."""
        ...

    def run(self, text: str, limits: Limits) -> Answer:
        """Run a shell text and wait for its end, or the end's."""
        ...

    def serve(self, text: str) -> AbstractContextManager[Serving]:
        """Run a shell text in the background, at most as long as the `with` block."""
        ...

    def kernel_log(self) -> tuple[str, ...] | None:
        """Lines of its kernel log since the last call, None when it cannot be read."""
        ...


@dataclass(frozen=True)
class Pair:
    """A host and a guest behind its /dev/vhost-vsock, and how TCP gets from one to the other.

    What listens on port `inside` in the guest is reached at 127.0.0.1:`forwarded` on the host;
    what listens on the host's loopback is reached at `gateway` in the guest. `port` is the
    AF_VSOCK port of this run, `free_port` asks the host's system for a free TCP port.
    """

    host: End
    guest: End
    guest_cid: int
    inside: int
    forwarded: int
    gateway: str
    port: int
    free_port: Callable[[], int]

    def run(self, texts: Mapping[str, str], limits: Limits) -> dict[str, Answer]:
        """Run a shell text on each end that `texts` names, at the same time."""
        if len(texts) == 1:
            (end,) = (end for end in (self.host, self.guest) if end.name in texts)
            return {end.name: end.run(texts[end.name], limits)}
        with self.host.serve(texts[self.host.name]) as serving:
            inside = self.guest.run(texts[self.guest.name], limits)
            outside = serving.finish(limits.total)
        return {self.host.name: outside, self.guest.name: inside}

    def server(self, direction: Direction) -> End:
        """The end that listens."""
        return self.guest if direction is Direction.H2G else self.host

    def client(self, direction: Direction) -> End:
        """The end that connects."""
        return self.host if direction is Direction.H2G else self.guest
