# SPDX-License-Identifier: GPL-2.0-only
"""Suites of the series under faults, in a kernel of its own: both kinds of guest."""

from __future__ import annotations

import pytest

from tests.vm.conftest import SERIES, TREE, Kzc

pytestmark = pytest.mark.full


# one round each, as all of them take a quarter of an hour
@pytest.mark.parametrize(("suite", "every"), [("vsock", "13"), ("msg_zerocopy", "251")])
def test_socket_calls_fail_and_nothing_else_comes_of_it(kzc: Kzc, suite: str, every: str) -> None:
    faults = ("--faults", "--fault-every", every)
    done = kzc("run", SERIES, "--tree", TREE, "--suite", suite, *faults)
    assert done.code == 0, done.said
    (test,) = kzc.outcomes("test")
    assert test["subject"] == f"{suite} under faults"
    assert sum(test["detail"]["faults"].values()) > 20
    assert test["detail"]["places"]
    verdicts = [case["verdict"] for case in test["cases"]]
    assert "xfail" in verdicts
    assert set(verdicts) <= {"pass", "xfail", "skip"}


def test_a_kernel_that_cannot_inject_faults_is_told(kzc: Kzc, built: str) -> None:
    done = kzc("run", SERIES, "--tree", TREE, "-s", "vsock", "--faults", "--profile", "default")
    assert done.code == 3, done.said
    assert "this kernel has no /sys/kernel/debug/failslab" in done.said
