# SPDX-License-Identifier: GPL-2.0-only
"""msg_zerocopy.sh's output as recorded, cut at every line, with killed and silent programs."""

from pathlib import Path

import pytest

from kzc.suites.msg_zerocopy import parse
from kzc.values import Case, Verdict

DATA = Path(__file__).parents[2] / "data" / "suites"
TX, RX = "tx=10 (2 MB) txc=0 zc=n", "rx=9 (1 MB)"
ZTX = "tx=10 (2 MB) txc=10 zc=n"
UNSUPPORTED = "./msg_zerocopy: setsockopt 1.60: 1: Operation not supported"


def read(name: str) -> list[str]:
    return (DATA / name).read_text().splitlines()


def call(*lines: str, script: int | None = 0, status: int | None = 0) -> tuple[Case, ...]:
    end = () if script is None else (f"=== status {script}",)
    return parse(["=== 4 tcp", *lines, *end], status=status)


def copy(*lines: str, script: int = 0) -> Case:
    return call("ipv4 tcp -t 1", *lines, script=script)[0]


def zero(*lines: str, script: int = 0) -> Case:
    return call("ipv4 tcp -z -t 1", *lines, script=script)[0]


def test_six_protocols_over_both_ip_versions() -> None:
    cases = parse(read("msg-zerocopy-six.log"), status=0)
    assert len({case.name for case in cases}) == len(cases) == 24
    found = {case.name: case for case in cases}
    assert found["tcp/ipv6/zerocopy"] == Case(
        "tcp/ipv6/zerocopy",
        Verdict.PASS,
        detail={
            "proto": "tcp",
            "ip": 6,
            "mode": "zerocopy",
            "tx": 72162,
            "tx_mb": 4503,
            "txc": 72162,
            "zc": "n",
            "rx": 17809,
            "rx_mb": 4503,
        },
    )
    for case in cases:
        unsupported = case.detail["mode"] == "zerocopy" and case.detail["proto"] not in "tcp udp"
        assert case.verdict is (Verdict.SKIP if unsupported else Verdict.PASS)
        assert ("Operation not supported" in case.reason) is unsupported


@pytest.mark.parametrize("name", ["msg-zerocopy-six.log", "msg-zerocopy-tcp.log"])
@pytest.mark.parametrize("status", [None, 0, 1])
def test_a_cut_log_proves_no_more_than_its_whole_lines(name: str, status: int | None) -> None:
    lines = read(name)
    planned = tuple(case.name for case in parse(lines, status=0))
    for end in range(len(lines)):
        head = lines[:end]
        cases = parse(head, status=status, planned=planned)
        assert tuple(case.name for case in cases) == planned
        passed = [case for case in cases if case.verdict is Verdict.PASS]
        assert len(passed) <= sum(line.startswith("tx=") for line in head)
        assert len(passed) <= sum(line.startswith("rx=") for line in head)
        last = head[-1] if head else ""
        if last.startswith(("ipv", "=== 4", "=== 6", "tx=", "cpu")) and "-z" not in last:
            running = [case for case in cases if case.verdict is not Verdict.NOT_RUN][-1]
            assert running.verdict is Verdict.CRASH


@pytest.mark.parametrize("name", ["msg-zerocopy-tcp.log"])
def test_a_log_cut_at_any_byte(name: str) -> None:
    text = (DATA / name).read_text()
    for end in range(len(text)):
        head = text[:end]
        whole = head[: head.rfind("\n") + 1]
        cases = parse(head.splitlines(keepends=True), status=None)
        assert sum(case.verdict is Verdict.PASS for case in cases) <= whole.count("\nrx=")


def test_a_killed_sender_is_a_crash_though_data_arrived() -> None:
    planned = ("udp/ipv4/copy", "udp/ipv4/zerocopy", "udp/ipv4/sendmsg-notification")
    cases = parse(read("msg-zerocopy-killed.log"), status=139, planned=planned)
    assert [case.verdict for case in cases] == [Verdict.PASS, Verdict.CRASH, Verdict.NOT_RUN]
    assert "Segmentation fault" in cases[1].reason
    assert cases[1].detail["rx"] == 37147


