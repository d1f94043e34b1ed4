# SPDX-License-Identifier: GPL-2.0-only
"""How long a case waits."""

from __future__ import annotations

from pathlib import Path

import pytest
from qemu_migration import faults
from qemu_migration.ground import Ground


@pytest.mark.parametrize(("file", "seconds"), [(None, 480.0), ("0\n", 480.0), ("1\n", 120.0)])
def test_under_faults_a_lost_call_is_not_waited_for_as_long(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, file: str | None, seconds: float
) -> None:
    fails = tmp_path / "make-it-fail"
    if file is not None:
        fails.write_text(file)
    monkeypatch.setattr(faults, "FILE", fails)
    monkeypatch.setenv("KZC_SLOWDOWN", "12")
    assert Ground(b"").patience == seconds


def test_from_there_on_no_call_fails(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    fails = tmp_path / "make-it-fail"
    monkeypatch.setattr(faults, "FILE", fails)
    faults.spare()
    assert not fails.exists()
    fails.write_text("1")
    faults.spare()
    assert not faults.meant()
