# SPDX-License-Identifier: GPL-2.0-only
"""A migrated guest's memory: read and written by descriptor, and in use while somebody has it."""

from __future__ import annotations

import mmap

import pytest
from qemu_migration.memory import Memory

SIZE = 1 << 20


def test_it_is_what_was_written() -> None:
    memory = Memory("test", SIZE, b"\x07" * SIZE)
    memory.write(b"kzc", 4096)
    found = memory.read()
    assert found == b"\x07" * 4096 + b"kzc" + b"\x07" * (SIZE - 4099)
    memory.close()


def test_it_is_in_use_until_nobody_has_it_and_closed_for_writing_then() -> None:
    memory = Memory("test", SIZE, b"\x07" * SIZE)
    with mmap.mmap(memory.fd, SIZE):
        assert memory.in_use(0)
    assert not memory.in_use(0)
    with pytest.raises(PermissionError):
        memory.write(b"kzc")
    memory.close()
