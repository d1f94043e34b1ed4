# SPDX-License-Identifier: GPL-2.0-only
"""What is remembered of checks, and what is not because it may come out otherwise."""

from __future__ import annotations

import pytest

from kzc.jobs.check.memory import key_of, lasting, recall, remember
from kzc.jobs.workshop import Workshop
from kzc.values import Case, Outcome, Stage, Verdict


def outcome(name: str, verdict: Verdict) -> Outcome:
    return Outcome(Stage.CHECK, "", verdict, cases=(Case(name, verdict),))


@pytest.mark.parametrize(
    ("name", "verdict", "kept"),
    [
        ("build", Verdict.PASS, True),
        ("warnings", Verdict.FAIL, True),
        ("checkpatch", Verdict.FAIL, True),
        ("build", Verdict.FAIL, False),
        ("selftests", Verdict.FAIL, False),
        ("checkpatch", Verdict.INFRA, False),
        ("vsock", Verdict.TIMEOUT, False),
        ("vsock", Verdict.CRASH, False),
    ],
)
def test_only_what_would_come_out_again_lasts(name: str, verdict: Verdict, kept: bool) -> None:
    assert lasting(outcome(name, verdict)) is kept


def test_parts_of_a_key_do_not_run_together() -> None:
    assert key_of("ab", "c") != key_of("a", "bc")
    assert key_of("a", b"b") == key_of(b"a", "b")


def test_a_damaged_entry_is_as_good_as_none(shopfloor: Workshop) -> None:
    found = outcome("build", Verdict.PASS)
    assert recall(shopfloor, "k", "1") is None
    remember(shopfloor, "k", found)
    again = recall(shopfloor, "k", "1")
    assert again is not None
    assert again.cases == found.cases
    assert again.detail["checked_before"] is True
    (shopfloor.settings.cache / "checks/k/outcome.json").write_text('{"stage": 1')
    assert recall(shopfloor, "k", "1") is None
