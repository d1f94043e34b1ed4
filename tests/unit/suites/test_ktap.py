# SPDX-License-Identifier: GPL-2.0-only
"""KTAP as the kernel's tests print it: nested in three ways, cut, doubled, with plans anywhere."""

import pytest

from kzc.suites.ktap import parse
from kzc.values import Case, Verdict

KSELFTEST = """\
TAP version 13
1..4
# timeout set to 45
# selftests: net: alpha.sh
# TAP version 13
# 1..3
# ok 1 first
# # ok so far, a diagnostic
# not ok 2 second # got 3
# ok 3 # SKIP third
# # Totals: pass:1 fail:1 xfail:0 xpass:0 skip:1 error:0
not ok 1 selftests: net: alpha.sh # exit=1
# selftests: net: beta
# ok everything looks fine
ok 2 selftests: net: beta # SKIP
# selftests: net: gamma
#
not ok 3 selftests: net: gamma # TIMEOUT 45 seconds
# selftests: net: delta
# Segmentation fault
not ok 4 selftests: net: delta # exit=139
"""


def run(text: str, status: int | None = 0, planned: tuple[str, ...] = ()) -> tuple[Case, ...]:
    cases = parse(text.splitlines(), status=status, planned=planned)
    assert len({case.name for case in cases}) == len(cases)
    return cases


def verdicts(text: str, status: int | None = 0) -> dict[str, str]:
    return {case.name: case.verdict.value for case in run(text, status)}


def test_the_kselftest_runner() -> None:
    assert verdicts(KSELFTEST) == {
        "selftests: net: alpha.sh": "fail",
        "selftests: net: alpha.sh/first": "pass",
        "selftests: net: alpha.sh/second": "fail",
        "selftests: net: alpha.sh/third": "skip",
        "selftests: net: beta": "skip",
        "selftests: net: gamma": "timeout",
        "selftests: net: delta": "crash",
    }
    alpha, _, second, *_ = run(KSELFTEST)
    assert alpha.detail == {"exit": 1}
    assert second.reason == "got 3"


def test_a_cut_at_every_line_passes_no_more_than_whole_lines() -> None:
    lines = KSELFTEST.splitlines()
    for end in range(1, len(lines)):
        cases = parse(lines[:end], status=None)
        good = sum(line.lstrip("# ").startswith("ok ") for line in lines[:end])
        assert sum(case.verdict is Verdict.PASS for case in cases) <= good
        assert any(case.verdict is Verdict.CRASH for case in cases)


def test_what_ran_when_it_was_cut_is_the_crash() -> None:
    lines = KSELFTEST.splitlines()[:7]
    assert verdicts("\n".join(lines), None) == {
        "selftests: net: alpha.sh": "crash",
        "selftests: net: alpha.sh/first": "pass",
        "selftests: net: alpha.sh/test 2": "crash",
        "selftests: net: alpha.sh/test 3": "not_run",
        "test 2": "not_run",
        "test 3": "not_run",
        "test 4": "not_run",
    }


def test_a_test_announced_and_never_ended() -> None:
    text = "1..2\nok 1 selftests: net: a\n# selftests: net: b"
    assert verdicts(text, None)["selftests: net: b"] == "crash"
    assert verdicts(text, 0)["selftests: net: b"] == "crash"


def test_indented_subtests_of_ktap_1() -> None:
    text = """\
KTAP version 1
1..2
  KTAP version 1
  1..2
    KTAP version 1
    1..1
    # deep: initializing
    ok 1 deepest
  ok 1 inner
  not ok 2 - other
ok 1 outer
ok 2 last
"""
    assert verdicts(text) == {
        "outer": "pass",
        "outer/inner": "pass",
        "outer/inner/deepest": "pass",
        "outer/other": "fail",
        "last": "pass",
    }


@pytest.mark.parametrize("prefix", ["[    0.060000] ", "[   12.345678][  T123] "])
def test_kunit_in_the_kernel_log(prefix: str) -> None:
    text = [
        "TAP version 14",
        "1..2",
        "\t# Subtest: suite",
        "\t1..2",
        "\tok 1 - a",
        "\tok 2 - b",
        "ok 1 - suite",
        "\t# Subtest: other",
        "\t1..2",
        "\tok 1 - c",
        "\tKernel panic - not syncing: VFS: Unable to mount root fs",
    ]
    assert verdicts("\n".join(prefix + line for line in text), None) == {
        "suite": "pass",
        "suite/a": "pass",
        "suite/b": "pass",
        "other": "crash",
        "other/c": "pass",
        "other/test 2": "crash",
    }


