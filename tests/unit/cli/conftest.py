# SPDX-License-Identifier: GPL-2.0-only
"""Standing in a kernel that compiles in a blink, with folders of the test's own."""

from __future__ import annotations

from pathlib import Path

import pytest

from kzc.proc import LocalRunner
from tests import plain
from tests.fakelinux.buildable import make_buildable


@pytest.fixture(autouse=True)
def plainly(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a verb starts in this process it starts without a guard, see tests/plain.py."""
    monkeypatch.setattr(LocalRunner, "capture", plain.capture)


@pytest.fixture
def kernel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("cache", "data"):
        monkeypatch.setenv(f"KZC_{name.upper()}", str(tmp_path / name))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    folder = make_buildable(tmp_path / "linux")
    monkeypatch.chdir(folder)
    return folder
