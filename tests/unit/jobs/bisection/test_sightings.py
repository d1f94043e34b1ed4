# SPDX-License-Identifier: GPL-2.0-only
"""What one run of a point says: only the failure that is looked for is bad."""

from __future__ import annotations

import pytest

from kzc.errors import UsageError
from kzc.jobs.bisection.sightings import Seen, Sought, Worse, sighting, sought
from kzc.values import Case, Outcome, Stage, Verdict

UP = Outcome(Stage.BOOT, "mini guest", Verdict.PASS)
PANIC = Outcome(
    Stage.BOOT,
    "mini guest",
    Verdict.CRASH,
    reason="the kernel panicked",
    detail={"signature": "panic: vsock_init"},
)


def ran(
    *cases: Case, verdict: Verdict = Verdict.PASS, signature: str = "", finding: str = ""
) -> tuple[Outcome, Outcome]:
    detail = {
        **({"signature": signature} if signature else {}),
        **({"findings": [finding]} if finding else {}),
    }
    return UP, Outcome(Stage.TEST, "vsock", verdict, cases=cases, detail=detail)


@pytest.mark.parametrize(
    ("verdict", "seen"),
    [
        (Verdict.PASS, Seen.GOOD),
        (Verdict.XFAIL, Seen.GOOD),
        (Verdict.FAIL, Seen.BAD),
        (Verdict.CRASH, Seen.BAD),
        (Verdict.TIMEOUT, Seen.BAD),
        (Verdict.SKIP, Seen.OTHER),
        (Verdict.NOT_RUN, Seen.OTHER),
        (Verdict.INFRA, Seen.OTHER),
    ],
)
def test_a_case_is_good_or_bad_or_says_nothing(verdict: Verdict, seen: Seen) -> None:
    others = Case("another", Verdict.FAIL)
    found = sighting(ran(others, Case("peek", verdict)), Sought("vsock", "peek"))
    assert found.seen is seen


def test_a_case_that_fails_in_another_way_is_another_failure() -> None:
    first = sighting(ran(Case("peek", Verdict.FAIL)), Sought("vsock", "peek"))
    assert first.signature == "fail: peek"
    wanted = Sought("vsock", "peek", first.signature)
    crashed = sighting(ran(Case("peek", Verdict.CRASH)), wanted)
    assert (crashed.seen, crashed.signature) == (Seen.OTHER, "crash: peek")


def test_a_case_that_is_not_there_says_nothing() -> None:
    found = sighting(ran(Case("bind", Verdict.PASS)), Sought("vsock", "peek"))
    assert found.seen is Seen.OTHER
    assert "peek" in found.reason


def test_a_guest_that_does_not_boot_is_bad_only_where_that_is_looked_for() -> None:
    assert sighting((PANIC,), Sought("vsock", "peek")).seen is Seen.UNBOOTABLE
    assert sighting((PANIC,), Sought("boot")).seen is Seen.BAD
    assert sighting((UP,), Sought("boot")).seen is Seen.GOOD
    assert sighting((PANIC,), Sought("boot", signature="panic: other")).seen is Seen.OTHER
    assert sighting((PANIC,), Sought("vsock", signature="vsock_init")).seen is Seen.BAD


def test_a_host_that_broke_says_nothing() -> None:
    broke = Outcome(Stage.BOOT, "mini guest", Verdict.INFRA, reason="a signal ended its QEMU")
    assert sighting((broke,), Sought("boot")).seen is Seen.OTHER
    assert sighting((broke,), Sought("vsock")).seen is Seen.OTHER


def test_a_splat_is_looked_for_by_a_part_of_its_name() -> None:
    wanted = Sought("vsock", signature="vsock_release")
    splat = "KASAN: vsock_release < __sock_release"
    passed = Case("peek", Verdict.PASS)
    bad = ran(passed, verdict=Verdict.FAIL, signature=splat, finding=f"KASAN: ... ({splat})")
    other = ran(passed, verdict=Verdict.FAIL, signature="WARNING: elsewhere", finding="WARNING")
    assert sighting(bad, wanted).seen is Seen.BAD
    assert sighting(other, wanted).seen is Seen.OTHER
    assert sighting(ran(passed), wanted).seen is Seen.GOOD


def test_a_whole_suite_fails_by_its_first_case() -> None:
    outcomes = ran(Case("bind", Verdict.PASS), Case("peek", Verdict.FAIL), verdict=Verdict.PASS)
    found = sighting(outcomes, Sought("vsock"))
    assert (found.seen, found.signature) == (Seen.BAD, "fail: peek")


def test_a_sample_is_measured_and_not_judged() -> None:
    case = Case("perf", Verdict.PASS, detail={"tx": 3.5})
    found = sighting(ran(case), sought("vsock:perf", worse="tx=10%"))
    assert (found.seen, found.value) == (Seen.MEASURED, 3.5)
    failed = Case("perf", Verdict.FAIL, detail={"tx": 3.5})
    assert sighting(ran(failed), sought("vsock:perf", worse="tx=10%")).seen is Seen.OTHER


def test_what_the_options_mean() -> None:
    assert sought("vsock:SOCK_STREAM MSG_PEEK") == Sought("vsock", "SOCK_STREAM MSG_PEEK")
    assert sought("vsock", worse="seconds=+2.5%").worse == Worse("seconds", 2.5, up=True)
    for test, worse in (
        ("", ""),
        (":peek", ""),
        ("vsock", "tx"),
        ("vsock", "tx=5"),
        ("boot", "a=1%"),
    ):
        with pytest.raises(UsageError):
            sought(test, worse=worse)
