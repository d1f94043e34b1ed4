# SPDX-License-Identifier: GPL-2.0-only
"""Suites on two ends whose programs do not know the same tests."""

from __future__ import annotations

import pytest

from kzc.values import Verdict
from tests.unit.suites.talking import Ends, reason, run, suite, talker, verdicts


@pytest.mark.parametrize("longer", ["host", "guest"])
def test_lists_of_different_length(ends: Ends, longer: str) -> None:
    pair, host, guest = ends
    titles = {"host": ["a", "b"], "guest": ["a", "b"], longer: ["a", "b", "new", "newer"]}
    talker(host, titles["host"])
    talker(guest, titles["guest"])
    outcome = run(pair, suite())
    for direction in ("H2G", "G2H"):
        found = {name: v for name, v in verdicts(outcome).items() if name.startswith(direction)}
        assert found == {
            f"{direction}/a": Verdict.PASS,
            f"{direction}/b": Verdict.PASS,
            f"{direction}/new": Verdict.SKIP,
            f"{direction}/newer": Verdict.SKIP,
        }
    assert reason(outcome, "H2G/new") == f"only the {longer}'s vsock_test knows this test"
    assert outcome.verdict is Verdict.PASS, outcome.reason


def test_a_test_that_fails_before_the_lists_differ(
    ends: Ends,
) -> None:
    pair, host, guest = ends
    talker(host, ["a", "b", "new"], client_1="fail")
    talker(guest, ["a", "b"])
    outcome = run(pair, suite(directions=("H2G",)))
    assert list(verdicts(outcome).values()) == [Verdict.PASS, Verdict.FAIL, Verdict.SKIP]


def test_another_test_at_the_same_place_is_skipped_on_both_ends(
    ends: Ends,
) -> None:
    pair, host, guest = ends
    talker(host, ["a", "ours", "c"], client_1="fail", server_1="fail")
    talker(guest, ["a", "theirs", "c"], client_1="fail", server_1="fail")
    outcome = run(pair, suite(directions=("H2G",)))
    assert verdicts(outcome) == {
        "H2G/a": Verdict.PASS,
        "H2G/ours": Verdict.SKIP,
        "H2G/theirs": Verdict.SKIP,
        "H2G/c": Verdict.PASS,
    }
    assert "only the guest's vsock_test knows" in reason(outcome, "H2G/theirs")
    assert outcome.verdict is Verdict.PASS, outcome.reason
