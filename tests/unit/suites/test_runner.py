# SPDX-License-Identifier: GPL-2.0-only
"""Running a suite: what is folded into an outcome, and what never reads as a pass."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from kzc.shared import shared_folder
from kzc.suites.fold import settle
from kzc.suites.kernel_log import load_rules
from kzc.suites.manifest import Suite
from kzc.suites.runner import Setting, run_suite
from kzc.values import Answer, Ended, Limits, Verdict

RULES = load_rules(shared_folder("selftests") / "kernel-log.toml")
SETTING = Setting("/kzc/bin", 1.0, {}, RULES)
OOPS = (
    "[    3.000000] BUG: kernel NULL pointer dereference, address: 0000000000000008",
    "[    3.000000] RIP: 0010:sock_cmsg_send+0x1/0x20",
    "[    3.000000] Call Trace:",
    "[    3.000000]  tcp_sendmsg_locked+0x1/0x20",
)
Script = Callable[[str], Answer]


class Guest:
    """Answers each command as a script says."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self.asked: list[str] = []

    def run(self, text: str, limits: Limits) -> Answer:
        self.asked.append(text)
        if "/proc/sys" in text or text in {"true", settle(1.0)}:
            return Answer(Ended.EXIT, 0, (), (), 0.1)
        return self.script(text)


def suite(*names: str, **more: object) -> Suite:
    commands = [
        {"name": name, "run": f"./{name}", "parser": "exit", "planned": [name]} for name in names
    ]
    return Suite.model_validate(
        {"name": "s", "title": "t", "guest": "mini", "commands": commands, **more}
    )


def ended(text: str, status: int = 0, console: Sequence[str] = (), mark: bool = True) -> Answer:
    """A command that ended, with its mark in the kernel log."""
    name = next(word for word in text.split("'") if word.startswith("kzc: begin"))
    end = [f"[    9.000000] {name.replace('begin', 'end')}"] if mark else []
    return Answer(Ended.EXIT, status, (), (f"[    1.000000] {name}", *console, *end), 1.0)


def test_all_good() -> None:
    outcome = run_suite(suite("a", "b"), Guest(ended), SETTING)
    assert outcome.verdict is Verdict.PASS
    assert [case.name for case in outcome.cases] == ["a", "b"]
    assert outcome.reason == ""
    assert outcome.seconds == 2.0


def test_commands_see_the_variables_of_their_setting() -> None:
    guest = Guest(ended)
    told = replace(SETTING, variables={"KZC_IMAGE": "/a path/it's"})
    run_suite(suite("a"), guest, told)
    (text,) = (text for text in guest.asked if "./a" in text)
    assert "KZC_SLOWDOWN=1 KZC_IMAGE='/a path/it'\"'\"'s'\n" in text.replace("; cd", "\n; cd")


def test_a_failure_does_not_stop_the_rest() -> None:
    outcome = run_suite(suite("a", "b"), Guest(lambda t: ended(t, int("./a" in t))), SETTING)
    assert [case.verdict for case in outcome.cases] == [Verdict.FAIL, Verdict.PASS]
    assert outcome.verdict is Verdict.FAIL


def test_a_splat_fails_a_suite_whose_cases_pass() -> None:
    outcome = run_suite(suite("a"), Guest(lambda t: ended(t, console=OOPS)), SETTING)
    assert [case.verdict for case in outcome.cases] == [Verdict.PASS]
    assert outcome.verdict is Verdict.FAIL
    assert "NULL pointer" in outcome.reason
    assert "sock_cmsg_send" in outcome.detail["signature"]


@pytest.mark.parametrize(
    ("how", "verdict"),
    [
        (Ended.PANIC, Verdict.CRASH),
        (Ended.GONE, Verdict.CRASH),
        (Ended.SILENCE, Verdict.TIMEOUT),
        (Ended.TOTAL, Verdict.TIMEOUT),
        (Ended.KILLED, Verdict.INFRA),
        (Ended.STALLED, Verdict.INFRA),
    ],
)
def test_a_dead_guest_ends_the_suite_and_the_rest_was_not_run(how: Ended, verdict: Verdict) -> None:
    def script(text: str) -> Answer:
        return Answer(how, None, (), (), 5.0) if "./b" in text else ended(text)

    guest = Guest(script)
    outcome = run_suite(suite("a", "b", "c"), guest, SETTING)
    assert [case.verdict for case in outcome.cases] == [Verdict.PASS, verdict, Verdict.NOT_RUN]
    assert outcome.verdict is verdict
    assert outcome.detail["signature"] == f"{how}: b"
    assert not any("./c" in text for text in guest.asked)


