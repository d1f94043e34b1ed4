# SPDX-License-Identifier: GPL-2.0-only
"""vhost-net: the suite whose guest is a host, with kprobes that count what was zerocopy."""

from __future__ import annotations

from typing import Any

import pytest

from tests.vm.conftest import TREE, Kzc

BOOTS = ("vhost-net", "vhost-net copy")
LEAK = "kernel-log/ubufs-leak"


def cases_of(kzc: Kzc, subject: str) -> dict[str, dict[str, Any]]:
    (found,) = (
        o for o in kzc.report()["outcomes"] if o["stage"] == "test" and o["subject"] == subject
    )
    return {case["name"]: case for case in found["cases"]}


@pytest.mark.full
@pytest.mark.timeout(3 * 3600)
@pytest.mark.parametrize("profile", ["default", "debug"])
def test_all_of_it(kzc: Kzc, profile: str) -> None:
    done = kzc("test", "vhost-net", "--tree", TREE, "--profile", profile)
    assert done.code == 0, done.said
    on, off = (cases_of(kzc, subject) for subject in BOOTS)
    leak = on.pop(LEAK, None)
    assert (leak and leak["verdict"]) == ("xfail" if profile == "debug" else None)
    assert on.keys() == off.keys()
    for name in ("seen/tap", "seen/macvtap", "guest-dies-stuck"):
        assert on[name]["verdict"] == off[name]["verdict"] == "pass"
    assert int(on["balance"]["detail"]["zerocopied"]) > 100
    assert int(off["balance"]["detail"]["started"]) == 0
    assert all(case["reason"].startswith("copied") for name, case in on.items() if "H2G" in name)


@pytest.mark.full
@pytest.mark.timeout(2 * 3600)
def test_the_series_mends_the_leak(kzc: Kzc) -> None:
    dies = ("--append", "kzc.case=guest-dies")
    plain = kzc("test", "vhost-net", "--tree", TREE, "--profile", "debug", *dies)
    assert plain.code == 0, plain.said
    assert cases_of(kzc, "vhost-net")[LEAK]["verdict"] == "xfail"
    mended = kzc("run", "vhost-net-ubufs", "--tree", TREE, "--profile", "debug", *dies)
    assert mended.code == 0, mended.said
    assert LEAK not in cases_of(kzc, "vhost-net")


@pytest.mark.full
def test_the_plan_is_measured_and_small_frames_are_copied(kzc: Kzc) -> None:
    plan = ("bench", "--plan", "vhost-net", "--tree", TREE, "--clock", "instructions")
    done = kzc(*plan, "--rounds", "1", "--boots", "1")
    assert done.code == 0, done.said
    (found,) = kzc.outcomes("bench")
    assert {case["verdict"] for case in found["cases"]} == {"pass"}
    assert "From which size zerocopy wins" in done.out
    assert "vhost-net took no frame in place: it copies those below 256 bytes" in done.out
