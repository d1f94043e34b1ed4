# SPDX-License-Identifier: GPL-2.0-only
"""What the doctor says of accelerators, nested guests and /dev/vhost-vsock."""

from __future__ import annotations

import fcntl
from dataclasses import replace
from pathlib import Path

from kzc.guest.accelerator import Accelerator, Cause
from kzc.jobs.doctor import accelerator, guest_cpu, nested, vhost_vsock
from kzc.jobs.machine import Device
from kzc.jobs.needs import State
from tests.unit.jobs.bench import Bench

_TCG = Accelerator(
    "tcg", "there is no /dev/kvm", "7.2", "qemu", 0.1, False, Cause.ABSENT, ("smap", "smep", "svm")
)
_KVM = Accelerator("kvm", "a guest ran", "7.2", "qemu", 0.1, False, Cause.NONE, ("smap", "smep"))


def test_vhost_vsock_is_busy_while_its_lock_is_held(bench: Bench) -> None:
    node = bench.machine.dev / "vhost-vsock"
    assert vhost_vsock(bench.machine).state is State.OK
    with node.open() as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        busy = vhost_vsock(bench.machine)
    assert (busy.state, busy.value) == (State.WARN, "busy")
    assert bench.machine.vhost_vsock() is Device.USABLE  # the doctor holds nothing afterwards
    node.unlink()
    absent = vhost_vsock(bench.machine)
    assert (absent.state, absent.value) == (State.WARN, "absent")
    assert absent.fix.endswith("modprobe vhost_vsock")


def test_the_accelerators_line(bench: Bench) -> None:
    (bench.machine.proc / "cpuinfo").write_text("flags : fpu vmx smap\n")
    assert accelerator(_KVM, bench.machine).state is State.OK
    absent = accelerator(_TCG, bench.machine)
    assert (absent.state, absent.value) == (State.WARN, "TCG")
    assert absent.fix.endswith("modprobe kvm_intel")
    rights = replace(_TCG, cause=Cause.RIGHTS, reason="no rights")
    assert accelerator(rights, bench.machine).fix.endswith("chown $USER " + str(_node(bench)))
    assert accelerator(replace(_TCG, cause=Cause.SILENT), bench.machine).fix == ""


def _node(bench: Bench) -> Path:
    return bench.machine.dev / "kvm"


def test_nested_guests(bench: Bench) -> None:
    assert nested(_TCG, bench.machine).state is State.OK
    assert nested(replace(_KVM, features=("vmx",)), bench.machine).value == "KVM"
    (bench.machine.sys / "module" / "kvm_amd").mkdir(parents=True)
    hidden = nested(_KVM, bench.machine)
    assert (hidden.state, hidden.value) == (State.WARN, "TCG")
    assert "modprobe kvm_amd nested=1" in hidden.fix
    unseen = nested(replace(_TCG, features=("smap", "smep")), bench.machine)
    assert (unseen.state, unseen.value) == (State.WARN, "no")


def test_nested_guests_under_a_kvm_that_has_no_module(bench: Bench) -> None:
    need = nested(_KVM, bench.machine)
    assert (need.state, need.value, need.fix) == (State.WARN, "TCG", "")


def test_a_cpu_without_smap_is_said() -> None:
    assert guest_cpu(_KVM).state is State.OK
    lacking = guest_cpu(replace(_KVM, features=("smep",)))
    assert (lacking.state, lacking.value) == (State.WARN, "SMEP")
    assert "no SMAP" in lacking.reason
