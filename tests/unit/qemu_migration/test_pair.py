# SPDX-License-Identifier: GPL-2.0-only
"""What is waited for of a migration, by answers as QEMU 7.2 gives them."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest
from qemu_migration.errors import Failed
from qemu_migration.pair import How, Pair


def pair(*answers: dict[str, Any]) -> Pair:
    """One whose source answers so, the last of them for ever."""
    left = list(answers)

    def ask(_command: str) -> dict[str, Any]:
        return left.pop(0) if len(left) > 1 else left[0]

    source = SimpleNamespace(monitor=SimpleNamespace(ask=ask), said=lambda: "nothing")
    return Pair(cast("Any", source), cast("Any", source), cast("Any", None), How(), 0.3)


def test_it_is_over_when_its_time_is_known() -> None:
    active, told = {"status": "active"}, {"status": "completed", "total-time": 8639, "downtime": 9}
    done = pair(active, {"status": "completed", "total-time": 0}, told).arrived()
    assert (done.seconds, done.downtime) == (8.639, 0.009)


def test_a_time_that_never_comes_is_not_waited_for_for_ever() -> None:
    assert pair({"status": "completed"}).arrived().seconds == 0


def test_an_end_is_told_at_once_as_the_next_answer_may_want_the_destination() -> None:
    asked = pair({"status": "active"}, {"status": "completed"}, {"status": "failed"})
    asked.completed()
    assert asked.progress().status == "failed"  # nothing was asked behind the end


def test_one_that_fails_says_what_qemu_says() -> None:
    with pytest.raises(Failed, match="the migration is failed: Unable to write"):
        pair({"status": "failed", "error-desc": "Unable to write"}).completed()
