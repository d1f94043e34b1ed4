# SPDX-License-Identifier: GPL-2.0-only
"""Suites on two ends: either end dies, fails or hangs, and the other does not wait for ever."""

from __future__ import annotations

import time

import pytest

from kzc.values import Ended, Verdict
from tests.unit.suites.ends import dead
from tests.unit.suites.talking import Ends, reason, run, scripts, suite, talker, verdicts


@pytest.mark.parametrize("role", ["server", "client"])
def test_a_side_that_a_signal_ends(ends: Ends, role: str) -> None:
    pair, host, guest = ends
    talker(host, ["a", "b", "c"])
    talker(guest, ["a", "b", "c"], **{f"{role}_1": "signal"})
    began = time.monotonic()
    outcome = run(pair, suite(directions=("H2G",) if role == "server" else ("G2H",)))
    assert time.monotonic() - began < 10
    direction = "H2G" if role == "server" else "G2H"
    # the program ended there; what it had left is run without the one that ended it
    assert list(verdicts(outcome).values()) == [Verdict.PASS, Verdict.CRASH, Verdict.PASS]
    said = reason(outcome, f"{direction}/b")
    assert said.startswith(f"{role}: ")
    assert "ended with signal 11" in said
    assert "ended" not in outcome.detail


def test_a_client_that_fails_does_not_leave_its_server_waiting(
    ends: Ends,
) -> None:
    pair, host, guest = ends
    talker(host, ["a", "b", "c"], client_1="fail")
    talker(guest, ["a", "b", "c"], server_1="hang")
    outcome = run(pair, suite(directions=("H2G",)))
    assert list(verdicts(outcome).values()) == [Verdict.PASS, Verdict.FAIL, Verdict.PASS]
    assert reason(outcome, "H2G/b").startswith("client: hash mismatch; server: killed")


def test_a_client_that_hangs_is_killed(ends: Ends) -> None:
    pair, host, guest = ends
    talker(host, ["a", "b"], client_1="hang", server_1="hang")
    talker(guest, ["a", "b"])
    outcome = run(pair, suite(timeout=10))
    assert list(verdicts(outcome).values()) == [Verdict.PASS, Verdict.TIMEOUT] * 2
    assert "its time was up on the host after 1 s" in reason(outcome, "H2G/b")
    assert outcome.verdict is Verdict.TIMEOUT


def test_a_client_that_hangs_in_the_guest_ends_the_suite(
    ends: Ends,
) -> None:
    pair, host, guest = ends
    talker(host, ["a", "b"])
    talker(guest, ["a", "b"], client_1="hang")
    outcome = run(pair, suite(timeout=10, directions=("G2H", "H2G")))
    assert verdicts(outcome) == {
        "G2H/a": Verdict.PASS,
        "G2H/b": Verdict.TIMEOUT,
        "H2G/a": Verdict.NOT_RUN,
        "H2G/b": Verdict.NOT_RUN,
    }


def test_a_server_that_does_not_end_is_no_pass(ends: Ends) -> None:
    pair, _, _ = ends
    asked = scripts("sleep 600", "true", ready="none", directions=["H2G"])
    outcome = run(pair, asked)
    assert list(verdicts(outcome).values()) == [Verdict.TIMEOUT]
    assert "on the guest after 3 s" in outcome.cases[0].reason


@pytest.mark.parametrize("ended", [Ended.PANIC, Ended.GONE, Ended.HOST, Ended.LOST])
@pytest.mark.parametrize("kept", [True, False])
def test_the_guest_goes_in_the_middle(ends: Ends, ended: Ended, kept: bool) -> None:
    """As server its output may be lost with it; what the client saw is the proof then."""
    pair, host, guest = ends
    talker(host, ["a", "b", "c"], client_1="fail")
    talker(guest, ["a", "b", "c"], server_1="hang")

    def gone(text: str, answer: object) -> object:
        found = dead(ended, "talk server")(text, answer)  # type: ignore[arg-type]
        return found if kept else type(found)(ended, None, (), (), 1.0)

    guest.twist_served = gone  # type: ignore[assignment]
    outcome = run(pair, suite())
    found = Verdict.INFRA if ended is Ended.LOST else Verdict.CRASH
    assert list(verdicts(outcome).values()) == [
        Verdict.PASS,
        found,
        Verdict.NOT_RUN,
        *[Verdict.NOT_RUN] * 3,
    ]
    assert outcome.verdict is found
    who = {Ended.HOST: "host", Ended.LOST: "connection to the host"}.get(ended, "guest")
    assert who in reason(outcome, "H2G/b")
    assert (outcome.detail["ended"], outcome.detail["died"]) == (ended.value, who)


def test_the_guest_panics_as_client(ends: Ends) -> None:
    pair, host, guest = ends
    talker(host, ["a", "b"])
    talker(guest, ["a", "b"], client_1="signal")
    guest.twist = dead(Ended.PANIC, "talk client vsock_test")
    with guest.log.open("w") as log:
        log.write("old\n")
    host.twist_served = lambda _text, answer: answer
    outcome = run(pair, suite(directions=("G2H", "H2G")))
    assert list(verdicts(outcome).values()) == [
        Verdict.PASS,
        Verdict.CRASH,
        Verdict.NOT_RUN,
        Verdict.NOT_RUN,
    ]
    assert reason(outcome, "G2H/b") == "the guest died here (panic)"
    assert reason(outcome, "H2G/a") == "the guest was gone before (panic)"


def test_the_guest_is_gone_before_the_first_list(ends: Ends) -> None:
    pair, host, guest = ends
    talker(host, ["a"])
    guest.twist = dead(Ended.GONE, "--list")
    outcome = run(pair, suite())
    assert verdicts(outcome) == {
        "H2G/vsock_test exit": Verdict.CRASH,
        "G2H/vsock_test": Verdict.NOT_RUN,
    }
