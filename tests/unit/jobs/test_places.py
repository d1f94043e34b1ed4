# SPDX-License-Identifier: GPL-2.0-only
"""How long machines stay up, with real processes that play guests (tests/unit/guest/actor.py)."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from kzc.errors import HostError
from kzc.guest.argv import GuestSpec
from kzc.hosts.host import Host
from kzc.hosts.local import local_host
from kzc.jobs.keep import connected
from kzc.jobs.live import Live, registered, running
from kzc.jobs.places import Places
from kzc.values import Ended, Limits
from tests.unit.guest.test_session import ActingRunner

SPEC = GuestSpec("mini", Path(__file__), "tcg")
LIMITS = Limits(10, 20)


@pytest.fixture
def live(tmp_path: Path) -> Iterator[Live]:
    with registered(tmp_path, "run-1", ["kzc", "test"]) as made:
        yield made


@contextmanager
def standing(places: Places, tmp_path: Path, where: str, script: str = "stays") -> Iterator[Host]:
    """A guest in a place, named by the place; yields the host, whose scratch folder is its own."""
    with places.place(where) as place:
        host = place.enter(local_host(ActingRunner(script)))
        context = places.boot(SPEC, tmp_path, host, LIMITS, name="guest", what=f"for {where}")
        place.enter(context)
        yield host


def up(tmp_path: Path) -> list[str]:
    (entry,) = running(tmp_path)
    return [f"{machine.name} {machine.what}" for machine in entry.machines]


def test_without_keep_a_guest_ends_with_its_block(tmp_path: Path, live: Live) -> None:
    said: list[str] = []
    with closing(Places(live)) as places:
        with standing(places, tmp_path, "loopback", "answer") as host:
            assert up(tmp_path) == ["guest for loopback"]
            assert running(tmp_path)[0].machines[0].scratch == str(host.folder)
        assert up(tmp_path) == []
        assert not host.folder.exists()
        places.hold(said.append)
    assert said == []
    assert "kzc-terminal" not in (tmp_path / "qemu.log").read_text()


def test_with_keep_the_last_one_of_each_place_stays(tmp_path: Path, live: Live) -> None:
    with closing(Places(live, kept=True)) as places:
        with standing(places, tmp_path, "loopback") as first:
            pass
        assert first.folder.exists()
        with standing(places, tmp_path, "loopback") as second:
            assert not first.folder.exists()
            assert up(tmp_path) == ["guest for loopback"]
        with standing(places, tmp_path, "nested"):
            with standing(places, tmp_path, "nested/guest"):
                pass
            assert len(up(tmp_path)) == 3
        assert up(tmp_path) == [
            "guest for loopback",
            "guest-2 for nested",
            "guest-3 for nested/guest",
        ]
        with standing(places, tmp_path, "nested"):  # whoever stood on the first ends with it
            assert up(tmp_path) == ["guest for loopback", "guest-2 for nested"]
        assert second.folder.exists()
    assert up(tmp_path) == []
    assert not second.folder.exists()


def test_one_that_is_of_no_use_is_not_kept(tmp_path: Path, live: Live) -> None:
    with closing(Places(live, kept=True)) as places:
        with standing(places, tmp_path, "loopback", "boot-panic"):
            assert up(tmp_path) == ["guest for loopback"]
        assert up(tmp_path) == []


def broken(places: Places, tmp_path: Path) -> None:
    with standing(places, tmp_path, "nested"):
        with standing(places, tmp_path, "nested/guest"):
            pass
        raise HostError("its host broke")


def test_an_error_ends_all_that_stood_there(tmp_path: Path, live: Live) -> None:
    with closing(Places(live, kept=True)) as places:
        with standing(places, tmp_path, "loopback"):
            pass
        with pytest.raises(HostError):
            broken(places, tmp_path)
        assert up(tmp_path) == ["guest for loopback"]


def test_what_is_kept_can_be_visited_until_the_last_one_ends(tmp_path: Path, live: Live) -> None:
    said: list[str] = []
    seen: list[bytes] = []

    def visit() -> None:
        (entry,) = running(tmp_path)
        assert entry.kept
        (machine,) = entry.machines
        with connected(tmp_path, entry, machine) as owner:
            seen.append(owner.recv(100))
            owner.send(b"kexit\r")
            while owner.recv(100):
                pass

    def say(text: str) -> None:
        said.append(text)
        if text.startswith("Ctrl-C"):
            visitor.start()

    visitor = threading.Thread(target=visit, daemon=True)
    with closing(Places(live, kept=True)) as places:
        for _ in range(2):
            with standing(places, tmp_path, "loopback"):
                pass
        places.hold(say)
        visitor.join(5)
        assert running(tmp_path)[0].kept is False
    assert seen == [b"kzc:~# "]
    assert said == [
        "of each topology only the last guest is kept",
        "kept: for loopback: kzc shell run-1 guest",
        "Ctrl-C here, or `kzc stop run-1`, ends this",
        "guest has ended: it was powered off",
    ]


def test_nothing_to_keep_is_said_and_does_not_wait(tmp_path: Path, live: Live) -> None:
    said: list[str] = []
    with closing(Places(live, kept=True)) as places:
        places.hold(said.append)
    assert said == ["no guest is left that could be kept"]


def test_a_guest_of_a_run_that_nobody_lists_is_a_guest_all_the_same(tmp_path: Path) -> None:
    with (
        closing(Places(kept=True)) as places,
        local_host(ActingRunner("answer")) as host,
        places.boot(SPEC, tmp_path, host, LIMITS, name="guest", what="unlisted") as guest,
    ):
        assert guest.booted.ended is Ended.EXIT
        assert guest.terminal is None  # nobody could find it
