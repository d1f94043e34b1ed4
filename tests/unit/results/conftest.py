# SPDX-License-Identifier: GPL-2.0-only
"""A database of a test's own: a file, or with KZC_TEST_DB a schema of that PostgreSQL."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator

import pytest


@pytest.fixture
def db() -> Iterator[str]:
    """What the setting `db` is to be."""
    url = os.environ.get("KZC_TEST_DB", "")
    if not url:
        yield ""
        return
    import psycopg

    name = f"t{secrets.token_hex(6)}"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f'CREATE SCHEMA "{name}"'.encode())
        yield f"{url}&options=-csearch_path%3D{name}"
        connection.execute(f'DROP SCHEMA "{name}" CASCADE'.encode())


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """With a PostgreSQL only what a database matters for."""
    if os.environ.get("KZC_TEST_DB"):
        items[:] = [item for item in items if "db" in getattr(item, "fixturenames", ())]
