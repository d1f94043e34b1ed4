# SPDX-License-Identifier: GPL-2.0-only
"""What a plan says to the kernels of its guests, and to guests of guests."""

from __future__ import annotations

from pathlib import Path

import pytest

from kzc.guest.argv import GuestSpec
from kzc.jobs.guests import Plan, host_variables

WAIT = "sysctl.kernel.hung_task_timeout_secs"


@pytest.mark.parametrize(
    ("slowdown", "said"),
    [(1.0, ("kzc.case=a",)), (4.0, (f"{WAIT}=480", "kzc.case=a"))],
)
def test_a_slow_kernels_tasks_may_wait_longer(slowdown: float, said: tuple[str, ...]) -> None:
    assert Plan("tcg", slowdown, append=("kzc.case=a",)).parameters == said


def test_a_guest_of_a_guest_is_told_of_it_too() -> None:
    spec = GuestSpec("vng", Path("/x/bzImage"), "tcg", initrd=Path("/x/initramfs"))
    told = host_variables(spec, Plan("tcg", 4.0, append=("kzc.case=a",)), "6.12.117+")
    assert told["KZC_APPEND"] == f"{WAIT}=480"
    assert (told["KZC_IMAGE"], told["KZC_INITRD"]) == ("/x/bzImage", "/x/initramfs")
    assert "-kvm-pv-eoi" in told["KZC_CPU"]
    assert told["KZC_DEVICES"] == ""
    later = host_variables(spec, Plan("tcg", 4.0), "7.3.4+")
    assert later["KZC_DEVICES"] == "-global virtio-pci.modern-pio-notify=on"
