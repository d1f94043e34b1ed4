# SPDX-License-Identifier: GPL-2.0-only
"""Modules of a guest: which, in which order, and how they get into the initramfs."""

from __future__ import annotations

import gzip
import lzma
import shutil
from pathlib import Path

import pytest

from kzc.errors import HostError
from kzc.guest import initramfs
from kzc.guest.modules import needed, parse_dep, read_module, why_not_vng
from tests.plain import RUNNER

BUSYBOX = Path(shutil.which("busybox") or "/bin/busybox")
# as depmod writes it: what is needed last comes first
DEP = """\
kernel/net/vsock.ko:
kernel/net/common.ko: kernel/net/vsock.ko
kernel/net/vsock_loopback.ko: kernel/net/common.ko kernel/net/vsock.ko
kernel/virtio/virtio-pci.ko.xz: kernel/virtio/virtio.ko
kernel/virtio/virtio.ko:
kernel/sound/snd.ko:
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "lib/modules/6.1"
    for line in DEP.splitlines():
        path = made / line.partition(":")[0]
        path.parent.mkdir(parents=True, exist_ok=True)
        data = path.name.encode()
        path.write_bytes(lzma.compress(data) if path.suffix == ".xz" else data)
    (made / "modules.dep").write_text(DEP)
    (made / "modules.builtin").write_text("kernel/fs/9p/9p.ko\nkernel/net/9p/9pnet_virtio.ko\n")
    return made


def names(paths: tuple[Path, ...]) -> list[str]:
    return [path.name for path in paths]


def test_dependencies_come_first_each_once_and_the_unknown_is_left_out(folder: Path) -> None:
    assert names(needed(folder, ("vsock_loopback", "virtio_pci", "vsock", "nothing"))) == [
        "vsock.ko",
        "common.ko",
        "vsock_loopback.ko",
        "virtio.ko",
        "virtio-pci.ko.xz",
    ]
    assert "snd.ko" not in names(needed(folder))


def test_an_initramfs_has_them_unpacked_and_in_order(folder: Path, tmp_path: Path) -> None:
    archive = initramfs.build(BUSYBOX, {}, modules=folder)
    assert archive == initramfs.build(BUSYBOX, {}, modules=folder)
    out = tmp_path / "out"
    out.mkdir()
    RUNNER.capture(["cpio", "-idm", "--quiet", "kzc/modules/*"], cwd=out, stdin=archive)
    found = sorted((out / "kzc/modules").iterdir())
    assert [path.name for path in found] == [
        "000-virtio.ko",
        "001-virtio-pci.ko",
        "002-vsock.ko",
        "003-common.ko",
        "004-vsock_loopback.ko",
    ]
    assert found[1].read_bytes() == b"virtio-pci.ko.xz"
    assert b"kzc/modules/000" not in initramfs.build(BUSYBOX, {})


def test_what_virtme_ng_needs_may_be_built_in(folder: Path) -> None:
    assert why_not_vng(folder) == ""
    (folder / "modules.builtin").unlink()
    assert "no 9p and no 9pnet_virtio" in why_not_vng(folder)


def test_packed_and_damaged_modules(tmp_path: Path) -> None:
    packed = tmp_path / "a.ko.gz"
    packed.write_bytes(gzip.compress(b"a"))
    assert read_module(packed) == b"a"
    (tmp_path / "a.ko.xz").write_bytes(b"torn")
    with pytest.raises(HostError, match=r"a\.ko\.xz cannot be read"):
        read_module(tmp_path / "a.ko.xz")
    with pytest.raises(HostError, match=r"cannot unpack \.zst modules"):
        read_module(tmp_path / "a.ko.zst")
    with pytest.raises(HostError, match=r"modules\.dep cannot be read"):
        needed(tmp_path)


def test_lines_of_modules_dep() -> None:
    assert parse_dep(["a.ko: b.ko c.ko", "b.ko:", ""]) == {"a.ko": ("b.ko", "c.ko"), "b.ko": ()}
