# SPDX-License-Identifier: GPL-2.0-only
"""A pair of ends that are shells."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.suites.ends import make_pair
from tests.unit.suites.talking import Ends


@pytest.fixture
def ends(tmp_path: Path) -> Ends:
    return make_pair(tmp_path)
