# SPDX-License-Identifier: GPL-2.0-only
"""Bytes in sockets, of real ones on loopback."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest
from qemu_migration.queues import Queues, from_port, queues, to_port

ADDRESSES = Path("/proc/net/if_inet6")
WITH_IPV6 = ADDRESSES.exists() and " lo\n" in ADDRESSES.read_text()
SHOWN = """\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:115C 00000000:0000 0A 00000000:00000007 00:00000000 00000000     0        0 1 1
   1: 0100007F:C350 0100007F:115C 01 00000100:00000002 01:00000014 00000000     0        0 2 4
   2: 0100007F:115C 0100007F:C350 01 00000004:00000020 00:00000000 00000000     0        0 3 1
   3: 0100007F:0016 0100007F:C351 01 00000040:00000080 00:00000000 00000000     0        0 4 1
"""


def test_only_connections_of_the_port_count() -> None:
    assert (to_port(SHOWN, 4444), from_port(SHOWN, 4444)) == (0x100, 0x20)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        pytest.param("::1", marks=pytest.mark.skipif(not WITH_IPV6, reason="lo has no IPv6")),
    ],
)
def test_what_lies_there_is_counted(address: str) -> None:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    server = socket.create_server((address, 0), family=family)
    port = server.getsockname()[1]
    with server, socket.create_connection(server.getsockname()[:2]) as sender:
        receiver, _ = server.accept()
        with receiver:
            sender.sendall(bytes(1000))
            receiver.recv(1, socket.MSG_PEEK)
            assert queues(os.getpid(), os.getpid(), port) == Queues(0, 1000)
            receiver.recv(1000, socket.MSG_WAITALL)
            assert queues(os.getpid(), os.getpid(), port) == Queues(0, 0)


def test_one_that_is_gone_has_none() -> None:
    assert queues(os.getpid(), 1 << 30, 4444) is None
