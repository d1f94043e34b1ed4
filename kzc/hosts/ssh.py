# SPDX-License-Identifier: GPL-2.0-only
"""A machine over SSH as a host: connected, with a keeper there, and left as it was found.

Nothing stays behind: the keeper removes the scratch folder when kzc says so, ends, or is not heard
of for the time of the lease, and everything that runs there ends with that folder.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from kzc import guard
from kzc.errors import HostError
from kzc.hosts import frames
from kzc.hosts.address import Address, completed, parse_address
from kzc.hosts.copies import Copies
from kzc.hosts.known import UnknownHostKey
from kzc.hosts.link import Link, log_in
from kzc.hosts.pulse import Pulse
from kzc.hosts.relayed import RelayedListener, relayed
from kzc.hosts.runner import SshRunner

__all__ = ["Address", "SshHost", "UnknownHostKey", "connect", "parse_address"]
LEASE = 60.0
_REMOVE = 20.0


@dataclass(frozen=True)
class SshHost:
    """A connected machine. Made by `connect`."""

    name: str
    runner: SshRunner
    folder: Path
    link: Link
    pulse: Pulse
    copies: Copies
    lag: float = 0.05

    @contextmanager
    def scratch(self, name: str) -> Iterator[Path]:
        path = self.folder / name
        self.copies.make_folder(path)
        try:
            yield path
        finally:
            with suppress(HostError):  # a host that is gone has taken it along
                self.runner.capture(["rm", "-rf", str(path)], timeout=_REMOVE)

    def put(self, path: Path) -> Path:
        return self.copies.put(path)

    def get(self, remote: Path, local: Path) -> None:
        self.copies.get(remote, local)

    def listen(self, path: Path) -> AbstractContextManager[RelayedListener]:
        return relayed(self.link, self.pulse, path)

    def free_port(self) -> int:
        try:
            return int(self.pulse.open(frames.PORT, b"").output())
        except (OSError, ValueError):
            raise self.link.lost("asking for a free port") from None

    def alive(self, seconds: float = 10) -> bool:
        return self.pulse.alive(seconds)


@contextmanager
def connect(
    address: Address,
    *,
    accept: bool | str = False,
    patience: float = 0.0,
    lease: float = LEASE,
    home: Path | None = None,
) -> Iterator[SshHost]:
    """A host over SSH for as long as the `with` block runs.

    `accept` takes a host key that is not known yet (True, or only the one of this fingerprint).
    `patience` is for how many seconds a host that does not answer yet is asked again, `lease`
    after how many seconds without a sign of life each end takes the other for gone. `home` is the
    user's, where .ssh is. Raises UsageError (UnknownHostKey among them) and HostError.
    """
    home = home or Path.home()
    address = completed(address, home / ".ssh" / "config")
    with ExitStack() as stack:
        link = Link(
            address.name, lambda: log_in(address, accept=accept, patience=patience, home=home)
        )
        stack.callback(link.close)
        pulse = Pulse(link, lease)
        stack.callback(pulse.close)
        copies = Copies(link, pulse.folder)
        stack.callback(copies.close)
        runner = SshRunner(
            link, pulse, address.argv, copies.scrap, lambda: copies.put(Path(guard.__file__))
        )
        yield SshHost(address.name, runner, pulse.folder, link, pulse, copies)
