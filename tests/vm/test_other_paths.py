# SPDX-License-Identifier: GPL-2.0-only
"""The whole suites of seeds 002, 003 and 004: with a series that changes completions, with the
kernel's own checkers and under faults. One kernel has them all, as a debug kernel is made anew
where its suites want other things in it.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from kzc.shared import shared_folder
from tests.vm.conftest import SERIES, TREE, Kzc
from tests.vm.test_own_suites import verdicts, words

MIGRATION, EVAL = "qemu-migration", "txzc-eval"
VHOST, COPY = BOOTS = "vhost-net", "vhost-net copy"
SUITES = (MIGRATION, VHOST, EVAL)
LEAK = "kernel-log/ubufs-leak"
# what the suites' kernel has besides, so that one of vhost-net alone is made of the same objects
LIKE = ("--config", str(shared_folder("kconfigs") / "tc.config"))

pytestmark = [pytest.mark.full, pytest.mark.timeout(3 * 3600)]


def boots_of(kzc: Kzc) -> dict[str, dict[str, Any]]:
    """By suite and boot."""
    return {outcome["subject"]: outcome for outcome in kzc.outcomes("test")}


def cases_of(test: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {case["name"]: case for case in test["cases"]}


def check_migration(test: dict[str, Any]) -> None:
    assert set(verdicts(test)) == {"pass"}
    found = cases_of(test)
    assert {"cancel", "destination-killed", "memlock-refused", "channels/8"} <= set(found)
    assert "lock enough memory" in found["memlock-refused"]["reason"]


def check_vhost(on: dict[str, Any], off: dict[str, Any], leak: str | None) -> None:
    cases, copied = cases_of(on), cases_of(off)
    known = cases.pop(LEAK, None)
    assert (known and known["verdict"]) == leak
    assert cases.keys() == copied.keys()
    for name in ("seen/tap", "seen/macvtap", "guest-dies-stuck"):
        assert cases[name]["verdict"] == copied[name]["verdict"] == "pass"
    assert int(cases["balance"]["detail"]["zerocopied"]) > 100
    assert int(copied["balance"]["detail"]["started"]) == 0
    assert all(case["reason"].startswith("copied") for name, case in cases.items() if "H2G" in name)


def check_eval(test: dict[str, Any]) -> None:
    found = verdicts(test)
    assert set(found) <= {"pass", "xfail"}
    assert found["pass"] > 30


def check(kzc: Kzc, leak: str | None) -> None:
    found = boots_of(kzc)
    assert not any(test["detail"].get("findings") for test in found.values())
    check_migration(found[MIGRATION])
    check_vhost(found[VHOST], found[COPY], leak)
    check_eval(found[EVAL])


def test_a_series_that_changes_completions_breaks_none(kzc: Kzc) -> None:
    done = kzc("run", SERIES, "--tree", TREE, *words(*SUITES))
    assert done.code == 0, done.said
    check(kzc, leak=None)


def test_the_kernels_own_checkers_find_what_is_known(kzc: Kzc) -> None:
    done = kzc("test", *SUITES, "--tree", TREE, "--profile", "debug")
    assert done.code == 0, done.said
    check(kzc, leak="xfail")


def test_the_series_mends_what_is_known(kzc: Kzc) -> None:
    dies = ("--append", "kzc.case=guest-dies")
    done = kzc("run", "vhost-net-ubufs", "--tree", TREE, "--profile", "debug", *LIKE, *dies)
    assert done.code == 0, done.said
    assert LEAK not in cases_of(boots_of(kzc)[VHOST])


def test_socket_calls_fail_and_nothing_else_comes_of_it(kzc: Kzc) -> None:
    done = kzc("test", *SUITES, "--tree", TREE, "--faults")
    assert done.code == 0, done.said
    found = boots_of(kzc)
    assert {f"{name} under faults" for name in SUITES} <= set(found)
    counted: Counter[str] = Counter()
    for name, test in found.items():
        assert sum(test["detail"]["faults"].values()) > 0, name
        counted += verdicts(test)
    assert set(counted) == {"pass", "xfail", "skip"}
