# SPDX-License-Identifier: GPL-2.0-only
"""The file that QEMU starts: the vmlinux only where it surely is the kernel and can be started."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from kzc.kernel.pvh import direct
from kzc.values import KernelBuild


@pytest.fixture
def kernel(tmp_path: Path) -> KernelBuild:
    for name in ("bzImage", "vmlinux"):
        (tmp_path / name).write_bytes(b"")
    (tmp_path / "config").write_text("CONFIG_PCI=y\nCONFIG_PVH=y\n# CONFIG_XEN is not set\n")
    image = str(tmp_path / "bzImage")
    return KernelBuild("0f", str(tmp_path), image, "", "6.12.0", "tree", "gcc")


def test_a_vmlinux_with_the_pvh_entry_is_started_directly(kernel: KernelBuild) -> None:
    assert direct(kernel) == Path(kernel.folder) / "vmlinux"


@pytest.mark.parametrize(
    "config", ["# CONFIG_PVH is not set\n", "", None, "CONFIG_PVH=y\nCONFIG_KASAN=y\n"]
)
def test_without_an_entry_that_works_it_is_the_bzimage(
    kernel: KernelBuild, config: str | None
) -> None:
    file = Path(kernel.folder) / "config"
    file.unlink() if config is None else file.write_text(config)
    assert direct(kernel) == Path(kernel.image)


def test_without_a_vmlinux_it_is_the_bzimage(kernel: KernelBuild) -> None:
    (Path(kernel.folder) / "vmlinux").unlink()
    assert direct(kernel) == Path(kernel.image)


def test_what_lies_beside_an_image_that_kzc_did_not_build_is_not_trusted(
    kernel: KernelBuild,
) -> None:
    assert direct(replace(kernel, tree_id="")) == Path(kernel.image)
