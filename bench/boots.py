# SPDX-License-Identifier: GPL-2.0-only
"""Start to first command: kzc's mini guest against `vng --exec true`, same kernel, interleaved.

python bench/boots.py [ROUNDS]; on the demonstration's kernel (`make demo`). Holds that the
ratio of the medians is at most 0.25.
"""

from __future__ import annotations

import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from machine import keep

from kzc.guest import initramfs, session
from kzc.guest.accelerator import probe
from kzc.guest.argv import GuestSpec
from kzc.hosts.local import local_host
from kzc.jobs.workshop import find_vng
from kzc.kernel.bzimage import image_at
from kzc.kernel.pvh import direct
from kzc.proc import LocalRunner
from kzc.settings import load_settings
from kzc.values import KernelBuild, Limits


def demonstrated() -> KernelBuild:
    """The demonstration's kernel, built if need be."""
    command = [sys.executable, "-m", "kzc", "build", "scm-zc-notification"]
    done = subprocess.run(
        [*command, "--tree", "debian:linux-source-6.12"],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return image_at(Path(done.stdout.splitlines()[-1]))


def mini(kernel: KernelBuild, accel: str, folder: Path) -> float:
    """Seconds until a command in a mini guest was answered, image building included."""
    began = time.monotonic()
    initrd = folder / "initramfs"
    initrd.write_bytes(initramfs.build(Path(shutil.which("busybox") or "/bin/busybox"), {}))
    spec = GuestSpec("mini", direct(kernel), accel, initrd=initrd)
    with (
        local_host(LocalRunner()) as host,
        session.boot(spec, folder, host, Limits(60, 120)) as guest,
    ):
        assert guest.booted.status == 0  # of the agent's first command, which is empty
        return time.monotonic() - began


def vng(kernel: KernelBuild, accel: str) -> float:
    """Seconds of `vng --exec true`."""
    began = time.monotonic()
    flags = ["--disable-kvm"] if accel == "tcg" else []
    path = f"{Path(find_vng()).parent}:/usr/bin:/bin:/usr/sbin:/sbin"
    command = [find_vng(), "--run", kernel.image, "--force-9p", "--user", "root", *flags]
    command += ["--memory", "1G", "--cpus", "2", "--exec", "true"]
    subprocess.run(
        command, check=True, stdin=subprocess.DEVNULL, capture_output=True, env={"PATH": path}
    )
    return time.monotonic() - began


def main() -> int:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    settings = load_settings({}, Path.cwd())
    accel = probe(settings.qemu, settings.cache, LocalRunner()).kind
    kernel = demonstrated()
    readings: dict[str, list[float]] = {"mini": [], "vng": []}
    for _ in range(rounds):
        with tempfile.TemporaryDirectory(prefix="kzc-") as scratch:
            readings["mini"].append(round(mini(kernel, accel, Path(scratch)), 2))
        readings["vng"].append(round(vng(kernel, accel), 2))
    ratio = statistics.median(readings["mini"]) / statistics.median(readings["vng"])
    keep("boots", {"accel": accel, "seconds": readings, "ratio": round(ratio, 3), "limit": 0.25})
    return 0 if ratio <= 0.25 else 1


if __name__ == "__main__":
    sys.exit(main())
