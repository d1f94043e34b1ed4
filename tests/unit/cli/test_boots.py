# SPDX-License-Identifier: GPL-2.0-only
"""`kzc boot` asks the machine once how guests run on it, and says so when QEMU starts none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Unpack

import pytest

from kzc.cli.boots import boot_job
from kzc.cli.job import understand
from kzc.cli.options import Asked
from kzc.errors import HostError
from kzc.proc import Done, How, LocalRunner

# the probe's guest comes through with it, no other one does
QEMU = r"""#!/bin/sh
case "$*" in *--version*) echo 'QEMU emulator version 7.2.22'; exit 0 ;; esac
for word; do case $word in file,id=probe,path=*) console=${word#*path=} ;; esac; done
[ -n "$console" ] || exit 1
printf '3kzc:\040\000\000\000\200\000\020\000\000\000\000\000' >"$console"
exit 85
"""


class Listening(LocalRunner):
    """Remembers who was asked for a version."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def capture(self, argv: Sequence[str], **how: Unpack[How]) -> Done:
        if argv[-1] == "--version":
            self.asked.append(Path(argv[0]).name)
        return super().capture(argv, **how)


def test_the_machine_is_asked_once(
    kernel: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    qemu = tmp_path / "qemu"
    qemu.write_text(QEMU)
    qemu.chmod(0o755)
    monkeypatch.setenv("KZC_QEMU", str(qemu))
    runner = Listening()
    job = replace(understand(Asked(), with_suites=False), runner=runner)
    with pytest.raises(HostError, match="ended before it connected"):
        boot_job(job, "mini", "true")
    assert sorted(runner.asked) == ["gcc", "qemu", "vng"]
