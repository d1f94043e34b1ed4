# SPDX-License-Identifier: GPL-2.0-only
"""However a connection ends, nothing stays on the host: no process, no file."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from kzc.errors import HostError
from kzc.hosts.ssh import connect

from .machine import Machine, alive, keepers, parents, within
from .test_runner import family

_LEASE = 2.0
_HOLDER = """
import sys, time
from pathlib import Path
from kzc.hosts.ssh import Address, connect
user, port, home, marker, script, log, lease, how = sys.argv[1:]
address = Address(user, "127.0.0.1", int(port))
with connect(address, home=Path(home), lease=float(lease)) as host:
    if how == "ends":
        print("up", flush=True)
        import os
        host.__class__.kept = connect(address, home=Path(home))
        host.__class__.kept.__enter__()
        raise SystemExit(0)
    with host.listen(host.folder / marker), host.runner.spawn(
        ["sh", "-c", script, marker], log=Path(log)
    ):
        while not Path(log).read_text():
            time.sleep(0.02)
        print("up", flush=True)
        time.sleep(600)
"""


@contextmanager
def holder(
    machine: Machine, marker: str, folder: Path, lease: float, how: str = "holds"
) -> Iterator[subprocess.Popen[bytes]]:
    """Another kzc, with a family, a relay and a file on the machine."""
    address = machine.address
    words = [address.user, str(address.port), str(machine.home), marker, family(marker)[2]]
    argv = [sys.executable, "-c", _HOLDER, *words, str(folder / "log"), str(lease), how]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, start_new_session=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == b"up\n"
            yield process
        finally:
            process.kill()


def test_the_block_ends_and_the_machine_is_as_before(
    machine: Machine, marker: str, log: Path
) -> None:
    with connect(machine.address, home=machine.home) as host:
        lines = host.runner.stream(family(marker), log=log)
        assert next(lines) == "ready"
        assert machine.left() == [host.folder]
        assert within(20, lambda: len(alive(marker)) >= 2), alive(marker)
    assert machine.left() == []
    assert within(30, lambda: not alive(marker))
    with pytest.raises(HostError, match="lost"):
        next(lines)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_kzc_is_killed(
    machine: Machine, marker: str, tmp_path: Path, number: signal.Signals
) -> None:
    with holder(machine, marker, tmp_path, 60) as process:
        assert len(alive(marker)) >= 3
        process.send_signal(number)
        process.wait()
        assert within(30, lambda: not alive(marker)), alive(marker)
        assert within(30, lambda: not keepers(machine))
        assert within(30, lambda: not machine.left()), machine.left()


def test_kzc_is_frozen(machine: Machine, marker: str, tmp_path: Path) -> None:
    with holder(machine, marker, tmp_path, _LEASE) as process:
        process.send_signal(signal.SIGSTOP)
        began = time.monotonic()
        assert within(30, lambda: len(alive(marker)) == 1), alive(marker)  # the holder itself
        assert time.monotonic() - began > _LEASE / 2
        assert within(30, lambda: not machine.left())


def test_a_lease_that_is_renewed_lasts(machine: Machine, marker: str, tmp_path: Path) -> None:
    with holder(machine, marker, tmp_path, 2) as process:
        time.sleep(3)
        assert len(alive(marker)) >= 3
        assert process.poll() is None


@contextmanager
def silent(machine: Machine) -> Iterator[None]:
    """sshd's side of the one connection stopped: TCP goes on, but nothing comes."""
    (pid,) = keepers(machine)
    above = list(parents(pid))
    stopped = above[: above.index(machine.pid)]
    assert stopped
    for pid in stopped:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in stopped:
            os.kill(pid, signal.SIGCONT)


def test_the_connection_is_silent_for_good(machine: Machine, marker: str, log: Path) -> None:
    """Each end finds out by itself."""
    with (
        connect(machine.address, home=machine.home, lease=_LEASE) as host,
        host.runner.spawn(family(marker), log=log) as child,
    ):
        assert within(30, lambda: log.read_text() == "ready\n")
        with silent(machine):
            assert host.alive(0.3) is False
            assert select.select([child.ended], [], [], 15)[0] == [child.ended]
            assert child.code == 255
            assert within(30, lambda: not alive(marker)), alive(marker)
            assert within(30, lambda: not machine.left())
            assert host.alive(1) is False
            with pytest.raises(HostError, match="was lost"):
                host.runner.capture(["true"])
            with pytest.raises(HostError, match="was lost"):
                host.put(Path(__file__))


def test_a_capture_on_a_lost_connection_ends(machine: Machine) -> None:
    with (
        connect(machine.address, home=machine.home, lease=1) as host,
        silent(machine),
        pytest.raises(HostError, match="was lost"),
    ):
        host.runner.capture(["sleep", "600"])
    assert within(30, lambda: not machine.left())


def test_the_connection_is_silent_for_a_while(machine: Machine, log: Path) -> None:
    with connect(machine.address, home=machine.home, lease=6) as host:
        script = "for i in 1 2 3 4 5 6 7 8; do echo $i; sleep 0.2; done"
        with host.runner.spawn(["sh", "-c", script], log=log) as child:
            with silent(machine):
                time.sleep(1.5)
                assert len(log.read_text().split()) < 5
            assert host.alive(5)
            assert select.select([child.ended], [], [], 15)[0]
        assert child.code == 0
        assert log.read_text().split() == list("12345678")


def test_threads_do_not_keep_kzc_from_ending(machine: Machine, marker: str, tmp_path: Path) -> None:
    with holder(machine, marker, tmp_path, 60, "ends") as process:
        assert process.wait(10) == 0
    assert within(30, lambda: not machine.left())
