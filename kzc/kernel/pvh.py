# SPDX-License-Identifier: GPL-2.0-only
"""Which file of a kernel QEMU starts soonest.

A vmlinux with the PVH entry (CONFIG_PVH, Xen's docs/misc/pvh.pandoc) is the same kernel as the
bzImage around it, without the decompressor: a quarter of a second under TCG. Not one with KASAN:
6.1's xen_prepare_pvh() is instrumented, and touches the shadow before there is one; such a guest
resets without a word (later trees have KASAN_SANITIZE := n in arch/x86/platform/pvh/Makefile).
"""

from __future__ import annotations

from pathlib import Path

from kzc.values import KernelBuild


def direct(kernel: KernelBuild) -> Path:
    """The vmlinux if kzc built it and it can be started, else the bzImage."""
    folder = Path(kernel.folder)
    try:
        symbols = (folder / "config").read_text().splitlines()
    except OSError:
        symbols = []
    entry = "CONFIG_PVH=y" in symbols and "CONFIG_KASAN=y" not in symbols
    vmlinux = folder / "vmlinux"
    ours = kernel.tree_id and vmlinux.is_file()
    return vmlinux if entry and ours else Path(kernel.image)
