# SPDX-License-Identifier: GPL-2.0-only
"""An sshd of our own on loopback, and a user's home that may log in there."""

from __future__ import annotations

import getpass
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from kzc.hosts.keeper import NAME
from kzc.hosts.ssh import Address

SSHD = shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
_CONFIG = """
ListenAddress 127.0.0.1
Port {port}
HostKey {folder}/host_key
AuthorizedKeysFile {folder}/authorized_keys
PidFile none
UsePAM no
StrictModes no
UseDNS no
PermitRootLogin yes
PasswordAuthentication no
SetEnv TMPDIR={scratch}{env}
{sftp}
{more}
"""


@dataclass(frozen=True)
class Machine:
    """A running sshd: its scratch folder, and the home of the user who knows it."""

    port: int
    folder: Path
    home: Path
    pid: int
    scratch: Path  # short, as the path of a Unix socket has to be

    @property
    def address(self) -> Address:
        return Address(getpass.getuser(), "127.0.0.1", self.port)

    def left(self) -> list[Path]:
        """What is in the machine's temporary folder."""
        return sorted(self.scratch.iterdir())


def keygen(path: Path, kind: str = "ed25519", passphrase: str = "") -> str:
    """Make a key pair; the public line."""
    argv = ["ssh-keygen", "-q", "-t", kind, "-N", passphrase, "-C", path.name, "-f", str(path)]
    subprocess.run(argv, check=True)
    return path.with_name(f"{path.name}.pub").read_text()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@contextmanager
def sshd(folder: Path, *, more: str = "", sftp: bool = True, path: str = "") -> Iterator[Machine]:
    """Start an sshd whose user's key is `folder`/home/.ssh/id_ed25519, known to that home."""
    assert SSHD
    port = free_port()
    home = folder / "home"
    (home / ".ssh").mkdir(parents=True)
    scratch = Path(tempfile.mkdtemp(prefix="m-"))
    host = keygen(folder / "host_key")
    (folder / "authorized_keys").write_text(keygen(home / ".ssh" / "id_ed25519"))
    (home / ".ssh" / "known_hosts").write_text(f"[127.0.0.1]:{port} {host}")
    config = folder / "sshd_config"
    config.write_text(
        _CONFIG.format(
            port=port,
            folder=folder,
            scratch=scratch,
            env=f" PATH={path}" if path else "",
            sftp="Subsystem sftp internal-sftp" if sftp else "",
            more=more,
        )
    )
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
    with (folder / "sshd.log").open("wb") as log:
        process = subprocess.Popen([SSHD, "-D", "-e", "-f", str(config)], stderr=log)
    try:
        assert within(30, lambda: _answers(port)), (folder / "sshd.log").read_text()
        yield Machine(port, folder, home, process.pid, scratch)
    finally:
        process.terminate()
        process.wait()
        shutil.rmtree(scratch)


def _answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


def alive(marker: str) -> list[int]:
    """Processes that have the marker as an argument; no zombies."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if marker.encode() in words:
            found.append(int(folder.name))
    return found


def keepers(machine: Machine) -> list[int]:
    """Those that were not forked by another one."""
    found = alive(NAME)
    above = {pid: list(parents(pid)) for pid in found}
    return [pid for pid in found if machine.pid in above[pid] and not {*above[pid]} & {*found}]


def parents(pid: int) -> Iterator[int]:
    """The processes above one, nearest first; none above one that has ended."""
    while pid > 1:
        try:
            status = Path(f"/proc/{pid}/status").read_text()
        except (FileNotFoundError, ProcessLookupError):
            return
        pid = int(status.partition("PPid:")[2].split()[0])
        yield pid


def within(seconds: float, condition: Callable[[], object]) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.02)
    return bool(condition())
