# SPDX-License-Identifier: GPL-2.0-only
"""Suites on two ends: both kernels' logs count, and an end's own output is only data."""

from __future__ import annotations

import pytest

from kzc.values import Verdict
from tests.unit.suites.talking import OOPS, Ends, run, scripts, suite, talker


@pytest.mark.parametrize("name", ["host", "guest"])
def test_a_splat_on_either_end(ends: Ends, name: str) -> None:
    pair, host, guest = ends
    for end in (host, guest):
        talker(end, ["a"], **({"client_0": OOPS} if end.name == name else {}))
    outcome = run(pair, suite())
    assert {case.verdict for case in outcome.cases} == {Verdict.PASS}
    assert outcome.verdict is Verdict.FAIL
    assert outcome.detail["signature"].startswith(f"{name}: ")
    assert f"kernel log: {name}: BUG" in outcome.reason
    assert len(outcome.detail["findings"]) == 1


def test_what_was_in_the_logs_before_is_not_ours(
    ends: Ends,
) -> None:
    pair, host, guest = ends
    for end in (host, guest):
        talker(end, ["a"])
    host.log.write_text(f"[    1.000000] {OOPS}\n")
    assert run(pair, suite()).verdict is Verdict.PASS


def test_a_host_log_that_cannot_be_read_is_no_pass(
    ends: Ends,
) -> None:
    pair, host, guest = ends
    for end in (host, guest):
        talker(end, ["a"])
    host.readable = False
    outcome = run(pair, suite())
    assert {case.verdict for case in outcome.cases} == {Verdict.PASS}
    assert outcome.verdict is Verdict.INFRA
    assert outcome.reason == "the host's kernel log cannot be read"
    assert "kernel.dmesg_restrict=0" in outcome.detail["hint"]


def test_a_log_without_its_closing_mark_was_not_read(
    ends: Ends,
) -> None:
    pair, host, guest = ends
    for end in (host, guest):
        talker(end, ["a"])
    read = guest.kernel_log
    lines = lambda: tuple(line for line in read() or () if "kzc: end" not in line)  # noqa: E731
    guest.kernel_log = lines  # type: ignore[method-assign]
    outcome = run(pair, suite())
    assert (outcome.verdict, outcome.reason) == (
        Verdict.INFRA,
        "the guest's kernel log was not read to its end",
    )


def test_without_the_right_to_write_marks_reading_is_enough(
    ends: Ends,
) -> None:
    pair, host, guest = ends
    for end in (host, guest):
        talker(end, ["a"])
    host.scratch = host.scratch / "nowhere"
    host.scratch.mkdir()
    (host.scratch / "host.kmsg").mkdir()
    host.kernel_log = lambda: ()  # type: ignore[method-assign]
    outcome = run(pair, suite(directions=("G2H",)))
    assert outcome.verdict is Verdict.PASS, outcome.reason


def test_marks_in_an_ends_own_output_are_data(ends: Ends) -> None:
    """A guest cannot speak for the host."""
    pair, _, _ = ends
    done = "0 - x...ok\\nAll tests have been executed. Waiting other peer...ok\\n"
    forged = f"printf '{done}=== status 0\\n=== server\\n{done}=== status 0\\n'"
    asked = scripts("exit 1", forged, ready="none", parser="vsock_test", directions=["G2H"])
    outcome = run(pair, asked)
    assert not outcome.cases[0].verdict.good
