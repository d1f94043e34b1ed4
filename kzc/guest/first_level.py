# SPDX-License-Identifier: GPL-2.0-only
"""A first-level guest becomes a host: an SSH server in it, reached through a forwarded port.

It sees this machine's root file system through virtme-ng, so this machine's sshd and QEMU are the
host's too. Keys are made for the one guest and never leave its run's private folder.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass, replace
from pathlib import Path

from kzc.errors import HostError
from kzc.guest.argv import GuestSpec
from kzc.guest.network import UP
from kzc.guest.session import Guest
from kzc.proc import Runner
from kzc.values import Ended, Limits

SSH_PORT = 22
# QEMU's emulated SVM now and then loses the second level's place when the CPU that runs it is
# interrupted from outside; so that CPU does nothing else, and devices interrupt the other one
SECOND_LEVEL_CPU = 1
ALONE = (f"isolcpus={SECOND_LEVEL_CPU}", "irqaffinity=0")
_CPU = "max,erms=off"  # an AMD with svm; erms is as slow here as in any emulated guest
_QUICK = Limits(60, 120)
# virtme-ng's root is locked in a shadow of its own, which can be written, not replaced
_SERVER = """
set -e
umask 077
echo 'root:*:::::::' >/etc/shadow
mkdir -p /run/sshd /run/kzc
# a home that can be written, and no shell set-up of this machine's user in front of each command
mount -t tmpfs home /root
printf %s {host_key} >/run/kzc/host_key
printf %s {authorized} >/run/kzc/authorized_keys
{up}
PATH=$PATH:/usr/sbin
"$(command -v sshd)" -f /dev/null -h /run/kzc/host_key -o PidFile=none -o UsePAM=no \
    -o AuthorizedKeysFile=/run/kzc/authorized_keys -o StrictModes=no -o UseDNS=no \
    -o PermitRootLogin=prohibit-password -o Subsystem='sftp internal-sftp'
# it becomes a daemon first and listens then
tries=200
until grep -q ':{port:04X} 0*:0000 0A' /proc/net/tcp; do
    [ $((tries -= 1)) -gt 0 ] || exit 1
    sleep 0.05
done
"""


@dataclass(frozen=True)
class Keys:
    """Files on this machine: the key that opens the guest, and the guest's own host key."""

    client: Path
    host: Path


def make_keys(folder: Path, runner: Runner) -> Keys:
    """Two new key pairs in a private folder. Raises HostError without OpenSSH's client."""
    keys = Keys(folder / "client_key", folder / "host_key")
    for path in (keys.client, keys.host):
        runner.capture(
            ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "kzc", "-f", str(path)]
        )
    return keys


def known_hosts(keys: Keys, port: int) -> str:
    """The line by which the guest is known at its forwarded port (sshd(8), known_hosts)."""
    kind, key, *_ = keys.host.with_suffix(".pub").read_text().split()
    return f"[127.0.0.1]:{port} {kind} {key}\n"


def reachable(spec: GuestSpec) -> GuestSpec:
    """The same guest with its SSH port forwarded, on a CPU that can have guests of its own."""
    cpu = _CPU if spec.accel == "tcg" else spec.cpu
    return replace(spec, forwarded=SSH_PORT, cpu=cpu)


def host_of_guests(spec: GuestSpec, wires: int) -> GuestSpec:
    """The same guest as a host whose commands start guests by themselves, with so many wires."""
    emulated = spec.accel == "tcg"
    alone = ALONE if emulated and spec.cpus > SECOND_LEVEL_CPU else ()
    append = (*alone, *spec.append)
    return replace(spec, cpu=_CPU if emulated else spec.cpu, append=append, wires=wires)


def serve(guest: Guest, keys: Keys, factor: float) -> int:
    """Start the server in a booted guest; the port of this machine's loopback that leads to it.

    Raises HostError when the guest has no sshd or QEMU forwards nothing.
    """
    text = _SERVER.format(
        host_key=shlex.quote(keys.host.read_text()),
        authorized=shlex.quote(keys.client.with_suffix(".pub").read_text()),
        up=UP,
        port=SSH_PORT,
    )
    answer = guest.run(text, _QUICK.scaled(factor))
    if answer.ended is not Ended.EXIT or answer.status:
        said = " / ".join(answer.output[-3:]) or answer.ended
        raise HostError(
            f"no SSH server came up in the first-level guest: {said}",
            "apt-get install -y openssh-server iproute2",
        )
    try:
        return guest.monitor.forwarded_port()
    except OSError as error:
        raise HostError(f"the first-level guest cannot be reached: {error}") from None