def test_a_kernel_log_that_was_not_read_to_its_end_is_no_pass() -> None:
    outcome = run_suite(suite("a"), Guest(lambda t: ended(t, mark=False)), SETTING)
    assert outcome.verdict is Verdict.INFRA
    assert "not read to its end" in outcome.reason


@pytest.mark.parametrize("how", [Ended.PANIC, Ended.KILLED])
def test_a_guest_that_dies_before_the_first_command_is_no_sysctls_fault(how: Ended) -> None:
    class Dead(Guest):
        def run(self, text: str, limits: Limits) -> Answer:
            return Answer(how, None, (), OOPS, 0.1)

    outcome = run_suite(suite("a"), Dead(ended), SETTING)
    assert [case.name for case in outcome.cases] == ["exit", "a"]
    assert outcome.cases[1].verdict is Verdict.NOT_RUN
    assert outcome.verdict is (Verdict.CRASH if how is Ended.PANIC else Verdict.FAIL)
    assert "sock_cmsg_send" in outcome.detail["signature"]


def test_a_splat_between_two_commands_is_not_lost() -> None:
    class Listing(Guest):
        def run(self, text: str, limits: Limits) -> Answer:
            if "./list" in text:
                return Answer(Ended.EXIT, 0, ("late",), OOPS, 0.1)
            return super().run(text, limits)

    listed = {"name": "b", "run": "./b", "parser": "exit", "list": "./list"}
    outcome = run_suite(suite("a", commands=[listed]), Listing(ended), SETTING)
    assert "sock_cmsg_send" in outcome.detail["signature"]


@pytest.mark.parametrize(
    ("status", "verdict"), [(2, Verdict.INFRA), (127, Verdict.INFRA), (139, Verdict.CRASH)]
)
def test_a_list_that_fails_is_no_list_of_cases(status: int, verdict: Verdict) -> None:
    class Listing(Guest):
        def run(self, text: str, limits: Limits) -> Answer:
            if "./list" in text:
                return Answer(Ended.EXIT, status, ("ok", "there is no case x"), (), 0.1)
            return super().run(text, limits)

    commands = [
        {"name": "b", "run": "./b", "parser": "ktap", "list": "./list"},
        {"name": "c", "run": "./c", "parser": "exit", "planned": ["c"]},
    ]
    guest = Listing(ended)
    outcome = run_suite(suite(commands=commands), guest, SETTING)
    assert [(case.name, case.verdict) for case in outcome.cases] == [
        ("b", verdict),
        ("c", Verdict.PASS),
    ]
    assert outcome.verdict is verdict
    assert "could not be listed: ok; there is no case x (s" in outcome.cases[0].reason
    assert not any("./b" in text for text in guest.asked)


@pytest.mark.parametrize(
    ("parser", "said", "names"),
    [
        ("vsock_test", ("1\tSOCK_STREAM connection reset",), ["SOCK_STREAM connection reset"]),
        ("exit", (), ["exit"]),
    ],
)
def test_a_list_with_a_status_may_be_one(
    parser: str, said: tuple[str, ...], names: list[str]
) -> None:
    class Listing(Guest):
        def run(self, text: str, limits: Limits) -> Answer:
            if "./list" in text:
                return Answer(Ended.EXIT, 1, said, (), 0.1)
            return super().run(text, limits)

    listed = {"name": "b", "run": "./b", "parser": parser, "list": "./list"}
    guest = Listing(ended)
    outcome = run_suite(suite(commands=[listed]), guest, SETTING)
    assert set(names) <= {case.name for case in outcome.cases}
    assert any("./b" in text for text in guest.asked)


def test_a_finding_says_during_which_command_it_came() -> None:
    guest = Guest(lambda t: ended(t, console=OOPS if "./b" in t else ()))
    outcome = run_suite(suite("a", "b", "c"), guest, SETTING)
    assert outcome.detail["during"] == "s/b"
    assert " during s/b: " in outcome.detail["findings"][0]


KNOWN = {
    **{"name": "oops", "kind": "null-dereference", "pattern": "sock_cmsg_send"},
    **{"why": "w", "mended_by": "m"},
}


