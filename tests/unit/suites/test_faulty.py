# SPDX-License-Identifier: GPL-2.0-only
"""A suite under faults: what is allowed to fail, and what never is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from kzc.shared import shared_folder
from kzc.suites.fault_log import places
from kzc.suites.faults import FOLDER, Faults, load_fault_rules
from kzc.suites.kernel_log import load_rules, scan
from kzc.suites.manifest import Suite
from kzc.suites.runner import Setting, run_suite
from kzc.values import Answer, Ended, Limits, Outcome, Verdict

SELFTESTS = shared_folder("selftests")
RULES = load_rules(SELFTESTS / "kernel-log.toml")
FAULTS = Faults(load_fault_rules(SELFTESTS / "faults.toml"), (13, 61))
SETTING = Setting("/kzc/bin", 1.0, {}, RULES, FAULTS)
REPORT = tuple(
    (Path(__file__).parents[2] / "data" / "suites" / "fault-report.log").read_text().splitlines()
)
SEGFAULT = "[    5.000000] prog[91]: segfault at 8 ip 0000000000401000 sp 00007ffd error 4"
WARN = (
    "[    5.100000] WARNING: CPU: 0 PID: 91 at net/core/sock.c:1 sock_wfree+0x1/0x20",
    "[    5.100000] Call Trace:",
    "[    5.100000]  <TASK>",
    "[    5.100000]  tcp_sendmsg_locked+0x1/0x20",
    "[    5.100000]  </TASK>",
)
LEAK = ("[    6.000000] kmemleak: unreferenced object 0xffff888003a5c000 (size 232):",)
Trial = Callable[[str, int], tuple[int, Sequence[str], int]]
"""Case and rate to status, output and number of faults."""


class Guest:
    """Runs trials as a function says; `console` comes with the last text of a command."""

    def __init__(self, trial: Trial, console: Sequence[str] = ()) -> None:
        self.trial = trial
        self.console = tuple(console)
        self.asked: list[str] = []

    def run(self, text: str, limits: Limits) -> Answer:
        self.asked.append(text)
        lines = text.splitlines()
        if "kzc: begin" in text or "kzc: end" in text:
            words = [line.split("'")[1] for line in lines if line.startswith("echo 'kzc: ")]
            marks = [f"[    9.000000] {each}" for each in words]
            before = self.console if "kzc: end" in text else ()
            return Answer(Ended.EXIT, 0, (), (*marks[:-1], *before, marks[-1]), 0.1)
        if "./list" in text:
            return Answer(Ended.EXIT, 0, ("a", "b"), (), 0.1)
        if "/interval" not in text:
            return Answer(Ended.EXIT, 0, (), (), 0.1)
        case = next((line.split("=")[1] for line in lines if "KZC_CASE=" in line), "")
        every = next(
            int(line.split("echo ")[1].split()[0]) for line in lines if "/interval" in line
        )
        status, said, number = self.trial(case, every)
        counts = f"kzc: faults  failslab={number} fail_page_alloc=0 fail_usercopy=0"
        return Answer(Ended.EXIT, status, (*said, "", counts), (), 1.0)


def suite(**more: object) -> Suite:
    command = {"name": "x", "run": "./x", "parser": "exit", "planned": ["x"], **more}
    values = {"name": "s", "title": "t", "guest": "mini", "commands": [command]}
    return Suite.model_validate(values)


def ran(trial: Trial, console: Sequence[str] = (), **more: object) -> Outcome:
    return run_suite(suite(**more), Guest(trial, console), SETTING)


def always(status: int, said: str, number: int) -> Trial:
    return lambda _case, _every: (status, (said,), number)


def test_what_passes_under_faults() -> None:
    outcome = ran(always(0, "fine", 4))
    assert (outcome.subject, outcome.verdict) == ("s under faults", Verdict.PASS)
    assert outcome.reason == "8 faults"
    assert outcome.detail["faults"] == {"failslab": 8, "fail_page_alloc": 0, "fail_usercopy": 0}
    (case,) = outcome.cases
    assert case.verdict is Verdict.PASS
    rounds = {"every 13": "pass, 4 faults", "every 61": "pass, 4 faults"}
    assert case.detail["rounds"] == rounds


@pytest.mark.parametrize(("asked", "rounds"), [((), {"every 7"}), ((13,), {"every 13"})])
def test_a_suites_own_rounds_count_where_none_are_asked_for(
    asked: tuple[int, ...], rounds: set[str]
) -> None:
    own = suite().model_copy(update={"fault_every": (7,), "fault_kinds": ("failslab",)})
    setting = replace(SETTING, faults=replace(FAULTS, every=asked))
    guest = Guest(always(0, "fine", 4))
    (case,) = run_suite(own, guest, setting).cases
    assert set(case.detail["rounds"]) == rounds
    (trial,) = (text for text in guest.asked if "/interval" in text)
    assert "for kind in failslab; do at=/sys/kernel/debug/$kind; echo 100 >$at/prob" in trial


def test_a_wrong_name_of_a_case_is_no_failure_for_want_of_faults() -> None:
    guest = Guest(always(0, "fine", 4))
    listing = Answer(Ended.EXIT, 2, ("there is no case nope",), (), 0.1)
    own = guest.run
    guest.run = lambda text, limits: listing if "./list" in text else own(text, limits)  # type: ignore[method-assign]
    outcome = run_suite(suite(list="./list", planned=[]), guest, SETTING)
    assert outcome.verdict is Verdict.INFRA
    assert "there is no case nope" in outcome.cases[0].reason


def test_without_a_fault_nothing_is_shown() -> None:
    outcome = ran(always(0, "fine", 0))
    assert outcome.verdict is Verdict.FAIL
    assert "no fault was injected" in outcome.reason
    assert outcome.cases[0].verdict is Verdict.SKIP


def test_an_error_that_a_fault_explains_is_allowed_and_said() -> None:
    outcome = ran(lambda _, every: (int(every == 61), ("send: Cannot allocate memory",), 4))
    assert outcome.verdict.good
    (case,) = outcome.cases
    assert case.verdict is Verdict.XFAIL
    assert case.reason == "failed as it may under faults: Cannot allocate memory"
    assert "send: Cannot allocate memory" in case.detail["said"]
    assert case.detail["rounds"]["every 13"] == "pass, 4 faults"


STANDS_STILL = "the migration is active after 480 s, 9 bytes of 34 to go: 5 bytes are not read"
LOST = "the migration is active after 480 s, 9 bytes of 34 to go: a completion that never came?"


@pytest.mark.parametrize(
    ("said", "verdict"),
    [
        (STANDS_STILL, Verdict.XFAIL),
        (f"{STANDS_STILL}; pages of the source's memory are in use after it", Verdict.FAIL),
        (STANDS_STILL.replace("active", "pre-switchover"), Verdict.XFAIL),
        (f"{STANDS_STILL}; after both QEMUs have ended Pinned grew by 8 kB", Verdict.FAIL),
        (LOST, Verdict.FAIL),
        ("the tap: failed a datagram is lost: none came in 24 s", Verdict.XFAIL),
        ("the tap: failed no more data came in 80 s", Verdict.FAIL),
    ],
)
def test_what_a_fault_takes_from_a_guest_or_a_datagram_is_allowed(
    said: str, verdict: Verdict
) -> None:
    (case,) = ran(always(1, said, 4)).cases
    assert case.verdict is verdict


def test_where_every_case_fails_as_it_may_nothing_is_judged() -> None:
    outcome = ran(always(1, "send: Cannot allocate memory", 4))
    assert [case.verdict for case in outcome.cases] == [Verdict.XFAIL]
    assert outcome.verdict is Verdict.FAIL
    assert outcome.reason == "8 faults; nothing was left to judge: no case got through any round"
    assert "--fault-every" in outcome.detail["hint"]


@pytest.mark.parametrize(
    ("said", "number", "reason"),
    [
        ("send: Cannot allocate memory", 0, "no fault was injected"),
        ("it did not work", 4, "no error that a fault explains was said"),
        ("recv: Bad address\nFull peek data mismatch", 4, "wrong data: Full peek data mismatch"),
    ],
)
def test_failures_that_no_fault_explains(said: str, number: int, reason: str) -> None:
    outcome = ran(lambda _case, _every: (1, said.splitlines(), number))
    assert outcome.verdict is Verdict.FAIL
    (case,) = outcome.cases
    assert case.verdict is Verdict.FAIL
    assert case.reason.startswith("every 13: ")
    assert reason in case.reason


def test_a_hang_is_a_failure_though_it_could_be_killed() -> None:
    hung = "kzc: hung x: virtio_transport_wait < __sys_recvmsg"
    outcome = ran(lambda _case, _every: (137, ("recv: Bad address", hung), 4))
    assert outcome.verdict is Verdict.TIMEOUT
    assert "hung until it was killed: x: virtio_transport_wait" in outcome.cases[0].reason


@pytest.mark.parametrize("console", [WARN, LEAK])
def test_a_splat_and_a_leak_are_failures_whatever_the_cases_say(console: Sequence[str]) -> None:
    outcome = ran(always(1, "send: Cannot allocate memory", 4), [*REPORT, *console])
    assert [case.verdict for case in outcome.cases] == [Verdict.XFAIL]
    assert outcome.verdict is Verdict.FAIL
    assert outcome.detail["during"] == "s/x"


def test_a_program_that_does_not_look_at_its_memory_is_excused_only_under_faults() -> None:
    def trial(_case: str, every: int) -> tuple[int, Sequence[str], int]:
        return int(every == 13), ("send: Cannot allocate memory",), 4

    assert ran(trial, [SEGFAULT]).verdict is Verdict.XFAIL
    outcome = run_suite(suite(), Guest(trial, [SEGFAULT]), replace(SETTING, faults=None))
    assert outcome.verdict is Verdict.FAIL
    assert outcome.subject == "s"


def test_cases_are_run_one_by_one_where_the_command_can() -> None:
    guest = Guest(lambda case, _: (int(case == "b"), ("b: Broken pipe",), 2))
    listed = suite(planned=[], list="./list", pick="pick it")
    outcome = run_suite(listed, guest, SETTING)
    assert [(case.name, case.verdict) for case in outcome.cases] == [
        ("a", Verdict.PASS),
        ("b", Verdict.XFAIL),
    ]
    trials = [text for text in guest.asked if "/interval" in text]
    assert len(trials) == 4
    assert all(f"KZC_BIN='{FOLDER}'" in text and "pick it" in text for text in trials)
    assert outcome.reason == "8 faults"


def test_a_guest_that_dies_ends_it_and_what_is_left_was_not_run() -> None:
    class Dying(Guest):
        def run(self, text: str, limits: Limits) -> Answer:
            if "KZC_CASE=b" in text:
                return Answer(Ended.PANIC, None, (), WARN, 1.0)
            return super().run(text, limits)

    listed = suite(planned=[], list="./list", pick="pick it")
    outcome = run_suite(listed, Dying(always(0, "", 2)), SETTING)
    assert [case.verdict for case in outcome.cases] == [Verdict.PASS, Verdict.CRASH]
    assert outcome.verdict is Verdict.CRASH


def test_a_guest_that_cannot_inject_is_no_verdict_on_the_code() -> None:
    class Plain(Guest):
        def run(self, text: str, limits: Limits) -> Answer:
            said = ("this kernel has no /sys/kernel/debug/failslab/require-start",)
            return Answer(Ended.EXIT, 1, said, (), 0.1)

    outcome = run_suite(suite(), Plain(always(0, "", 2)), SETTING)
    assert outcome.verdict is Verdict.INFRA
    assert "failslab/require-start" in outcome.reason
    assert "profile fault" in outcome.detail["hint"]


def test_a_report_of_a_fault_is_no_splat_and_says_where_it_was() -> None:
    assert scan(REPORT, RULES) == ()
    found = places(REPORT, RULES.helpers)
    assert sum(found.values()) > 0
    assert all(place.startswith("fail") and " < " in place for place in found)
    assert not any("should_fail" in place for place in found)


def test_a_report_inside_of_a_splat_is_not_part_of_it() -> None:
    head, tail = WARN[:1], WARN[1:]
    (finding,) = scan([*head, *REPORT, *tail], RULES)
    assert finding.signature == "warning: tcp_sendmsg_locked"
    assert not any("FAULT_INJECTION" in line for line in finding.excerpt)


def test_a_splat_inside_of_a_report_is_found() -> None:
    (finding,) = scan([*REPORT[:8], *WARN, *REPORT[8:]], RULES)
    assert finding.kind == "warning"
