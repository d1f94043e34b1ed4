# SPDX-License-Identifier: GPL-2.0-only
"""The table of parsers, the one that knows only an exit status, and what all have in common."""

import pytest

from kzc.suites.lines import Names, message, uniques, whole, with_exit, with_planned
from kzc.suites.parsers import PARSERS
from kzc.values import Case, Verdict


def test_names() -> None:
    assert sorted(PARSERS) == ["exit", "ktap", "msg_zerocopy", "vsock_perf", "vsock_test"]
    assert len(PARSERS) == 5
    assert "nothing" not in PARSERS
    with pytest.raises(KeyError):
        PARSERS["nothing"]


@pytest.mark.parametrize("name", sorted(PARSERS))
def test_nothing_passes_without_output_and_end(name: str) -> None:
    cases = PARSERS[name]([], status=None, planned=("a",))
    assert cases
    assert not any(case.verdict.good for case in cases)


@pytest.mark.parametrize(
    ("status", "verdict", "reason"),
    [
        (0, Verdict.PASS, ""),
        (4, Verdict.SKIP, "no such device"),
        (1, Verdict.FAIL, "it ended with status 1: no such device"),
        (139, Verdict.CRASH, "it ended with signal 11: no such device"),
        (None, Verdict.CRASH, "it did not end by itself"),
    ],
)
def test_exit(status: int | None, verdict: Verdict, reason: str) -> None:
    lines = ["all ok", "no such device", ""]
    assert PARSERS["exit"](lines, status=status) == (Case("exit", verdict, reason=reason),)
    assert PARSERS["exit"](lines, status=status, planned=("a",))[0].name == "a"


def test_planned_names_out_of_a_list() -> None:
    assert PARSERS.names("vsock_test", ["ID\tTest name", "0\ta b"]) == ("a b",)
    assert PARSERS.names("msg_zerocopy", ["tcp/ipv4/copy", "", " x "]) == ("tcp/ipv4/copy", "x")


def test_names_are_unique_and_the_same_each_time() -> None:
    names = ["a", "a", "a#2", "a", "b", "a#2"]
    assert uniques(names) == ("a", "a#2", "a#2#2", "a#3", "b", "a#2#3")
    assert uniques(names) == uniques(names)
    pool = Names()
    assert [pool.unique("x"), pool.unique("x")] == ["x", "x#2"]


def test_torn_lines() -> None:
    assert whole(["a\n", "b"], None) == ["a"]
    assert whole(["a\n", "b"], 139) == ["a"]
    assert whole(["a\n", "b"], 0) == ["a", "b"]
    assert whole(["a\r\n", "b\r\n"], None) == ["a", "b"]
    assert whole(["a", "b"], None) == ["a", "b"]


def test_a_message_follows_the_last_timestamp() -> None:
    assert message("[   12.345678][  T123] BUG: x") == "BUG: x"
    assert message("3 - title...[   12.345678] BUG: x") == "BUG: x"
    assert message("[ BUG: Invalid wait context ]") == "[ BUG: Invalid wait context ]"


def test_the_plan_gives_the_order() -> None:
    cases = (Case("b", Verdict.PASS), Case("x", Verdict.PASS))
    assert [case.name for case in with_planned(cases, ("a", "b"))] == ["a", "b", "x"]
    assert with_planned(cases, ()) == cases


def test_a_fault_is_shown_once() -> None:
    good, bad = Case("a", Verdict.PASS), Case("b", Verdict.FAIL)
    assert with_exit((good,), "status 1")[-1] == Case("exit", Verdict.FAIL, reason="status 1")
    assert with_exit((good, bad), "status 1") == (good, bad)
    assert with_exit((good,), "") == (good,)
