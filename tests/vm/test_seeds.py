# SPDX-License-Identifier: GPL-2.0-only
"""A little of what `txzc-eval` and `vhost-net` do, on one kernel, and what the seeds say to it."""

from __future__ import annotations

import pytest

from tests.vm.conftest import TREE, Kzc
from tests.vm.test_other_paths import BOOTS, EVAL, VHOST, boots_of, cases_of
from tests.vm.test_txzc_eval import claims

FRAMES = "tap/tcp/G2H/4096"
FILTERS = {f"filter-{name}/{ip}" for name in ("u32", "bpf") for ip in ("udp4", "udp6")}


@pytest.mark.vm
def test_filters_read_what_may_change_and_frames_leave_in_place(kzc: Kzc) -> None:
    done = kzc(*("test", EVAL, VHOST, "--tree", TREE, "--append", f"kzc.case={FRAMES}"))
    assert done.code == 0, done.said
    tests = boots_of(kzc)
    found = {name: case["verdict"] for name, case in cases_of(tests[EVAL]).items()}
    assert {name for name, verdict in found.items() if verdict == "xfail"} == FILTERS
    assert set(found.values()) == {"pass", "xfail"}
    assert len(found) > 30
    on, off = (cases_of(tests[boot])[FRAMES] for boot in BOOTS)
    assert (on["verdict"], off["verdict"]) == ("pass", "pass")
    assert int(on["detail"]["zerocopied"]) > 0
    assert int(off["detail"]["started"]) == 0
    assert off["reason"].startswith("copied")
    told = claims(kzc)
    assert told["classifiers"] == "does not hold"
    assert told["headers"] == told["checksums"] == told["socket-filters"] == "holds"
