# SPDX-License-Identifier: GPL-2.0-only
"""QEMU's command line, the ways, and the names of the cases."""

from __future__ import annotations

from qemu_migration.cases import CASES
from qemu_migration.command import Spec, argv
from qemu_migration.network import WAYS


def test_the_whole_command() -> None:
    spec = Spec("kzc-source", 32 << 20, 65536, memory_fd=5, monitor_fd=6, writer_fd=7)
    words = " ".join(argv(spec, "/usr/bin/qemu"))
    assert words == (
        "nsenter --net=/run/netns/kzc-source prlimit --memlock=65536:65536 "
        "setpriv --reuid=65534 --regid=65534 --clear-groups "
        "/usr/bin/qemu -S -accel tcg -machine pc,memory-backend=ram -m 32M "
        "-object memory-backend-file,id=ram,size=33554432,share=on,mem-path=/proc/self/fd/5 "
        "-nodefaults -no-user-config -display none "
        "-chardev socket,id=monitor,fd=6 -mon chardev=monitor,mode=control "
        "-chardev socket,id=qtest,fd=7 -qtest chardev:qtest -qtest-log none"
    )
    waiting = Spec("kzc-source", 32 << 20, 65536, 5, 6, 7, waits=True)
    assert argv(waiting, "/usr/bin/qemu")[-2:] == ["-incoming", "defer"]


def test_addresses_as_qemu_has_them() -> None:
    assert WAYS["veth4"].uri == "tcp:192.0.2.2:4444"
    assert WAYS["loopback6"].uri == "tcp:[::1]:4444"


def test_every_way_and_number_of_channels_has_its_case() -> None:
    assert {f"zerocopy/{name}" for name in WAYS} <= set(CASES)
    assert {"channels/1", "channels/4", "channels/8"} <= set(CASES)
    assert {"memlock-refused", "cancel", "destination-killed", "dirty/veth4"} <= set(CASES)
