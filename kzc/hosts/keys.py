# SPDX-License-Identifier: GPL-2.0-only
"""Which private keys are offered to a host, and logging in with them: keys only, in ssh's order.

An explicit key is the only one offered. Otherwise the agent's keys come first, those named in
ssh_config before the others, then the files, which must not need a passphrase (the agent is for
those).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import paramiko
from paramiko.pkey import UnknownKeyType

from kzc.errors import HostError, UsageError
from kzc.hosts.address import Address

_USUAL = ("id_ed25519", "id_ecdsa", "id_rsa")


@dataclass(frozen=True)
class Offer:
    """A key, and where it is from; `key` is None where `problem` says why it cannot be used."""

    label: str
    key: paramiko.PKey | None
    problem: str = ""


def offers(address: Address, home: Path, agent: paramiko.Agent | None) -> Iterator[Offer]:
    """The keys to try, in their order."""
    if address.key_file:
        yield from_file(address.key_file)
        return
    files = address.identities or tuple(home / ".ssh" / name for name in _USUAL)
    wanted = {blob for path in files if (blob := _public(path))}
    held = agent.get_keys() if agent else ()
    named = [key for key in held if key.get_base64() in wanted]
    others = [key for key in held if key.get_base64() not in wanted]
    for key in (*named, *(() if address.only else others)):
        yield Offer(f"the agent's {key.get_name()} {key.comment}".strip(), key)
    for path in files:
        if path.exists() or path in address.identities:
            yield from_file(path)


def from_file(path: Path) -> Offer:
    """A private key of a file, or why there is none."""
    try:
        return Offer(str(path), paramiko.PKey.from_path(path))
    except OSError as error:
        return Offer(str(path), None, error.strerror or "unreadable")
    except TypeError:  # what cryptography raises for a key without its passphrase
        return Offer(str(path), None, "needs its passphrase: ssh-add it first")
    except (ValueError, paramiko.SSHException, UnknownKeyType):
        return Offer(str(path), None, "no private key that paramiko can read")


def _public(path: Path) -> str:
    """The base64 word of the public half of a key file, empty where there is none."""
    try:
        words = path.with_name(f"{path.name}.pub").read_text(errors="replace").split()
    except OSError:
        return ""
    return words[1] if len(words) > 1 else ""


def log_in(transport: paramiko.Transport, address: Address, home: Path) -> None:
    """Offer keys until one is taken. Raises HostError that names all that were tried."""
    if address.key_file and not address.key_file.exists():
        raise UsageError(f"the key {address.key_file} is not there")
    agent = None if address.key_file else paramiko.Agent()
    tried: list[str] = []
    try:
        for offer in offers(address, home, agent):
            if offer.key is None:
                tried.append(f"{offer.label} ({offer.problem})")
                continue
            tried.append(offer.label)
            if _taken(transport, address.user, offer.key, tried):
                return
            if not transport.is_active():
                tried.append("then the host hung up")
                break
    finally:
        if agent:
            agent.close()
    raise HostError(
        f"{address.name} lets nobody in with these keys: {'; '.join(tried) or 'none was found'}",
        f"make this work first: {' '.join(address.argv)} true",
    )


def _taken(transport: paramiko.Transport, user: str, key: paramiko.PKey, tried: list[str]) -> bool:
    try:
        further = transport.auth_publickey(user, key)
    except paramiko.BadAuthenticationType as error:
        tried[-1] += f" (the host wants {', '.join(error.allowed_types)})"
        return False
    except (paramiko.SSHException, EOFError, OSError):
        return False
    if further:
        tried[-1] += f" (taken, but the host also wants {', '.join(further)})"
    return not further
