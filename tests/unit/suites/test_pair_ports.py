# SPDX-License-Identifier: GPL-2.0-only
"""Suites on two ends: a server that is not ready, and control ports that are taken."""

from __future__ import annotations

import socket
from pathlib import Path

from kzc.values import Verdict
from tests.unit.suites.ends import free_port, make_pair
from tests.unit.suites.talking import Ends, reason, run, scripts, suite, talker, verdicts


def test_a_server_that_is_never_ready(ends: Ends) -> None:
    pair, _, guest = ends
    outcome = run(pair, scripts("echo waiting; sleep 600", "exit 9", directions=["H2G"]))
    assert verdicts(outcome) == {"H2G/x": Verdict.NOT_RUN, "H2G/x exit": Verdict.TIMEOUT}
    assert "server on the guest did not listen" in reason(outcome, "H2G/x exit")
    assert reason(outcome, "H2G/x exit").endswith("waiting")
    assert not any("exit 9" in text for text in guest.asked)


def test_a_server_that_ends_before_it_listens(ends: Ends) -> None:
    pair, _, _ = ends
    outcome = run(pair, scripts("echo no vsock here; exit 3", "true", directions=["H2G"]))
    assert outcome.verdict is Verdict.FAIL
    words = "ended with status 3 before it listened: no vsock here"
    assert words in reason(outcome, "H2G/x exit")


def test_a_control_port_that_was_taken_in_between(tmp_path: Path) -> None:
    with socket.socket() as stranger:
        stranger.bind(("127.0.0.1", 0))
        stranger.listen()
        taken = int(stranger.getsockname()[1])
        ports = [taken, free_port()]
        pair, host, guest = make_pair(tmp_path, ports=lambda: ports.pop(0))
        for end in (host, guest):
            talker(end, ["a"])
        outcome = run(pair, suite(directions=("G2H",)))
    assert verdicts(outcome) == {"G2H/a": Verdict.PASS}
    assert ports == []
    assert outcome.verdict is Verdict.PASS, outcome.reason


def test_control_ports_that_are_always_taken(tmp_path: Path) -> None:
    asked: list[int] = []

    def next_port() -> int:
        asked.append(free_port())
        return asked[-1]

    pair, _, _ = make_pair(tmp_path, ports=next_port)
    words = "echo bind: Address already in use; exit 1"
    outcome = run(pair, scripts(words, "true", directions=["G2H"]))
    assert verdicts(outcome) == {"G2H/x": Verdict.INFRA}
    assert len(asked) == 3
    assert f"control port {', '.join(map(str, asked))} on the host" in outcome.cases[0].reason
