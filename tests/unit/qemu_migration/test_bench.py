# SPDX-License-Identifier: GPL-2.0-only
"""What `qemu-migration bench` says of rounds that are measured, and of those that cannot be."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from qemu_migration import bench, tools
from qemu_migration.errors import Failed, Skipped
from qemu_migration.pair import How
from qemu_migration.progress import Progress

LINES = ("0 veth4 copy 1 8192", "1 loopback6 zero-copy-send 8 8192")


@contextmanager
def nothing() -> Iterator[None]:
    yield


def said(lines: tuple[str, ...] = LINES) -> list[dict[str, Any]]:
    return [json.loads(line) for line in bench.bench(lines)]


@pytest.fixture(autouse=True)
def grounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tools, "require", lambda: None)
    monkeypatch.setattr(bench, "namespaces", nothing)
    monkeypatch.setattr(bench, "require", lambda way: None)


def test_without_its_programs_all_rounds_are_lacking(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent() -> None:
        raise Skipped("the guest has no ip")

    monkeypatch.setattr(tools, "require", absent)
    told = {"error": "the guest has no ip", "lacks": True}
    assert said() == [{"round": number, **told} for number in (0, 1)]


def test_a_round_that_fails_says_why_and_the_next_one_is_measured(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = []

    def one(content: bytes, way: str, how: How, spinner: int) -> tuple[dict[str, object], ...]:
        asked.append((len(content), way, how.channels, how.zerocopy, spinner))
        if len(asked) == 1:
            raise Failed("the destination is gone")
        return ({"side": "sender"}, {"side": "receiver"})

    monkeypatch.setattr(bench, "_round", one)
    assert said() == [
        {"round": 0, "error": "the destination is gone"},
        {"round": 1, "side": "sender"},
        {"round": 1, "side": "receiver"},
    ]
    assert asked == [(8192, "veth4", 1, False, 0), (8192, "loopback6", 8, True, 0)]


@pytest.mark.parametrize(
    ("copied", "zerocopy", "told"),
    [
        (0, True, {"copied": 0, "zerocopied": 3}),
        (4, True, {"copied": 4, "zerocopied": 0}),
        (None, False, {"copied": 0, "zerocopied": 0}),
        (None, True, {"copied": 0, "zerocopied": 0}),
    ],
)
def test_a_flush_that_found_only_copies_leaves_nothing_that_was_zerocopy(
    copied: int | None, zerocopy: bool, told: dict[str, int]
) -> None:
    done = Progress("completed", passes=3, copied=copied)
    assert bench._flushes(done, How(zerocopy=zerocopy)) == told


def test_cpu_time_is_that_of_a_process_and_ends_with_it() -> None:
    before = bench._used(os.getpid())
    sum(range(200_000))
    assert before < bench._used(os.getpid())
    pid = os.fork()
    if not pid:
        os._exit(0)
    os.waitpid(pid, 0)
    with pytest.raises(OSError):
        bench._used(pid)
