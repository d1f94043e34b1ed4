# SPDX-License-Identifier: GPL-2.0-only
"""A Unix socket on a host, waited for here: of this machine and over SSH alike."""

from __future__ import annotations

import hashlib
import os
import select
import signal
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from kzc.errors import HostError
from kzc.hosts.host import Host
from kzc.hosts.keeper import NAME
from kzc.hosts.local import local_host
from kzc.hosts.ssh import SshHost
from kzc.proc import LocalRunner

from .machine import Machine, alive, keepers, parents, within


@pytest.fixture(params=["local", "ssh"])
def either(request: pytest.FixtureRequest) -> Iterator[Host]:
    if request.param == "ssh":
        yield request.getfixturevalue("host")
    else:
        with local_host(LocalRunner()) as here:
            yield here


def client(path: Path) -> socket.socket:
    """What a QEMU on the host does."""
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    sock.settimeout(20)
    sock.connect(str(path))
    return sock


def test_both_ways_and_half_closed(either: Host) -> None:
    path = either.folder / "console"
    with either.listen(path) as listener:
        assert select.select([listener], [], [], 0.1)[0] == []
        with client(path) as far:
            assert select.select([listener], [], [], 10)[0] == [listener]
            with listener.accept() as near:
                near.settimeout(20)
                far.sendall(b"hello")
                assert near.recv(100) == b"hello"
                assert select.select([near], [], [], 0)[0] == []
                near.sendall(b"answer")
                assert far.recv(100) == b"answer"
                near.shutdown(socket.SHUT_WR)
                assert far.recv(100) == b""
                far.sendall(b"rest")
                far.shutdown(socket.SHUT_WR)
                assert near.recv(100) == b"rest"
                assert near.recv(100) == b""
    assert within(30, lambda: not path.exists())


def test_much_in_both_directions_at_once(either: Host) -> None:
    path, data = either.folder / "much", os.urandom(3_000_000)
    seen: dict[str, str] = {}

    def pour(sock: socket.socket) -> None:
        sock.sendall(data)
        sock.shutdown(socket.SHUT_WR)

    def drain(name: str, sock: socket.socket) -> None:
        digest = hashlib.sha256()
        while part := sock.recv(1 << 16):
            digest.update(part)
        seen[name] = digest.hexdigest()

    with either.listen(path) as listener, client(path) as far, listener.accept() as near:
        threads = [threading.Thread(target=pour, args=(sock,), daemon=True) for sock in (near, far)]
        threads += [
            threading.Thread(target=drain, args=(name, sock), daemon=True)
            for name, sock in (("near", near), ("far", far))
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
    wanted = hashlib.sha256(data).hexdigest()
    assert seen == {"near": wanted, "far": wanted}


def test_what_was_sent_arrives_after_both_ends_have_said_all(host: SshHost) -> None:
    """The far end takes its time, and nothing is left to be told to this one."""
    path, data = host.folder / "slow", os.urandom(2_000_000)
    with host.listen(path) as listener, client(path) as far:
        far.shutdown(socket.SHUT_WR)
        with listener.accept() as near:
            near.sendall(data)
            near.shutdown(socket.SHUT_WR)
            assert near.recv(1) == b""
            time.sleep(0.5)  # the stream is given up meanwhile
            far.settimeout(20)
            came = b""
            while len(came) < len(data) and (part := far.recv(1 << 16)):
                came += part
            assert came == data


def test_the_far_end_goes_and_the_near_end_sees_it(either: Host) -> None:
    path = either.folder / "gone"
    with either.listen(path) as listener:
        far = client(path)
        with listener.accept() as near:
            near.settimeout(10)
            far.close()
            assert near.recv(1) == b""


def test_the_near_end_goes_and_the_far_end_sees_it(either: Host) -> None:
    path = either.folder / "left"
    with either.listen(path) as listener, client(path) as far:
        listener.accept().close()
        assert far.recv(1) == b""


def test_nobody_came(either: Host) -> None:
    path = either.folder / "nobody"
    with either.listen(path):
        assert path.exists()
    assert within(30, lambda: not path.exists())


@pytest.mark.parametrize("name", ["no/such/folder", "x" * 120])
def test_a_path_that_cannot_be_is_told(either: Host, name: str) -> None:
    with pytest.raises(HostError, match="no socket at"), either.listen(either.folder / name):
        pass


def test_a_relay_that_died_does_not_keep_anybody_waiting(host: SshHost, machine: Machine) -> None:
    path = host.folder / "dying"
    with host.listen(path) as listener:
        keeper = keepers(machine)[-1]
        (pid,) = (pid for pid in alive(NAME) if keeper in parents(pid))
        os.kill(pid, signal.SIGKILL)
        assert select.select([listener], [], [], 10)[0] == [listener]
        with pytest.raises(HostError, match="nobody can connect"):
            listener.accept()


def test_a_free_port_can_be_taken(either: Host) -> None:
    port = either.free_port()
    taken = ["python3", "-c", f"import socket; socket.socket().bind(('127.0.0.1', {port}))"]
    assert either.runner.capture(taken).code == 0
