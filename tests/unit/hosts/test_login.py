# SPDX-License-Identifier: GPL-2.0-only
"""Who is let in, and whom we believe: host keys, user keys, hosts that are not there."""

from __future__ import annotations

import logging
import socket
import subprocess
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from kzc.errors import HostError, UsageError
from kzc.hosts.ssh import Address, UnknownHostKey, connect

from .machine import Machine, free_port, keygen, sshd, within


def host_fingerprint(machine: Machine) -> str:
    argv = ["ssh-keygen", "-l", "-f", str(machine.folder / "host_key.pub")]
    return subprocess.run(argv, capture_output=True, text=True, check=True).stdout.split()[1]


def known(machine: Machine) -> Path:
    return machine.home / ".ssh" / "known_hosts"


def other(machine: Machine, file: Path) -> Address:
    """The machine, with the user's own key and another known_hosts file."""
    key = machine.home / ".ssh" / "id_ed25519"
    return replace(machine.address, key_file=key, known_hosts=file)


def test_an_unknown_host_is_refused_with_its_fingerprint(machine: Machine, tmp_path: Path) -> None:
    file = tmp_path / "new" / "known_hosts"
    with pytest.raises(UnknownHostKey) as caught, connect(other(machine, file), home=tmp_path):
        pass
    assert host_fingerprint(machine) in caught.value.message
    assert "--accept-host-key" in caught.value.hint
    assert caught.value.exit_code == 2
    assert not file.parent.exists()


@pytest.mark.parametrize("by", ["any", "fingerprint"])
def test_an_accepted_host_is_known_from_then_on(machine: Machine, tmp_path: Path, by: str) -> None:
    file = tmp_path / "new" / "known_hosts"
    file.parent.mkdir()
    file.write_text("# no newline at the end")
    accept = True if by == "any" else host_fingerprint(machine)
    with connect(other(machine, file), accept=accept, home=tmp_path) as host:
        assert host.alive()
    assert file.read_text().splitlines()[1:] == known(machine).read_text().rsplit(" ", 1)[:1]
    with connect(other(machine, file), home=tmp_path) as host:
        assert host.alive()


def test_another_fingerprint_than_the_accepted_one_is_refused(
    machine: Machine, tmp_path: Path
) -> None:
    file = tmp_path / "known_hosts"
    with (
        pytest.raises(UnknownHostKey),
        connect(other(machine, file), accept="SHA256:other", home=tmp_path),
    ):
        pass
    assert not file.exists()


@pytest.mark.parametrize("kind", ["ed25519", "ecdsa"])
def test_a_changed_key_is_refused_whatever_is_accepted(
    machine: Machine, tmp_path: Path, kind: str
) -> None:
    file = tmp_path / "known_hosts"
    before = f"[127.0.0.1]:{machine.port} {keygen(tmp_path / 'old', kind)}"
    file.write_text(before)
    argv = ["ssh-keygen", "-l", "-f", str(tmp_path / "old.pub")]
    old = subprocess.run(argv, capture_output=True, text=True, check=True).stdout.split()[1]
    with (
        pytest.raises(HostError, match="has changed") as caught,
        connect(other(machine, file), accept=True, home=tmp_path),
    ):
        pass
    assert old in caught.value.message
    assert host_fingerprint(machine) in caught.value.message
    assert file.read_text() == before


def test_hashed_names_are_read_and_revoked_keys_refused(machine: Machine, tmp_path: Path) -> None:
    file = tmp_path / "known_hosts"
    file.write_text(known(machine).read_text())
    subprocess.run(["ssh-keygen", "-q", "-H", "-f", str(file)], check=True, capture_output=True)
    assert "127.0.0.1" not in file.read_text()
    with connect(other(machine, file), home=tmp_path) as host:
        assert host.alive()
    file.write_text(f"@revoked * {(machine.folder / 'host_key.pub').read_text()}")
    with (
        pytest.raises(HostError, match="revoked"),
        connect(other(machine, file), accept=True, home=tmp_path),
    ):
        pass


def test_a_wrong_key_is_named(machine: Machine, tmp_path: Path) -> None:
    keygen(tmp_path / "wrong")
    address = replace(other(machine, known(machine)), key_file=tmp_path / "wrong")
    with pytest.raises(HostError) as caught, connect(address, home=tmp_path):
        pass
    assert str(tmp_path / "wrong") in caught.value.message
    assert f"-p {machine.port}" in caught.value.hint
    assert caught.value.exit_code == 3


