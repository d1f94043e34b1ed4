# SPDX-License-Identifier: GPL-2.0-only
"""Where the threads of a guest may be pinned to, as taskset(1) says it."""

from __future__ import annotations

import pytest

from kzc.jobs.bench_pin import cpus_of


@pytest.mark.parametrize(
    ("text", "cpus"),
    [
        ("pid 12's current affinity list: 0-2,7\n", (0, 1, 2, 7)),
        ("pid 12's current affinity list: 5", (5,)),
        ("taskset: failed to get pid 12's affinity: No such process", ()),
        ("", ()),
    ],
)
def test_the_list_is_read(text: str, cpus: tuple[int, ...]) -> None:
    assert cpus_of(text) == cpus