@pytest.mark.parametrize("script", [0, 1, 137])
def test_only_a_receiver(script: int) -> None:
    assert zero(RX, script=script).verdict is Verdict.CRASH


def test_a_sender_and_no_receiver() -> None:
    case = copy(TX)
    assert (case.verdict, case.reason) == (
        Verdict.CRASH,
        "the receiver went without its rx= line",
    )


@pytest.mark.parametrize(
    ("case", "verdict", "reason"),
    [
        (copy(TX, RX), Verdict.PASS, ""),
        (copy(RX, TX), Verdict.PASS, ""),
        (zero(ZTX, RX), Verdict.PASS, ""),
        (copy(TX, "rx=0 (0 MB)"), Verdict.FAIL, "nothing was received"),
        (zero(TX, RX), Verdict.FAIL, "no zerocopy completion came"),
        (copy(TX, RX, script=1), Verdict.FAIL, "the script ended with status 1"),
        (copy(TX, RX, script=139), Verdict.CRASH, "a test program died: signal 11"),
        (copy(TX, RX, RX), Verdict.FAIL, "more than one receiver reported"),
        (copy(TX, "./msg_zerocopy: recv: data mismatch"), Verdict.FAIL, "recv: data mismatch"),
        (
            zero("./msg_zerocopy: send: Bad address", RX, script=1),
            Verdict.FAIL,
            "send: Bad address",
        ),
        (zero(UNSUPPORTED, "rx=0 (0 MB)", script=1), Verdict.SKIP, UNSUPPORTED[16:]),
        (zero(UNSUPPORTED, script=0), Verdict.SKIP, UNSUPPORTED[16:]),
        (copy(UNSUPPORTED, script=1), Verdict.FAIL, UNSUPPORTED[16:]),
        (zero(UNSUPPORTED, "line 3: 12 Killed x", script=1), Verdict.CRASH, ""),
    ],
)
def test_verdicts(case: Case, verdict: Verdict, reason: str) -> None:
    assert case.verdict is verdict
    assert reason in case.reason


def test_lost_notifications_are_shown() -> None:
    case = zero("missing notifications: 8 < 10", ZTX, RX)
    assert case.reason == "missing notifications: 8 < 10"
    assert case.detail["missing"] == "8 < 10"


def test_notifications_from_sendmsg() -> None:
    cases = call("ipv4 tcp -z -t 1", ZTX, RX, "ipv4 tcp -Z -t 1", f"{ZTX} txs=7", RX, "ok")
    assert [case.name for case in cases] == ["tcp/ipv4/zerocopy", "tcp/ipv4/sendmsg-notification"]
    assert cases[1].detail["txs"] == 7
    assert "txs" not in cases[0].detail
    late = "./msg_zerocopy: no completion returned by sendmsg"
    case = call("ipv4 tcp -Z -t 1", f"{ZTX} txs=0", late, RX, script=1)[0]
    assert (case.verdict, case.reason) == (Verdict.FAIL, "no completion returned by sendmsg")


def test_kernel_lines_in_between_and_glued_on() -> None:
    stamp = "[   12.345678] veth0: entered promiscuous mode"
    assert copy(stamp, f"{TX} {stamp}", f"[   12.3{stamp}", RX).verdict is Verdict.PASS
    assert copy(f"{TX}rx=1", "").verdict is Verdict.CRASH


def test_a_line_of_a_receiver_left_behind_counts_for_nobody() -> None:
    lines = ["=== 4 tcp", "ipv4 tcp -t 1", TX, "=== status 1", RX, "=== 6 tcp", "ipv6 tcp -t 1", TX]
    cases = parse([*lines, "=== status 0"], status=0)
    assert [case.verdict for case in cases] == [Verdict.CRASH, Verdict.CRASH]


def test_a_script_that_comes_to_no_test() -> None:
    case = call('Cannot find device "veth0"', script=1)[0]
    assert (case.name, case.verdict) == ("tcp/ipv4/copy", Verdict.FAIL)
    assert 'Cannot find device "veth0"' in case.reason


