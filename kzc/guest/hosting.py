# SPDX-License-Identifier: GPL-2.0-only
"""What a host of a pair has: /dev/vhost-vsock, an accelerator, QEMU, its kernel log.

One way to ask for this machine, a machine over SSH and a first-level guest.
"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass, field
from pathlib import Path

from kzc.errors import HostError
from kzc.guest import accelerator
from kzc.guest.cid import NODE
from kzc.hosts.host import Host

# XSAVE under QEMU's emulated SVM panics the second level; SMAP and SMEP have to stay. Up to the
# next exit of the guest QEMU may give it the interrupt that was injected last once more, though it
# takes none then: so the end of an interrupt, which comes soon, has to be such an exit
EMULATED_CPU = "qemu64,+smap,+smep,-kvm-pv-eoi"
_ASK = f"""
uname -r
node={NODE}
if [ ! -e $node ]; then echo "absent"; elif ! [ -r $node -a -w $node ]; then echo "no rights"
else echo usable; fi
if [ -r /dev/kvm -a -w /dev/kvm ]; then echo kvm; else echo "no /dev/kvm to use"; fi
if grep -q 'model name.*QEMU TCG' /proc/cpuinfo; then echo emulated
elif grep -q 'model name.*QEMU Virtual' /proc/cpuinfo; then echo virtual; else echo real; fi
PATH=$PATH:/usr/sbin:/sbin
for program in qemu-system-x86_64 tcpdump ip flock; do
    command -v $program >/dev/null || echo "without $program"
done
"""
_FIX = {
    "absent": "as root on the host: modprobe vhost_vsock",
    "no rights": f"as root on the host: setfacl -m u:$USER:rw {NODE}",
}


@dataclass(frozen=True)
class Hosting:
    """How guests run on a host: `release` of its kernel, accelerator and CPU model for guests
    (empty: the accelerator's own)."""

    release: str
    accel: str
    cpu: str
    reason: str
    lacks: frozenset[str] = frozenset()

    @property
    def by_ports(self) -> bool:
        """Whether its guests have to notify devices through ports."""
        return self.accel == "kvm" and self.cpu == EMULATED_CPU and wants_ports(self.release)


def wants_ports(release: str) -> bool:
    """Whether KVM of that kernel on emulated SVM loses guests otherwise: argv.py has why."""
    return tuple(map(int, re.findall(r"\d+", release)[:2])) >= (6, 14)


def look(host: Host, qemu: str) -> Hosting:
    """Ask a host. Raises HostError when no pair can run there, saying what would help."""
    answer = host.runner.capture(["sh", "-c", _ASK], timeout=60).stdout.splitlines()
    release, node, kvm, cpu, *rest = answer
    if node != "usable":
        raise HostError(f"{host.name}: {NODE} is not usable: {node}", _FIX.get(node, ""))
    lacks = frozenset(line.removeprefix("without ") for line in rest)
    if "qemu-system-x86_64" in lacks and "/" not in qemu:
        raise HostError(
            f"{host.name} has no qemu-system-x86_64",
            "on the host: apt-get install -y qemu-system-x86",
        )
    model = "host" if cpu == "real" else EMULATED_CPU
    if kvm != "kvm":
        ran, reason = False, kvm
    elif cpu == "emulated":
        # a probe takes as long there as the guest itself, which proves more (pairs.py)
        ran, reason = True, "on emulated SVM"
    else:
        ran, reason = accelerator.kvm_runs_on(host, qemu, model)
    if ran:
        return Hosting(release, "kvm", model, reason, lacks)
    return Hosting(release, "tcg", "", reason, lacks)


@dataclass
class Dmesg:
    """The kernel log of a host that is no guest of ours, read by dmesg(1)."""

    host: Host
    _last: float = field(default=-1.0)

    def __post_init__(self) -> None:
        self()

    def __call__(self) -> tuple[str, ...] | None:
        """Lines since the last call; None when this user may not read them."""
        done = self.host.runner.capture(["dmesg", "--raw"], check=False, timeout=60)
        if done.code:
            return None
        lines = []
        for line in done.stdout.splitlines():
            match = _RAW.match(line)
            if match and float(match[2]) > self._last:
                lines.append(f"[{match[2]}] {match[3]}")
        if lines:
            self._last = float(lines[-1][1:].partition("]")[0])
        return tuple(lines)


_RAW = re.compile(r"<(\d+)>\[ *(\d+\.\d+)\](?:\[ *[TC]\d+\])? (.*)")


def programs_on(host: Host, folder: Path) -> Path:
    """A folder on the host with all programs of a folder of this machine."""
    there = {path.name: host.put(path) for path in sorted(folder.iterdir())}
    if all(there[path.name] == path for path in folder.iterdir()):
        return folder
    place = host.folder / f"programs-{folder.name}"
    files = shlex.join(str(path) for path in there.values())
    host.runner.capture(["sh", "-ec", f"mkdir -p '{place}'; ln -sf {files} '{place}'"])
    return place
