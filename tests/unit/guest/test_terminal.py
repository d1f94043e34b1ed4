# SPDX-License-Identifier: GPL-2.0-only
"""A terminal's owner with its visitors, and the guest's part of it under this machine's shells."""

import os
import socket
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from kzc.guest.argv import GuestSpec, Sockets, mini, vng
from kzc.guest.loop import Loop
from kzc.guest.terminal import Terminal


@dataclass
class Desk:
    """A terminal whose port this test holds the other end of."""

    path: Path
    loop: Loop = field(default_factory=Loop)
    sizes: list[tuple[int, int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.guest, port = socket.socketpair()
        self.guest.settimeout(5)
        self.server = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.server.bind(str(self.path))
        self.server.listen()
        self.terminal = Terminal(port, self.loop, lambda *size: self.sizes.append(size))
        self.loop.watch(self.server, lambda: self.terminal.admit(self.server))

    def visitor(self) -> socket.socket:
        client = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        client.settimeout(5)
        client.connect(str(self.path))
        self.loop.turn(1)
        return client

    def close(self) -> None:
        for end in (self.terminal, self.server, self.guest, self.loop):
            end.close()


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with closing(Desk(tmp_path / "s")) as made:
        yield made


def test_keys_go_in_and_what_is_shown_comes_to_all(desk: Desk) -> None:
    one, other = desk.visitor(), desk.visitor()
    one.send(b"kls\r")
    desk.loop.turn(1)
    assert desk.guest.recv(100) == b"ls\r"
    desk.guest.sendall(b"\x1b[1mfile")
    desk.loop.turn(1)
    assert one.recv(100) == other.recv(100) == b"\x1b[1mfile"
    one.close()
    desk.loop.turn(1)
    desk.guest.sendall(b"more")
    desk.loop.turn(1)
    assert other.recv(100) == b"more"


def test_one_who_comes_later_sees_the_prompt(desk: Desk) -> None:
    desk.guest.sendall(b"x" * 5000 + b"kzc:~# ")
    desk.loop.turn(1)
    late = desk.visitor().recv(10000)
    assert late.endswith(b"kzc:~# ")
    assert len(late) == 4096


@pytest.mark.parametrize(
    ("message", "sizes"),
    [
        (b"s24 80", [(24, 80)]),
        (b"s24", []),
        (b"s24 80;reboot", []),
        (b"s\xff 1", []),
        (b"?", []),
    ],
)
def test_only_a_size_is_taken_for_one(
    desk: Desk, message: bytes, sizes: list[tuple[int, int]]
) -> None:
    desk.visitor().send(message)
    desk.loop.turn(1)
    assert desk.sizes == sizes


def test_a_guest_that_reads_no_keys_does_not_stop_its_owner(desk: Desk) -> None:
    visitor = desk.visitor()
    for _ in range(200):
        visitor.send(b"k" + os.urandom(8000))
        desk.loop.turn(1)
    desk.guest.sendall(b"still here")
    desk.loop.turn(1)
    assert visitor.recv(100) == b"still here"


def test_the_end_of_the_guest_sends_everybody_away(desk: Desk) -> None:
    visitor = desk.visitor()
    desk.guest.close()
    desk.loop.turn(1)
    assert visitor.recv(100) == b""


def test_one_who_leaves_while_something_is_shown_disturbs_nobody(desk: Desk) -> None:
    stays = desk.visitor()
    leaving = [desk.visitor() for _ in range(3)]
    desk.guest.sendall(b"shown")  # first, so that the port comes first in the turn of both
    for visitor in leaving:
        visitor.close()
    desk.loop.turn(1)
    desk.loop.turn(0)
    assert stays.recv(100) == b"shown"
    stays.send(b"kx")
    desk.loop.turn(1)
    assert desk.guest.recv(100) == b"x"


def test_a_guest_has_a_second_port_only_when_it_is_asked_for() -> None:
    three = [Path(f"/run/x/{name}") for name in ("console", "control", "qmp")]
    four = Sockets(three[0], three[1], three[2], Path("/run/x/terminal"))
    spec = GuestSpec("mini", Path("/k/bzImage"), "tcg", terminal=True)
    for line in (mini(spec, four), vng(spec, four, Path("/agent.sh"))):
        said = " ".join(line)
        assert "socket,id=kzc-terminal,path=/run/x/terminal" in said
        assert "isa-serial,index=1,chardev=kzc-terminal" in said
    assert "isa-serial" not in " ".join(mini(spec, Sockets(three[0], three[1], three[2])))
