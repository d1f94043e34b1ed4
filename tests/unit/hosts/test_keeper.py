# SPDX-License-Identifier: GPL-2.0-only
"""The keeper when things go wrong around it: what is stuck, much, silent, or cannot be started."""

from __future__ import annotations

import os
import resource
import signal
import socket
import threading
import time
from pathlib import Path

import pytest

from kzc.errors import CommandFailed
from kzc.hosts.keeper import NAME, remove
from kzc.hosts.ssh import SshHost

from .machine import Machine, alive, keepers, parents, within


def forks(machine: Machine) -> list[int]:
    """What the newest keeper has forked."""
    keeper = keepers(machine)[-1]
    return [pid for pid in alive(NAME) if keeper in parents(pid)]


def test_what_cannot_be_killed_does_not_hold_kzc(
    host: SshHost, machine: Machine, log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a process in D state is, for its guard."""
    monkeypatch.setattr("kzc.hosts.command._STOPPING", 0.5)
    with host.runner.spawn(["sh", "-c", "echo up; exec sleep 600"], log=log) as child:
        assert within(20, lambda: "up" in log.read_text())  # the guard's own fork has become sh
        (guard,) = forks(machine)
        os.kill(guard, signal.SIGSTOP)
        try:
            began = time.monotonic()
            child.stop()
            assert time.monotonic() - began < 12
            assert child.code == 137
            assert host.alive()
        finally:
            os.kill(guard, signal.SIGCONT)
    assert within(30, lambda: not forks(machine))


def test_a_host_that_takes_nothing_for_a_while_gets_all_of_it(
    host: SshHost, machine: Machine
) -> None:
    """More than SSH's window, into a keeper that has no time for longer than a send may take."""
    (keeper,) = keepers(machine)
    data = os.urandom(6_000_000)
    path = host.folder / "slow"
    with host.listen(path) as listener, socket.socket(socket.AF_UNIX) as far:
        far.connect(str(path))
        with listener.accept() as near:
            os.kill(keeper, signal.SIGSTOP)
            threading.Timer(2.5, os.kill, (keeper, signal.SIGCONT)).start()
            threading.Thread(target=near.sendall, args=(data,), daemon=True).start()
            far.settimeout(30)
            came = b""
            while len(came) < len(data) and (part := far.recv(1 << 20)):
                came += part
            assert came == data


def test_a_command_that_cannot_be_started_is_the_only_one(host: SshHost, machine: Machine) -> None:
    (keeper,) = keepers(machine)
    before = resource.prlimit(keeper, resource.RLIMIT_NOFILE)
    resource.prlimit(keeper, resource.RLIMIT_NOFILE, (7, before[1]))
    with pytest.raises(CommandFailed, match="Too many open files") as raised:
        host.runner.capture(["true"])
    assert raised.value.code == 126
    resource.prlimit(keeper, resource.RLIMIT_NOFILE, before)
    assert host.runner.capture(["echo", "again"]).stdout == "again\n"


def test_a_folder_that_cannot_be_renamed_goes_all_the_same(tmp_path: Path) -> None:
    """As on an overlay: here because the other name is taken."""
    folder, other = tmp_path / "kzc-1", tmp_path / "kzc-1.gone"
    for path in (folder / "a" / "b", other / "c"):
        path.mkdir(parents=True)
    (folder / "a" / "link").symlink_to(other)
    remove(str(folder))
    assert not folder.exists()
    assert (other / "c").is_dir()


def test_output_that_nobody_takes_waits_on_the_host(host: SshHost, log: Path) -> None:
    """Neither side keeps more than some of it, and everything else goes on."""
    lines = host.runner.stream(["sh", "-c", "yes 0123456789abcde | head -c 64M"], log=log)
    assert next(lines) == "0123456789abcde"
    time.sleep(0.5)
    assert host.alive(2)
    assert host.runner.capture(["echo", "meanwhile"]).stdout == "meanwhile\n"
    assert sum(1 for _ in lines) == (64 << 20) // 16 - 1


def test_commands_that_come_and_go_do_not_disturb_each_other(host: SshHost, log: Path) -> None:
    """Descriptors of one that was closed are used again for the next, which says nothing."""
    for _ in range(20):
        with host.runner.spawn(["sh", "-c", "yes & yes"], log=log):
            pass
        with host.runner.spawn(["sleep", "5"], log=log):
            assert host.alive(2)
