# SPDX-License-Identifier: GPL-2.0-only
"""Suites on two ends: both directions, second tries, and what an end has not."""

from __future__ import annotations

from pathlib import Path

import pytest

from kzc.suites.manifest import Suite
from kzc.suites.pair_runner import run_pairs
from kzc.values import Verdict
from tests.unit.suites.ends import make_pair
from tests.unit.suites.talking import SETTING, Ends, reason, run, scripts, suite, talker, verdicts


def test_both_directions(ends: Ends, tmp_path: Path) -> None:
    pair, host, guest = ends
    for end in (host, guest):
        talker(end, ["a", "b/c", "<script>"])
    shown: list[str] = []
    outcome = run_pairs(suite(), pair, SETTING, lambda case: shown.append(case.name))
    assert verdicts(outcome) == {
        f"{direction}/{title}": Verdict.PASS
        for direction in ("H2G", "G2H")
        for title in ("a", "b/c", "<script>")
    }
    assert shown == [case.name for case in outcome.cases]
    assert outcome.verdict is Verdict.PASS, outcome.reason
    assert outcome.detail == {}
    for end, cid in ((host, "4242"), (guest, "2")):
        argv = (Path(end.folder) / "argv").read_text()
        assert f"--peer-cid={cid}" in argv
        assert "--peer-port=51234" in argv
        marks = [line for line in end.log.read_text().splitlines() if "kzc: " in line]
        assert marks == [
            f"kzc: {word} vsock/vsock_test/{direction}"
            for direction in ("H2G", "G2H")
            for word in ("begin", "end")
        ]
    assert not list(tmp_path.glob("kzc-serving-*"))


def test_what_both_texts_know(ends: Ends) -> None:
    pair, host, guest = ends
    say = 'echo "$KZC_DIRECTION $KZC_PEER_CID $KZC_PORT $KZC_CONTROL_HOST $PWD"; exit 1'
    outcome = run(pair, scripts(say, say, ready="none", parser="vsock_test"))
    assert outcome.verdict is Verdict.FAIL
    assert f"H2G 4242 51234 127.0.0.1 {host.folder}" in reason(outcome, "H2G/x exit")
    assert f"G2H 2 51234 127.0.0.1 {guest.folder}" in reason(outcome, "G2H/x exit")


@pytest.mark.parametrize("racy", [{}, {"b": "its wire may be slow"}])
def test_only_what_is_known_to_be_racy_gets_a_second_try(ends: Ends, racy: dict[str, str]) -> None:
    pair, host, guest = ends
    talker(host, ["a", "b", "c", "d"], client_1="fail-once", client_3="fail")
    talker(guest, ["a", "b", "c", "d"])
    found = run(pair, suite(directions=("H2G",), racy=racy))
    b = Verdict.PASS if racy else Verdict.FAIL
    assert list(verdicts(found).values()) == [Verdict.PASS, b, Verdict.PASS, Verdict.FAIL]
    assert ("at the second try (its wire may be slow)" in reason(found, "H2G/b")) is bool(racy)
    assert "hash mismatch" in reason(found, "H2G/b")


@pytest.mark.parametrize("racy", [{}, {"b": "its wire may be slow"}])
def test_where_tests_cannot_be_left_out_the_program_runs_again(
    ends: Ends, racy: dict[str, str]
) -> None:
    pair, host, guest = ends
    talker(host, ["a", "b", "c"], client_1="fail-once")
    talker(guest, ["a", "b", "c"])
    listless = {"list_tests": "", "planned": ("a", "b", "c")}
    found = run(pair, suite(directions=("H2G",), racy=racy, **listless))
    after = [Verdict.PASS] * 2 if racy else [Verdict.FAIL, Verdict.NOT_RUN]
    assert list(verdicts(found).values()) == [Verdict.PASS, *after]
    assert ("at the second try (its wire may be slow)" in reason(found, "H2G/b")) is bool(racy)


def test_a_test_that_fails_twice_has_failed_where_none_can_be_left_out(ends: Ends) -> None:
    pair, host, guest = ends
    talker(host, ["a", "b", "c"], client_1="fail")
    talker(guest, ["a", "b", "c"])
    listless = {"list_tests": "", "planned": ("a", "b", "c")}
    found = run(pair, suite(directions=("H2G",), racy={"b": "its wire may be slow"}, **listless))
    expected = [Verdict.PASS, Verdict.FAIL, Verdict.NOT_RUN]
    assert list(verdicts(found).values()) == expected


@pytest.mark.parametrize("name", ["host", "guest"])
def test_a_program_that_one_end_has_not(tmp_path: Path, name: str) -> None:
    pair, host, guest = make_pair(tmp_path)
    (host if name == "host" else guest).absent = {"prog": "no liburing"}
    build = [{"folder": "t", "make": ["x"], "outputs": ["prog"], "optional": True}]
    asked = Suite.model_validate(
        scripts("true", "true").model_dump(exclude={"build", "pairs"})
        | {
            "build": build,
            "pairs": [
                {
                    "name": "p",
                    "server": "true",
                    "client": "true",
                    "parser": "exit",
                    "needs": "prog",
                },
                {"name": "q", "server": "true", "client": "true", "parser": "exit"}
                | {"ready": "none", "planned": ["q"]},
            ],
        }
    )
    outcome = run(pair, asked)
    assert verdicts(outcome) == {
        "H2G/p": Verdict.SKIP,
        "G2H/p": Verdict.SKIP,
        "H2G/q": Verdict.PASS,
        "G2H/q": Verdict.PASS,
    }
    assert reason(outcome, "H2G/p") == f"prog was not built for the {name}: no liburing"


def test_a_sysctl_that_one_end_does_not_take(ends: Ends) -> None:
    pair, _, _ = ends
    asked = scripts("true", "true").model_copy(update={"sysctls": {"no.such": 1}})
    outcome = run(pair, asked)
    assert outcome.verdict is Verdict.INFRA
    assert "could not be set on the host" in outcome.reason
