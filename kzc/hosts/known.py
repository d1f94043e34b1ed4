# SPDX-License-Identifier: GPL-2.0-only
"""Whether a host is the one it says it is: known_hosts files, as in sshd(8).

A host never seen is refused unless its key was accepted; one whose key differs from what is known
is always refused, so that accepting never replaces a key.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import paramiko
from paramiko.hostkeys import HostKeyEntry, HostKeys, InvalidHostKey

from kzc.errors import HostError, UsageError
from kzc.hosts.address import Address

_EVERYBODY = Path("/etc/ssh/ssh_known_hosts")


class UnknownHostKey(UsageError):
    """Nothing is known of this host; `fingerprint` is what it showed (as ssh-keygen -l has it)."""

    def __init__(self, address: Address, key: paramiko.PKey, file: Path) -> None:
        self.fingerprint = fingerprint(key)
        super().__init__(
            f"{address.name} is not known: its host key is {key.get_name()} {self.fingerprint}",
            f"if that is the right one, --accept-host-key adds it to {file}",
        )


def fingerprint(key: paramiko.PKey) -> str:
    """SHA256:base64, as ssh-keygen -l prints it."""
    return str(key.fingerprint)


def files(address: Address, home: Path) -> tuple[Path, ...]:
    """The files to ask; a key that was accepted goes to the first."""
    if address.known_hosts:
        return (address.known_hosts,)
    return (home / ".ssh" / "known_hosts", _EVERYBODY)


def known_keys(paths: Iterable[Path], name: str) -> tuple[paramiko.PKey, ...]:
    """All keys that the files hold for a host."""
    table = HostKeys()
    found = []
    for number, line in enumerate(_lines(paths), 1):
        try:
            entry = HostKeyEntry.from_line(line.strip(), number)
        except (InvalidHostKey, paramiko.SSHException, ValueError):
            continue
        # the table's own lookup, for one entry at a time, knows hashed names
        if entry is not None and entry.key is not None:
            table.clear()
            table._entries = [entry]  # type: ignore[attr-defined]
            if table.lookup(name) is not None:
                found.append(entry.key)
    return tuple(found)


def check(
    address: Address, key: paramiko.PKey, paths: tuple[Path, ...], accept: bool | str
) -> None:
    """Raise unless `key` is what the files hold, or nothing is known and it is accepted.

    `accept` is True for any key, or the fingerprint that somebody said yes to. Raises
    UnknownHostKey, and HostError for a key that is another than the known one or was revoked.
    """
    name = address.known_as
    if key.get_base64() in _revoked(paths):
        raise HostError(
            f"{address.name} shows a host key that is marked as revoked: {fingerprint(key)}"
        )
    known = known_keys(paths, name)
    if any(one.asbytes() == key.asbytes() for one in known):
        return
    if known:
        held = ", ".join(f"{one.get_name()} {fingerprint(one)}" for one in known)
        raise HostError(
            f"the host key of {address.name} has changed: known is {held}, shown was "
            f"{key.get_name()} {fingerprint(key)}",
            f"somebody may be in between; if the host is really new, first run "
            f"ssh-keygen -f {paths[0]} -R '{name}'",
        )
    if accept is not True and accept != fingerprint(key):
        raise UnknownHostKey(address, key, paths[0])
    _add(paths[0], f"{name} {key.get_name()} {key.get_base64()}\n")


def _add(path: Path, line: str) -> None:
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        text = path.read_text(errors="replace") if path.exists() else ""
        with path.open("a") as file:
            file.write(line if not text or text.endswith("\n") else f"\n{line}")
    except OSError as error:
        raise HostError(f"the host key could not be added to {path}: {error.strerror}") from None


def _lines(paths: Iterable[Path]) -> list[str]:
    found: list[str] = []
    for path in paths:
        try:
            found += path.read_text(errors="replace").splitlines() if path.exists() else []
        except OSError as error:
            raise HostError(f"{path} could not be read: {error.strerror}") from None
    return [line for line in found if line.strip() and not line.lstrip().startswith("#")]


def _revoked(paths: Iterable[Path]) -> frozenset[str]:
    words = (line.split() for line in _lines(paths))
    return frozenset(line[3] for line in words if line[0] == "@revoked" and len(line) > 3)
