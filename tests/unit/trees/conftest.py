# SPDX-License-Identifier: GPL-2.0-only
"""A small kernel in a real repository, and settings that keep everything in the test's folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from kzc.settings import Settings
from tests.fakelinux import make_kernel


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(cache=tmp_path / "cache", data=tmp_path / "data", jobs=1)


@pytest.fixture
def kernel(tmp_path: Path) -> Path:
    return make_kernel(tmp_path / "linux")
