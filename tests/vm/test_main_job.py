# SPDX-License-Identifier: GPL-2.0-only
"""From the series and Debian's kernel source to a verdict."""

from collections import Counter
from typing import Any

import pytest

from tests.vm.conftest import SERIES, TRANSPORTS, TREE, Kzc

pytestmark = pytest.mark.vm


def cases(report: dict[str, Any], subject: str) -> dict[str, dict[str, Any]]:
    tests = [o for o in report["outcomes"] if o["stage"] == "test" and o["subject"] == subject]
    assert len(tests) == 1
    return {case["name"]: case for case in tests[0]["cases"]}


def test_the_series_passes_on_debians_kernel(kzc: Kzc, built: str) -> None:
    done = kzc("run", SERIES, "--tree", TREE)
    assert done.code == 0, done.said
    report = kzc.report()

    applied = [o for o in report["outcomes"] if o["stage"] == "apply"]
    assert len(applied) >= 3
    assert {o["verdict"] for o in applied} == {"pass"}
    assert all(o["detail"]["commit"] for o in applied)

    vsock = cases(report, "vsock")
    assert Counter(case["verdict"] for case in vsock.values())["pass"] >= 26

    sent = cases(report, "msg_zerocopy")
    for proto in ("tcp", "udp"):
        for ip in ("ipv4", "ipv6"):
            for mode in ("copy", "zerocopy", "sendmsg-notification"):
                case = sent[f"{proto}/{ip}/{mode}"]
                assert case["verdict"] == "pass", case
                assert case["detail"]["tx"] > 0
                assert case["detail"]["rx"] > 0
                if mode != "copy":
                    assert case["detail"]["txc"] > 0
            assert sent[f"{proto}/{ip}/sendmsg-notification"]["detail"]["txs"] > 0
    native = cases(report, "msg_zerocopy_sendmsg")
    assert Counter(case["verdict"] for case in native.values())["pass"] > 10
    notified = cases(report, "zc_notify")
    assert Counter(case["verdict"] for case in notified.values())["pass"] > 90
    skipped = {name for name, case in notified.items() if case["verdict"] == "skip"}
    assert skipped == {f"wrap/{name}" for name in TRANSPORTS}
    assert not any(o["detail"].get("findings") for o in report["outcomes"])

    known = report["environment"]
    for fact in ("tree_id", "config_hash", "qemu", "virtme_ng", "accelerator", "machine"):
        assert known[fact], fact
    assert kzc("report", "--format", "markdown").code == 0
    assert "<testsuites" in kzc("report", "--format", "junit").out


def test_the_same_kernel_again_is_instant(kzc: Kzc, built: str) -> None:
    done = kzc("build", SERIES, "--tree", TREE)
    assert done.code == 0
    assert done.out.splitlines()[-1] == built
    assert "built before" in done.said


@pytest.mark.parametrize("kind", ["mini", "vng"])
def test_a_command_in_a_guest_gives_its_status(kzc: Kzc, built: str, kind: str) -> None:
    command = "echo here is $(uname -r); exit 7"
    done = kzc("boot", SERIES, "--tree", TREE, "--guest", kind, "--exec", command)
    assert done.code == 7, done.said
    assert "here is 6.12" in done.out


def test_two_runs_at_once(kzc: Kzc, built: str) -> None:
    # not vsock, whose tests give a completion 0.1 s: that is little where guests share two cores
    words = ("run", SERIES, "--tree", TREE, "--suite", "msg_zerocopy_sendmsg")
    both = [kzc.start(*words), kzc.start(*words)]
    for process in both:
        out, err = process.communicate()
        assert process.returncode == 0, out + err
    assert [test["verdict"] for test in kzc.outcomes("test")] == ["pass", "pass"]
