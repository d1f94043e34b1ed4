# SPDX-License-Identifier: GPL-2.0-only
"""Golden command lines; KZC_REGEN=1 writes them anew."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from kzc.guest.argv import GuestSpec, Sockets, mini, mini_shell, vng, vng_shell
from kzc.guest.first_level import host_of_guests
from kzc.guest.hosting import EMULATED_CPU, Hosting

DATA = Path(__file__).parents[2] / "data" / "guest"
SOCKETS = Sockets(Path("/run/x/console"), Path("/run/x/control"), Path("/run/x/qmp"))
MINI = GuestSpec("mini", Path("/k/bzImage"), "tcg", initrd=Path("/run/initramfs"))
VNG = GuestSpec("vng", Path("/k/bzImage"), "tcg", cpus=4, memory=2048)
KVM = GuestSpec("vng", Path("/k/bzImage"), "kvm", append=("quiet",), qemu="/opt/qemu")

LINES = {
    "mini": mini(MINI, SOCKETS),
    "mini-hvc": mini(replace(MINI, console="hvc0", cid=42, pinned=1), SOCKETS),
    "mini-second-level": mini(replace(MINI, accel="kvm", cpu=EMULATED_CPU, by_ports=True), SOCKETS),
    "mini-icount": mini(replace(MINI, cpus=1, icount=True), SOCKETS),
    "mini-shell": mini_shell(MINI),
    "vng": vng(VNG, SOCKETS, Path("/lib/kzc/agent.sh")),
    "vng-icount": vng(replace(VNG, cpus=1, icount=True), SOCKETS, Path("/lib/kzc/agent.sh")),
    "vng-kvm": vng(KVM, SOCKETS, Path("/a path/agent.sh")),
    "vng-shell": vng_shell(VNG),
    "vng-wires": vng(host_of_guests(VNG, 2), SOCKETS, Path("/lib/kzc/agent.sh")),
}


@pytest.mark.parametrize("name", LINES)
def test_the_command_line_is_as_kept(name: str) -> None:
    path = DATA / f"{name}.argv"
    text = "\n".join(LINES[name]) + "\n"
    if os.environ.get("KZC_REGEN"):
        path.write_text(text)
    assert text == path.read_text()


@pytest.mark.parametrize("name", LINES)
def test_vsock_is_never_the_control_channel_and_smap_is_on(name: str) -> None:
    line = " ".join(LINES[name])
    assert "vsock" not in line.replace("vhost-vsock-pci", "")
    assert "--ssh" not in line
    if name.startswith("mini"):
        assert "-cpu max" in line or "+smap,+smep" in line


@pytest.mark.parametrize(
    ("release", "cpu", "wanted"),
    [
        ("6.12.117+", EMULATED_CPU, False),
        ("6.14.0-rc1", EMULATED_CPU, True),
        ("7.3.4+", EMULATED_CPU, True),
        ("7.3.4+", "host", False),
        ("unknown", EMULATED_CPU, False),
    ],
)
def test_only_a_later_kvm_on_emulated_svm_wants_ports(release: str, cpu: str, wanted: bool) -> None:
    assert Hosting(release, "kvm", cpu, "").by_ports is wanted
