# SPDX-License-Identifier: GPL-2.0-only
"""A small kernel, and three patches for it as git makes them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fakelinux import make_kernel, make_series


@pytest.fixture
def kernel(tmp_path: Path) -> Path:
    return make_kernel(tmp_path / "linux")


@pytest.fixture
def mails(kernel: Path, tmp_path: Path) -> Path:
    """A folder: a cover letter and three patches."""
    return make_series(kernel, tmp_path / "mails")
