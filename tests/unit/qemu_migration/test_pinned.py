# SPDX-License-Identifier: GPL-2.0-only
"""What is pinned and locked, out of the kernel's files."""

from __future__ import annotations

import os

from qemu_migration import pinned

MEMINFO = """\
MemTotal:        1000000 kB
Unevictable:        1696 kB
Mlocked:              48 kB
HugePages_Total:       0
"""
VMSTAT = "nr_free_pages 5\nnr_foll_pin_acquired 90\nnr_foll_pin_released 83\n"


def test_the_machines_counts() -> None:
    assert pinned.counts(MEMINFO, VMSTAT) == {"Unevictable": 1696, "Mlocked": 48, "Pinned": 7}
    assert pinned.counts("", "nr_foll_pin_acquired 1\n") == {}


def test_only_what_grew_is_told() -> None:
    before = {"Unevictable": 10, "Mlocked": 4, "Pinned": 7}
    assert pinned.more(before, before) == ""
    assert pinned.more(before, {"Unevictable": 8, "Mlocked": 4, "Pinned": 7}) == ""
    assert pinned.more(before, {"Unevictable": 14, "Mlocked": 4, "Pinned": 9}) == (
        "Unevictable grew by 4, Pinned grew by 2"
    )


def test_this_process_has_nothing_pinned() -> None:
    assert pinned.process(os.getpid()) == {"VmPin": 0, "VmLck": 0}