def test_kernel_lines_in_between_and_glued_on() -> None:
    text = """\
TAP version 13
1..3
[   12.345678] ok 1 not a result of this document
ok 1 first[   12.345678] BUG: something
[   12.345679] <TASK>
ok 2 second [array] #2
ok 3 third # SKIP why [   12.345680] eth0: up
"""
    cases = run(text)
    assert [case.name for case in cases] == ["first", "second [array] #2", "third"]
    assert cases[2].reason == "why"


def test_doubled_names_and_numbers() -> None:
    text = "1..4\nok 1 a\nok 1 a\nnot ok 2 a\nok 2 a#2"
    assert verdicts(text) == {"a": "pass", "a#2": "pass", "a#3": "fail", "a#2#2": "pass"}
    assert verdicts(text) == verdicts(text)


def test_not_ok_0_is_a_failure_and_fills_no_place() -> None:
    assert verdicts("1..1\nnot ok 0 setup") == {"setup": "fail", "test 1": "not_run"}


@pytest.mark.parametrize(
    ("text", "missing"),
    [
        ("1..2\nok 1 a\nok 2 b", []),
        ("ok 1 a\nok 2 b\n1..2", []),
        ("1..2\nok 1 a\nok 2 b\n1..2", []),
        ("1..1\n1..2\nok 1 a\nok 2 b", []),
        ("ok 1 a\nok 2 b", []),
        ("1..3\nok 1 a\nok 2 b", ["test 3"]),
        ("ok 1 a\nok 2 b\n1..4", ["test 3", "test 4"]),
        ("1..3\nok 1 a\nok 3 b", ["test 2"]),
        ("1..2\nok 1 a\nok 2 b\n1..3\nok 1 c", ["test 2", "test 3"]),
        ("1..2\nok 1 a\n1..2\nok 2 b", []),
        ("TAP version 13\n1..2\nok 1 a\nTAP version 13\n1..1\nok 1 b", ["test 2"]),
    ],
)
def test_plans_first_last_twice_or_none(text: str, missing: list[str]) -> None:
    found = verdicts(text)
    assert [name for name, verdict in found.items() if verdict == "not_run"] == missing
    assert set(found.values()) <= {"pass", "not_run"}


@pytest.mark.parametrize(
    ("line", "verdict", "name", "reason"),
    [
        ("ok 1 a # SKIP no ipv6", "skip", "a", "no ipv6"),
        ("ok 1 a # skip: no ipv6", "skip", "a", "no ipv6"),
        ("ok 1 a #SKIP", "skip", "a", ""),
        ("not ok 1 a # SKIP", "skip", "a", ""),
        ("ok 1 # SKIP a", "skip", "a", ""),
        ("ok 1 # XFAIL a", "xfail", "a", ""),
        ("not ok 1 a # XFAIL known", "xfail", "a", "known"),
        ("not ok 1 a # TODO later", "xfail", "a", "later"),
        ("ok 1 a # TODO later", "pass", "a", "later"),
        ("ok 1 a # XPASS", "pass", "a", ""),
        ("not ok 1 # error a", "fail", "a", ""),
        ("not ok 1 a # TIMEOUT 45 seconds", "timeout", "a", "45 seconds"),
        ("not ok 1 a # Create NS failed", "fail", "a", "Create NS failed"),
        ("ok 1 - a", "pass", "a", ""),
        ("ok 1", "pass", "1", ""),
        ("ok 1 -", "pass", "1", ""),
        ("ok - a", "pass", "a", ""),
        ("not ok a", "fail", "a", ""),
        (r"ok 1 a \# SKIP b", "pass", "a # SKIP b", ""),
        ("ok 1 -1 is refused", "pass", "-1 is refused", ""),
        ("ok 1 a\r", "pass", "a", ""),
    ],
)
def test_results(line: str, verdict: str, name: str, reason: str) -> None:
    (case,) = parse([line], status=0)
    assert (case.verdict.value, case.name, case.reason) == (verdict, name, reason)


@pytest.mark.parametrize(
    "line", ["ok so far", "ok", "okay 1 a", "# ok all good", "# not ok here", "x ok 1 a"]
)
def test_prose_is_no_result(line: str) -> None:
    assert parse([line], status=0) == ()


def test_time_becomes_seconds() -> None:
    case = run("ok 1 a # SKIP slow # time=1500ms")[0]
    assert (case.seconds, case.reason, case.detail["time"]) == (1.5, "slow", "1500ms")