def test_a_finding_that_the_suite_knows_is_an_expected_failure() -> None:
    outcome = run_suite(suite("a", known=[KNOWN]), Guest(lambda t: ended(t, console=OOPS)), SETTING)
    assert outcome.verdict is Verdict.PASS
    assert outcome.reason == ""
    known = outcome.cases[-1]
    assert (known.name, known.verdict, known.reason) == ("kernel-log/oops", Verdict.XFAIL, "w")
    assert known.detail["signature"].startswith("null-dereference: sock_cmsg_send")
    assert "findings" not in outcome.detail


def test_a_known_finding_hides_no_other_and_makes_no_case_executed() -> None:
    other = [line.replace("sock_cmsg_send", "vsock_connect") for line in OOPS]
    guest = Guest(lambda t: ended(t, console=[*OOPS, *other]))
    outcome = run_suite(suite("a", known=[KNOWN]), guest, SETTING)
    assert outcome.verdict is Verdict.FAIL
    assert outcome.detail["signature"].startswith("null-dereference: vsock_connect")
    assert len(outcome.detail["findings"]) == 1
    absent = replace(SETTING, absent={"a": "no compiler"})
    skipped = suite("a", known=[KNOWN]).model_copy(deep=True)
    command = skipped.commands[0].model_copy(update={"needs": "a"})
    skipped = skipped.model_copy(update={"commands": (command,)})
    assert run_suite(skipped, guest, absent).reason == "no case was executed"


def test_what_fails_for_want_of_space_says_nothing_of_the_code() -> None:
    full = ["[    8.000000] kzc: no space left on /tmp"]
    guest = Guest(lambda t: ended(t, int("./b" in t), full if "./b" in t else ()))
    outcome = run_suite(suite("a", "b"), guest, SETTING)
    assert [case.verdict for case in outcome.cases] == [Verdict.PASS, Verdict.INFRA]
    assert outcome.cases[1].reason.startswith("no space left on /tmp; ")
    assert outcome.verdict is Verdict.INFRA
    guest = Guest(lambda t: ended(t, 0, [*full, *OOPS]))
    assert run_suite(suite("a"), guest, SETTING).verdict is Verdict.FAIL


def test_a_mark_that_is_late_is_waited_for() -> None:
    class Slow(Guest):
        def run(self, text: str, limits: Limits) -> Answer:
            answer = super().run(text, limits)
            if len(self.asked) > 3 and text == settle(1.0):
                return replace(answer, console=(*OOPS, "kzc: end s/a"))
            return answer

    outcome = run_suite(suite("a"), Slow(lambda t: ended(t, mark=False)), SETTING)
    assert outcome.verdict is Verdict.FAIL
    assert "NULL pointer" in outcome.reason
    assert "not read" not in outcome.reason


def test_a_suite_in_which_everything_is_skipped_is_a_failure() -> None:
    outcome = run_suite(suite("a"), Guest(lambda t: ended(t, status=4)), SETTING)
    assert [case.verdict for case in outcome.cases] == [Verdict.SKIP]
    assert outcome.verdict is Verdict.FAIL
    assert "no case was executed" in outcome.reason


def test_a_command_without_its_program_is_skipped_with_the_reason() -> None:
    build = {"folder": "t", "make": ["x"], "outputs": ["uring"], "optional": True}
    commands = [
        {"name": "u", "run": "./u", "parser": "exit", "needs": "uring"},
        {"name": "a", "run": "./a", "parser": "exit", "planned": ["a"]},
    ]
    asked = suite(build=[build], commands=commands)
    setting = Setting("/kzc/bin", 1.0, {"uring": "no liburing"}, RULES)
    outcome = run_suite(asked, Guest(ended), setting)
    assert [case.verdict for case in outcome.cases] == [Verdict.SKIP, Verdict.PASS]
    assert "no liburing" in outcome.cases[0].reason
    assert outcome.verdict is Verdict.PASS


def test_a_sysctl_that_cannot_be_set_is_the_hosts_fault() -> None:
    class Stubborn(Guest):
        def run(self, text: str, limits: Limits) -> Answer:
            return Answer(Ended.EXIT, 1, ("no such file",), (), 0.1)

    outcome = run_suite(suite("a", sysctls={"net.core.optmem_max": 1}), Stubborn(ended), SETTING)
    assert outcome.verdict is Verdict.INFRA
    assert "no such file" in outcome.reason