def test_a_mark_glued_to_a_torn_line() -> None:
    cases = call("ipv4 tcp -t 1", TX, RX, "ipv4 tcp -z -t 1", "tx=1=== status 139", script=None)
    assert [case.verdict for case in cases] == [Verdict.PASS, Verdict.CRASH]


def test_the_script_alone_without_marks() -> None:
    lines = ["ipv4 tcp -t 1", TX, RX, "ipv4 tcp -z -t 1", ZTX, RX, "ok"]
    assert [case.verdict for case in parse(lines, status=0)] == [Verdict.PASS] * 2
    assert [case.verdict for case in parse(lines[:5], status=None)] == [Verdict.PASS, Verdict.CRASH]


def test_the_same_call_twice_has_two_names() -> None:
    lines = ["=== 4 tcp", "ipv4 tcp -t 1", TX, RX, "=== status 0"] * 2
    assert [case.name for case in parse(lines, status=0)] == ["tcp/ipv4/copy", "tcp/ipv4/copy#2"]


def test_nothing() -> None:
    assert parse([], status=None) == ()
    assert parse([], status=None, planned=("tcp/ipv4/copy",))[0].verdict is Verdict.NOT_RUN


def test_what_the_script_did_not_come_to_after_an_unsupported_mode_is_skipped_too() -> None:
    lines = [
        "=== 4 raw",
        "ipv4 raw ",
        "tx=10 (1 MB) txc=0 zc=n",
        "rx=10 (1 MB)",
        "ipv4 raw -z ",
        "./msg_zerocopy: setsockopt 1.60: 1: Operation not supported",
        "=== status 1",
    ]
    planned = ("raw/ipv4/copy", "raw/ipv4/zerocopy", "raw/ipv4/sendmsg-notification")
    cases = parse(lines, status=0, planned=planned)
    assert [case.verdict for case in cases] == [Verdict.PASS, Verdict.SKIP, Verdict.SKIP]
    assert cases[2].reason == cases[1].reason
    assert cases[2].detail == {"proto": "raw", "ip": 4, "mode": "sendmsg-notification"}
    # but a script that was cut proves nothing about what would have come
    cut = parse(lines[:4], status=None, planned=planned)
    assert [case.verdict for case in cut[1:]] == [Verdict.NOT_RUN, Verdict.NOT_RUN]


def udp(*lines: str, script: int = 0) -> tuple[Case, ...]:
    return parse(["=== 4 udp", *lines, f"=== status {script}"], status=0)


def test_a_sender_without_a_receiver_needs_none() -> None:
    both = udp("ipv4 udp -z  tx-rx", ZTX, RX, "ipv4 udp -z  tx-only", "tx=7 (1 MB) txc=7 zc=y")
    assert [(case.name, case.verdict) for case in both] == [
        ("udp/ipv4/zerocopy", Verdict.PASS),
        ("udp/ipv4/zerocopy-tx-only", Verdict.PASS),
    ]
    assert both[1].detail["zc"] == "y"
    assert "rx" not in both[1].detail


def test_without_a_receiver_it_is_still_judged() -> None:
    (silent,) = udp("ipv4 udp -z  tx-only")
    assert silent.verdict is Verdict.CRASH
    assert silent.reason == "the sender went without its tx= line"
    (none,) = udp("ipv4 udp -n  tx-only", "tx=7 (1 MB) txc=0 zc=n txs=0")
    assert (none.verdict, none.reason) == (Verdict.FAIL, "no zerocopy completion came")
    assert none.detail["mode"] == "sendmsg-notification"


def test_copied_where_it_should_not_be() -> None:
    first, second = udp(
        "ipv4 udp -z  tx-only",
        "serr: ee_code: 0 != expected 1",
        "tx=7 (1 MB) txc=7 zc=n",
        "ipv4 udp -n  tx-rx",
        "tx=7 (1 MB) txc=7 zc=n txs=5",
        RX,
    )
    assert (first.verdict, first.reason) == (Verdict.FAIL, "serr: ee_code: 0 != expected 1")
    assert (second.verdict, second.detail["txs"]) == (Verdict.PASS, 5)
