# SPDX-License-Identifier: GPL-2.0-only
"""The connections to one host: opened, verified, and more of them when a server limits one.

sshd allows ten sessions in a connection (MaxSessions), so one that is refused is asked for on
another connection to the same host. When the first connection is lost, so is the host: its scratch
folder went with it.
"""

from __future__ import annotations

import logging
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path

import paramiko

from kzc.errors import HostError
from kzc.hosts import keys, known
from kzc.hosts.address import Address

_CONNECT = 10.0  # seconds for the TCP connection, and for sshd's first line
_EXCHANGE = 60.0  # seconds for the key exchange: a guest without KVM takes several
_SESSION = 60.0
_RETRY = 0.5
_WINDOW = 1 << 21
BROKEN = (paramiko.SSHException, EOFError, OSError)
"""What paramiko raises on a connection that is lost."""


def log_in(
    address: Address, *, accept: bool | str, patience: float, home: Path
) -> paramiko.Transport:
    """One connection, verified and authenticated.

    For `patience` seconds an address where no sshd answers (yet) is asked again. Raises HostError
    (nobody there, another host key, no key taken) and known.UnknownHostKey.
    """
    logging.getLogger("paramiko").setLevel(logging.CRITICAL + 1)  # it prints tracebacks
    paths = known.files(address, home)
    transport = _reached(address, paths, patience)
    try:
        known.check(address, transport.get_remote_server_key(), paths, accept)
        keys.log_in(transport, address, home)
    except BaseException:
        transport.close()
        raise
    return transport


def _reached(address: Address, paths: tuple[Path, ...], patience: float) -> paramiko.Transport:
    end = time.monotonic() + patience
    while True:
        try:
            return _exchanged(address, paths)
        except socket.gaierror as error:
            raise HostError(f"{address.name}: no such host ({error.strerror})") from None
        except BROKEN as error:
            if time.monotonic() >= end:
                raise HostError(
                    f"{address.name} does not answer: {_reason(error)}"
                    + (f" (asked for {patience:.0f} s)" if patience else ""),
                    f"is sshd running there? {' '.join(address.argv)} true",
                ) from None
        time.sleep(_RETRY)


def _reason(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "timed out"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.lower()
    return str(error) or "the connection was closed"


def _exchanged(address: Address, paths: tuple[Path, ...]) -> paramiko.Transport:
    """A connection after the key exchange, the server's key not yet looked at."""
    sock = socket.create_connection((address.host, address.port), _CONNECT)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        transport = paramiko.Transport(sock, default_window_size=_WINDOW)
    except BaseException:
        sock.close()
        raise
    try:
        transport.banner_timeout = _CONNECT
        _prefer(transport, known.known_keys(paths, address.known_as))
        transport.start_client(timeout=_EXCHANGE)
        transport.get_remote_server_key()  # raises where the time was up
    except BaseException:
        transport.close()
        raise
    return transport


def _prefer(transport: paramiko.Transport, held: tuple[paramiko.PKey, ...]) -> None:
    """Ask for the type of key that is known, or a second key of the host would look changed."""
    options = transport.get_security_options()
    names = {key.get_name() for key in held}
    if "ssh-rsa" in names:
        names |= {"rsa-sha2-512", "rsa-sha2-256"}
    options.key_types = sorted(options.key_types, key=lambda name: name not in names)


class Link:
    """The open connections to a host. Safe to use from several threads."""

    def __init__(self, name: str, log_in: Callable[[], paramiko.Transport]) -> None:
        self.name = name
        self._log_in = log_in
        self._transports = [log_in()]
        self._lock = threading.Lock()

    @property
    def active(self) -> bool:
        """False as soon as the first connection is known to be lost."""
        return bool(self._transports[0].is_active())

    def lost(self, doing: str = "") -> HostError:
        """The error for a connection that went away."""
        return HostError(
            f"the connection to {self.name} was lost{f' during `{doing}`' if doing else ''}",
            "what ran there was ended with it; try again, and look at the host's own log",
        )

    def session(self) -> paramiko.Channel:
        """A channel for the keeper, SFTP or a terminal. Raises HostError."""
        with self._lock:
            for transport in list(self._transports):
                try:
                    return transport.open_session(timeout=_SESSION)
                except paramiko.ChannelException:
                    continue
                except BROKEN:
                    if not self.active:
                        raise self.lost() from None
            if not self.active:
                raise self.lost()
            self._transports.append(self._log_in())
            try:
                return self._transports[-1].open_session(timeout=_SESSION)
            except BROKEN as error:
                raise HostError(
                    f"{self.name} refuses another session: {error}",
                    "see MaxSessions in its sshd_config(5)",
                ) from None

    def sftp(self) -> paramiko.SFTPClient:
        """A client for files. Raises HostError where the host offers no SFTP."""
        try:
            channel = self.session()
            channel.invoke_subsystem("sftp")
            return paramiko.SFTPClient(channel)
        except BROKEN:
            raise HostError(
                f"{self.name} has no SFTP, by which kzc copies files",
                "its sshd_config(5) needs `Subsystem sftp internal-sftp`",
            ) from None

    def close(self) -> None:
        """Drop all connections, at once and without a word."""
        for transport in list(self._transports):
            transport.close()
