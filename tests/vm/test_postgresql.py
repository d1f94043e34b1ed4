# SPDX-License-Identifier: GPL-2.0-only
"""The tests of the store once more, on a real PostgreSQL (here because it takes seconds)."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit.results import postgres

TESTS = Path(postgres.__file__).parent
SAME = (
    "test_store.py",
    "test_kills.py",
    "test_archive.py",
    "test_past.py",
    "test_schema.py",
    "test_folders.py",
)


pytestmark = pytest.mark.vm


def test_the_store_is_the_same_on_postgresql() -> None:
    pytest.importorskip("psycopg", reason="psycopg is not installed: pip install 'psycopg[binary]'")
    programs = postgres.programs()
    if programs is None:
        pytest.skip("PostgreSQL is not installed: apt-get install postgresql")
    with postgres.server(programs) as url:
        argv = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist"]
        done = subprocess.run(
            [*argv, *(str(TESTS / name) for name in SAME)],
            env={**os.environ, "KZC_TEST_DB": url},
            cwd=TESTS.parents[2],
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 0, done.stdout + done.stderr
    assert " passed" in done.stdout
    assert "skipped" not in done.stdout
