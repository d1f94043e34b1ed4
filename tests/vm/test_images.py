# SPDX-License-Identifier: GPL-2.0-only
"""Debian's own kernel as a guest: its modules come with it. Fetches 70 MB the first time."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from kzc.guest import initramfs
from kzc.guest.accelerator import probe
from kzc.guest.argv import GuestSpec
from kzc.guest.session import boot
from kzc.hosts.local import local_host
from kzc.jobs.workshop import find_vng
from kzc.proc import LocalRunner
from kzc.settings import Settings
from kzc.trees.images import Image, find_image
from kzc.values import Ended, Limits

pytestmark = [pytest.mark.vm, pytest.mark.full]

LIMITS = Limits(80, 300)


@pytest.fixture(scope="module")
def image() -> Image:
    return find_image("debian:linux-image-amd64", Settings(), LocalRunner())


@pytest.mark.parametrize("kind", ["mini", "vng"])
def test_debian_s_kernel_boots_with_vsock(kind: str, image: Image, tmp_path: Path) -> None:
    settings, runner = Settings(), LocalRunner()
    accel = probe(settings.qemu, settings.cache, runner).kind
    initrd = None
    if kind == "mini":
        initrd = tmp_path / "initramfs"
        busybox = Path(shutil.which("busybox") or "/bin/busybox")
        initrd.write_bytes(initramfs.build(busybox, {}, modules=image.modules))
    spec = GuestSpec(
        kind,
        image.vmlinuz,
        accel,
        memory=1024,
        initrd=initrd,
        vng=find_vng(),
        modules=image.modules,
    )
    load = "modprobe vsock_loopback && " if kind == "vng" else ""
    with local_host(runner) as host, boot(spec, tmp_path, host, LIMITS) as guest:
        assert guest.booted.ended is Ended.EXIT, guest.booted.console[-20:]
        # by its path, as system(3) calls it
        text = f"{load}/bin/sh -c 'uname -r && cut -d\" \" -f1 /proc/modules'"
        answer = guest.run(text, LIMITS)
    release, *loaded = answer.output
    assert release == image.release
    assert "vsock_loopback" in loaded