def test_all_keys_that_were_tried_are_named(machine: Machine, tmp_path: Path) -> None:
    ssh = tmp_path / ".ssh"
    ssh.mkdir()
    (ssh / "known_hosts").write_text(known(machine).read_text())
    keygen(ssh / "id_ed25519", passphrase="a secret")
    keygen(ssh / "id_ecdsa", "ecdsa")
    (ssh / "id_rsa").write_text("rubbish")
    with pytest.raises(HostError) as caught, connect(machine.address, home=tmp_path):
        pass
    assert "id_ed25519 (needs its passphrase" in caught.value.message
    assert "id_ecdsa; " in caught.value.message
    assert "id_rsa (no private key" in caught.value.message


def test_a_key_of_the_agent_is_taken(
    machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".ssh").mkdir()
    (tmp_path / ".ssh" / "known_hosts").write_text(known(machine).read_text())
    sock = str(tmp_path / "agent")
    with subprocess.Popen(["ssh-agent", "-D", "-a", sock], stdout=subprocess.DEVNULL) as agent:
        try:
            assert within(30, Path(sock).exists)
            monkeypatch.setenv("SSH_AUTH_SOCK", sock)
            key = str(machine.home / ".ssh" / "id_ed25519")
            subprocess.run(["ssh-add", "-q", key], check=True)
            with connect(machine.address, home=tmp_path) as host:
                assert host.alive()
        finally:
            agent.terminate()


def test_a_missing_key_file_is_the_users(machine: Machine, tmp_path: Path) -> None:
    address = replace(other(machine, known(machine)), key_file=tmp_path / "none")
    with pytest.raises(UsageError, match="is not there"), connect(address, home=tmp_path):
        pass


def test_nobody_there_is_said_at_once(machine: Machine, capfd: pytest.CaptureFixture[str]) -> None:
    began = time.monotonic()
    nobody = replace(machine.address, port=free_port())
    with pytest.raises(HostError, match="connection refused"), connect(nobody, home=machine.home):
        pass
    assert time.monotonic() - began < 15
    assert capfd.readouterr() == ("", "")
    assert logging.getLogger("paramiko").level > logging.CRITICAL


def test_patience_waits_for_a_host_that_still_boots(machine: Machine) -> None:
    """Behind a forwarded port: taken and closed, then silent, then sshd."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        late = threading.Thread(target=_booting, args=(server, machine.port), daemon=True)
        late.start()
        with (
            pytest.raises(UnknownHostKey),
            connect(replace(machine.address, port=port), home=machine.home, patience=20),
        ):
            pass
        late.join(10)


def _booting(server: socket.socket, port: int) -> None:
    for _ in range(2):
        server.accept()[0].close()
    near = server.accept()[0]
    far = socket.create_connection(("127.0.0.1", port))

    def copy(one: socket.socket, two: socket.socket) -> None:
        try:
            while data := one.recv(4096):
                two.sendall(data)
            two.shutdown(socket.SHUT_WR)
        except OSError:
            return

    other = threading.Thread(target=copy, args=(far, near), daemon=True)
    other.start()
    copy(near, far)
    other.join(5)
    near.close()
    far.close()


def test_a_host_without_sftp_or_python_is_told(tmp_path: Path) -> None:
    with sshd(tmp_path / "a", sftp=False) as machine:
        with (
            pytest.raises(HostError, match="has no SFTP"),
            connect(machine.address, home=machine.home),
        ):
            pass
        assert machine.left() == []
    programs = tmp_path / "programs"
    programs.mkdir()
    (programs / "sh").symlink_to("/bin/sh")
    with (
        sshd(tmp_path / "b", path=str(programs)) as machine,
        pytest.raises(HostError, match="has no python3"),
        connect(machine.address, home=machine.home),
    ):
        pass


def test_more_sessions_than_one_connection_may_have(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with sshd(tmp_path / "a", more="MaxSessions 1") as machine:
        with (
            connect(machine.address, home=machine.home) as host,
            host.runner.spawn(["sleep", "60"], log=log),
            host.runner.spawn(["sleep", "60"], log=log),
            host.runner.spawn(["sleep", "60"], log=log),
        ):
            assert host.runner.capture(["echo", "more"]).stdout == "more\n"
            assert len(host.link._transports) == 2
        assert machine.left() == []
