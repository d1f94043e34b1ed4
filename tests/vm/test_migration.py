# SPDX-License-Identifier: GPL-2.0-only
"""The suite qemu-migration: what it says of good kernels, and that it sees a bad one.

The bad one is that of test_own_suites.py.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from tests.vm.conftest import TREE, Kzc
from tests.vm.test_own_suites import broken, suite_of

__all__ = ["broken"]  # the fixture
SUITE = "qemu-migration"
SMOKE = ("zerocopy/veth4", "dirty/veth4")
# skbuff.zerocopy=N, the case that sees it, what it says
WRONG = {
    "drop": (1, "zerocopy/veth4", "a completion that never came"),
    "early": (4, "flush/veth4", "data mismatch"),
    "leak": (5, "zerocopy/veth4", "pages of the source's memory are in use"),
    "unlock": (6, "zerocopy/veth4", "locked pages of a send are counted still"),
}


CHANNELS = ("1 channel", "4 channels", "8 channels")


def only(*names: str) -> tuple[str, str]:
    return "--append", f"kzc.case={','.join(names)}"


def cases(kzc: Kzc) -> dict[str, dict[str, Any]]:
    return {case["name"]: case for case in suite_of(kzc, SUITE)["cases"]}


def benched(kzc: Kzc) -> dict[str, dict[str, Any]]:
    (found,) = kzc.outcomes("bench")
    return {case["name"]: case for case in found["cases"]}


@pytest.mark.vm
def test_two_cases(kzc: Kzc) -> None:
    done = kzc("test", SUITE, "--tree", TREE, *only(*SMOKE))
    assert done.code == 0, done.said
    found = cases(kzc)
    assert set(found) == set(SMOKE)
    for case in found.values():
        assert case["verdict"] == "pass"
        assert case["reason"].startswith("copied: ")
        assert int(case["detail"]["dirty_sync_missed_zero_copy"]) > 0
        assert int(case["detail"]["bytes"]) > 32 << 20
    assert int(found["dirty/veth4"]["detail"]["pages_again"]) > 0


@pytest.mark.full
@pytest.mark.parametrize("wrong", WRONG)
def test_what_goes_wrong_is_seen(kzc: Kzc, broken: Path, wrong: str) -> None:
    number, name, said = WRONG[wrong]
    done = kzc(
        *("run", os.fspath(broken), "--tree", TREE, "--suite", SUITE),
        *(*only(name), "--append", f"skbuff.zerocopy={number}"),
    )
    assert done.code == 1, done.said
    case = cases(kzc)[name]
    assert case["verdict"] == "fail"
    assert said in case["reason"]


@pytest.mark.full
def test_the_plan_is_measured_and_says_that_all_was_copied(kzc: Kzc) -> None:
    plan = ("bench", "--plan", SUITE, "--tree", TREE, "--clock", "instructions")
    done = kzc(*plan, "--rounds", "2", "--boots", "1")
    assert done.code == 0, done.said
    cells = {name for name, case in benched(kzc).items() if case["verdict"] == "pass"}
    assert {f"multifd4 veth {count} zero-copy-send" for count in CHANNELS} <= cells
    assert {f"multifd4 loopback {count} copy" for count in CHANNELS} <= cells
    assert "QEMU's flushes found only copies" in done.out
