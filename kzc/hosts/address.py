# SPDX-License-Identifier: GPL-2.0-only
"""Where a host is reached: the text of `--host`, completed from the user's ssh_config(5).

Without paramiko, as the command line reads addresses before anything is connected; only
`completed`, which reads the configuration, loads it.
"""

from __future__ import annotations

import getpass
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from kzc.errors import UsageError

_HINT = "name it as ssh://user@host or ssh://user@host:port"
_URL = re.compile(
    r"ssh://(?:(?P<user>[A-Za-z0-9_.][A-Za-z0-9_.@\\-]*)@)?"
    r"(?:\[(?P<six>[0-9A-Fa-f:.]+(?:%\w+)?)\]|(?P<host>[A-Za-z0-9_][A-Za-z0-9_.-]*))"
    r"(?::(?P<port>[0-9]{1,5}))?/?\Z"
)


@dataclass(frozen=True)
class Address:
    """A host over SSH; `user` empty and `port` 0 where nothing was said of them.

    With `key_file` only that private key is offered, with `known_hosts` only that file is asked
    for the host's key; the user's agent and ssh_config are then left alone. `alias` is the name
    under which the host's key is kept, `identities` and `only` are ssh_config's IdentityFile and
    IdentitiesOnly.
    """

    user: str
    host: str
    port: int = 0
    key_file: Path | None = None
    known_hosts: Path | None = None
    alias: str = ""
    identities: tuple[Path, ...] = field(default=())
    only: bool = False

    @property
    def name(self) -> str:
        """For messages: user@host:port."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        user = f"{self.user}@" if self.user else ""
        return f"{user}{host}:{self.port or 22}"

    @property
    def url(self) -> str:
        """The text that `parse_address` reads as this user, host and port."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        user = f"{self.user}@" if self.user else ""
        return f"ssh://{user}{host}" + (f":{self.port}" if self.port else "")

    @property
    def known_as(self) -> str:
        """The host's name in a known_hosts file, see sshd(8)."""
        if self.alias:
            return self.alias
        return self.host if self.port in {0, 22} else f"[{self.host}]:{self.port}"

    @property
    def argv(self) -> tuple[str, ...]:
        """The ssh command that gets there, for messages that tell how to repeat a step."""
        key = ("-i", str(self.key_file)) if self.key_file else ()
        known = ("-o", f"UserKnownHostsFile={self.known_hosts}") if self.known_hosts else ()
        return ("ssh", "-p", str(self.port or 22), *key, *known, f"{self.user}@{self.host}")


def parse_address(text: str) -> Address:
    """The address in `ssh://user@host:port`; user and port may be left out. Raises UsageError."""
    found = _URL.match(text)
    if not found and re.match(r"ssh://[^@/]*:[^@]*@", text):
        raise UsageError("a password has no place in an address", "kzc logs in with keys only")
    port = int((found and found["port"]) or 22)
    if not found or not 0 < port < 1 << 16:
        raise UsageError(f"{text!r} is no host", _HINT)
    return Address(found["user"] or "", found["six"] or found["host"], port if found["port"] else 0)


def completed(address: Address, config: Path) -> Address:
    """The address with user, port and real host name, as ssh(1) would take them from `config`.

    Raises UsageError where the configuration cannot be read, or asks for a proxy.
    """
    found = {} if address.key_file else _lookup(address, config)
    for proxy in ("proxyjump", "proxycommand"):
        if found.get(proxy) not in {None, "none"}:
            raise UsageError(
                f"{config} says {proxy} for {address.host}, which kzc does not follow",
                f"forward a port (ssh -N -L 2222:{address.host}:22 ...) and name the host as "
                "ssh://user@127.0.0.1:2222",
            )
    said = found.get("identityfile", [])
    identities = tuple(Path(name).expanduser() for name in said if name != "none")
    return replace(
        address,
        user=address.user or found.get("user") or getpass.getuser(),
        host=found.get("hostname", address.host),
        port=address.port or _port(found, config),
        alias=found.get("hostkeyalias", ""),
        identities=identities,
        only=found.get("identitiesonly", "no") == "yes",
    )


def _port(found: Mapping[str, str], config: Path) -> int:
    text = found.get("port", "22")
    if not text.isdecimal():
        raise UsageError(f"{config}: {text!r} is no port")
    return int(text)


def _lookup(address: Address, config: Path) -> dict:  # type: ignore[type-arg]
    import paramiko

    if not config.is_file():
        return {}
    try:
        return dict(paramiko.SSHConfig.from_path(str(config)).lookup(address.host))
    except (OSError, ValueError, ImportError, paramiko.SSHException) as error:
        raise UsageError(f"{config} could not be read: {error}") from None
