# SPDX-License-Identifier: GPL-2.0-only
"""vsock_perf as a smoke test: all that was asked for has to arrive, and both sides to say so."""

from pathlib import Path

import pytest

from kzc.suites.vsock_perf import parse
from kzc.values import Case, Verdict

DATA = Path(__file__).parents[2] / "data" / "suites"


def lines(name: str = "vsock-perf-copy.log") -> list[str]:
    return (DATA / name).read_text().splitlines()


def changed(old: str, new: str) -> Case:
    text = "\n".join(lines())
    assert old in text
    return parse(text.replace(old, new, 1).splitlines(), status=0)[0]


@pytest.mark.parametrize("log", ["copy", "zerocopy", "copy-counted", "zerocopy-counted"])
def test_recorded(log: str) -> None:
    mode = log.partition("-")[0]
    name = f"vsock_perf {mode}"
    (case,) = parse(lines(f"vsock-perf-{log}.log"), status=0, planned=(name,))
    assert (case.name, case.verdict, case.reason) == (name, Verdict.PASS, "")
    assert case.detail["mode"] == mode
    assert case.detail["bytes"] == 16 << 20
    assert case.detail["rx"] > 0
    assert case.detail["tx"] > 0
    assert case.detail["seconds"] > case.detail["send_seconds"] > 0
    assert ("zerocopied" in case.detail) == (log == "zerocopy-counted")
    assert ("cpu_seconds" in case.detail) == ("loop" in case.detail) == log.endswith("-counted")


def test_completions_and_cpu_time_of_a_sender_that_counts() -> None:
    (case,) = parse(lines("vsock-perf-zerocopy-counted.log"), status=0)
    assert (case.detail["zerocopied"], case.detail["copied"]) == (256, 0)
    assert 0 < case.detail["cpu_seconds"] < case.detail["seconds"]
    assert case.detail["loop"] < case.detail["tx"]


@pytest.mark.parametrize("lied", [False, True])
def test_zerocopy_that_was_all_copied_fails(lied: bool) -> None:
    text = lines("vsock-perf-all-copied.log")
    status = 1
    if lied:
        text, status = ["=== status 0" if line == "=== status 1" else line for line in text], 0
    (case,) = parse(text, status=status)
    words = "zerocopy was asked for, but of 64 completions none was zerocopied"
    assert (case.verdict, case.reason) == (Verdict.FAIL, words)
    assert (case.detail["mode"], case.detail["copied"]) == ("zerocopy", 64)


@pytest.mark.parametrize("end", [137, 139])
def test_a_sender_that_died_is_a_crash_whatever_it_counted(end: int) -> None:
    text = "\n".join(lines("vsock-perf-all-copied.log")).replace("status 1", f"status {end}", 1)
    assert parse(text.split("\n"), status=end)[0].verdict is Verdict.CRASH


@pytest.mark.parametrize("status", [None, 0, 1, 139])
@pytest.mark.parametrize("log", ["copy", "zerocopy-counted"])
def test_a_cut_log_never_passes(log: str, status: int | None) -> None:
    whole = lines(f"vsock-perf-{log}.log")
    for end in range(len(whole)):
        assert not parse(whole[:end], status=status)[0].verdict.good


@pytest.mark.parametrize("status", [1, 137, None])
def test_a_bad_end_never_passes(status: int | None) -> None:
    text = lines()
    marks = [n for n, line in enumerate(text) if line.startswith("=== status")]
    for mark in marks:
        bad = [*text[:mark], *([f"=== status {status}"] if status else []), *text[mark + 1 :]]
        verdict = parse(bad, status=status)[0].verdict
        assert verdict is (Verdict.FAIL if status == 1 else Verdict.CRASH)


def test_bytes_that_did_not_arrive() -> None:
    case = changed("total bytes received: 16777216", "total bytes received: 16711680")
    assert case.verdict is Verdict.FAIL
    assert case.reason == "of 16777216 bytes 16777216 were sent and 16711680 received"
    assert changed("Send 16777216", "Send 33554432").verdict is Verdict.FAIL
    assert changed("total bytes received: 16777216\n", "").reason == "no word of bytes received"


def test_a_sender_that_was_refused() -> None:
    case = parse(
        ["Send 5 bytes", "connect: Connection reset by peer", "=== status 1", "=== server"],
        status=1,
    )[0]
    words = "the sender ended with status 1: connect: Connection reset by peer"
    assert (case.verdict, case.reason) == (Verdict.FAIL, words)


def test_skipped_where_it_has_no_zerocopy() -> None:
    said = ["skipped: no --zerocopy", "=== status 4"]
    case = parse([*said, "=== server", *said], status=4)[0]
    assert case == Case("vsock_perf", Verdict.SKIP, reason="no --zerocopy")


@pytest.mark.parametrize("figure", ["inf", "-nan", "x"])
def test_a_figure_that_is_none_is_left_out(figure: str) -> None:
    text = [
        f"tx performance: {figure} Gbits/s" if line.startswith("tx performance") else line
        for line in lines()
    ]
    case = parse(text, status=0)[0]
    assert case.verdict is Verdict.PASS
    assert "tx" not in case.detail