def test_metadata_of_ktap_2_survives() -> None:
    text = """\
KTAP version 2
#:ktap_test: main
#:ktap_arch: uml
1..1
  KTAP version 2
  #:ktap_test: suite_1
  #:ktap_subsystem: example
  1..2
  ok 1 test_1
  #:ktap_test: test_2
  #:ktap_speed: very_slow
  # test_2 has begun
  #:custom_is_flaky: true
  ok 2 test_2
ok 1 suite_1
"""
    suite, first, second = run(text)
    assert suite.detail == {
        "document": {"ktap_test": "main", "ktap_arch": "uml"},
        "ktap_test": "suite_1",
        "ktap_subsystem": "example",
    }
    assert first.detail == {}
    assert second.detail == {
        "ktap_test": "test_2",
        "ktap_speed": "very_slow",
        "custom_is_flaky": "true",
    }


def test_metadata_behind_the_runners_prefix() -> None:
    text = "1..1\n# KTAP version 2\n# 1..1\n# #:ktap_speed: slow\n# ok 1 a\nok 1 t"
    assert run(text)[1].detail == {"ktap_speed": "slow"}


def test_bail_out() -> None:
    cases = run("1..3\nok 1 a\nBail out! no memory", None)
    assert [(case.name, case.verdict.value) for case in cases] == [
        ("a", "pass"),
        ("Bail out!", "fail"),
        ("test 2", "not_run"),
        ("test 3", "not_run"),
    ]
    assert cases[1].reason == "no memory"
    nested = "1..1\n# 1..2\n# Bail out! no veth\nnot ok 1 t # exit=1"
    assert verdicts(nested)["t/Bail out!"] == "fail"


def test_everything_skipped() -> None:
    case = run("TAP version 13\n1..0 # SKIP no module", 4)[0]
    assert (case.name, case.verdict.value, case.reason) == ("all tests", "skip", "no module")
    nested = run("1..1\n# TAP version 13\n# 1..0 # SKIP no module\nok 1 t # SKIP")
    assert [(c.name, c.verdict.value, c.reason) for c in nested] == [("t", "skip", "no module")]


def test_no_final_newline_after_a_crash() -> None:
    lines = ["1..2\n", "ok 1 first\n", "ok 2 sec"]
    assert [case.verdict.value for case in parse(lines, status=None)] == ["pass", "crash"]
    assert [case.verdict.value for case in parse(lines, status=139)] == ["pass", "not_run", "crash"]
    assert [case.name for case in parse(lines, status=0)] == ["first", "sec"]


@pytest.mark.parametrize(("status", "verdict"), [(1, "fail"), (139, "crash")])
def test_a_bad_status_behind_good_results(status: int, verdict: str) -> None:
    assert verdicts("1..1\nok 1 a", status) == {"a": "pass", "exit": verdict}
    assert verdicts("1..1\nnot ok 1 a", status) == {"a": "fail"}


@pytest.mark.parametrize("status", [0, 2, 3, 4])
def test_statuses_of_kselftest_that_are_no_fault(status: int) -> None:
    assert verdicts("1..1\nok 1 a", status) == {"a": "pass"}


def test_nothing_at_all() -> None:
    assert run("no test output", 0) == ()
    assert verdicts("", None) == {"exit": "crash"}
    assert verdicts("TAP version 13", None) == {"test 1": "crash"}


def test_a_complete_plan_was_not_cut() -> None:
    assert verdicts("1..1\nok 1 a\n[ 1.000000] reboot", None) == {"a": "pass"}


def test_planned_names_that_never_came() -> None:
    cases = run("ok 1 b\nok 2 x", 0, ("a", "b"))
    assert [(case.name, case.verdict.value) for case in cases] == [
        ("a", "not_run"),
        ("b", "pass"),
        ("x", "pass"),
    ]


def test_what_has_a_number_in_the_plan_and_a_name_in_the_list_is_one_case() -> None:
    text = "1..4\nok 1 a\nnot ok 2 b"
    cases = run(text, None, ("a", "b", "c", "d"))
    assert [(case.name, case.verdict.value) for case in cases] == [
        ("a", "pass"),
        ("b", "fail"),
        ("c", "crash"),
        ("d", "not_run"),
    ]
    bailed = {
        case.name: case.verdict.value for case in run(f"{text}\nBail out! no", 1, tuple("abcd"))
    }
    assert bailed == {"a": "pass", "b": "fail", "c": "not_run", "d": "not_run", "Bail out!": "fail"}


def test_where_plan_and_list_differ_none_gets_the_others_name() -> None:
    found = {case.name for case in run("1..3\nok 1 a", None, ("a", "b"))}
    assert found == {"a", "b", "test 2", "test 3"}


def test_many_lines_of_blanks_and_hashes_take_no_time() -> None:
    assert parse(["# " * 50_000 + "x", " " * 100_000 + "x", "\t#" * 50_000], status=0) == ()


def test_a_deep_document() -> None:
    depth = 3000
    lines = [f"{'  ' * level}ok 1 n" for level in range(depth, -1, -1)]
    assert len(parse(lines, status=0)) == depth + 1
