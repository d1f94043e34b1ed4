# SPDX-License-Identifier: GPL-2.0-only
"""A kernel that compiles in a blink, and an open run with a cache of the test's own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from kzc.jobs.workshop import Workshop
from kzc.results.store import Store
from kzc.settings import Settings
from tests.fakelinux.buildable import make_buildable
from tests.plain import RUNNER
from tests.unit.jobs.bench import Bench
from tests.unit.jobs.floor import Recorder


@pytest.fixture
def kernel(tmp_path: Path) -> Path:
    return make_buildable(tmp_path / "linux")


@pytest.fixture
def shopfloor(tmp_path: Path) -> Iterator[Workshop]:
    settings = Settings(cache=tmp_path / "cache", data=tmp_path / "data", jobs=2)
    with Store(settings.data).create(("kzc",), {}, "0") as run:
        yield Workshop(settings, RUNNER, Recorder(), run, "kzc again")


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """What the doctor examines."""
    return Bench(tmp_path)
