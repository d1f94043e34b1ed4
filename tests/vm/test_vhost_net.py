# SPDX-License-Identifier: GPL-2.0-only
"""vhost-net: the suite whose guest is a host, with kprobes that count what was zerocopy."""

from __future__ import annotations

import pytest

from tests.vm.conftest import TREE, Kzc
from tests.vm.test_other_paths import LIKE, VHOST, boots_of, cases_of

LATER = "debian:linux-source-7.3@trixie-backports"


@pytest.mark.full
def test_the_plan_is_measured_and_small_frames_are_copied(kzc: Kzc) -> None:
    plan = ("bench", "--plan", "vhost-net", "--tree", TREE, "--clock", "instructions")
    done = kzc(*plan, "--rounds", "1", "--boots", "1")
    assert done.code == 0, done.said
    (found,) = kzc.outcomes("bench")
    assert {case["verdict"] for case in found["cases"]} == {"pass"}
    assert "From which size zerocopy wins" in done.out
    assert "vhost-net took no frame in place: it copies those below 256 bytes" in done.out


@pytest.mark.full
@pytest.mark.timeout(2 * 3600)
def test_fragments_for_its_host_are_not_copied_on_7_3_and_a_series_mends_that(kzc: Kzc) -> None:
    fragments = "local/udp/G2H/65507"
    only = ("--tree", LATER, *LIKE, "--append", f"kzc.case={fragments},balance")
    done = kzc("test", VHOST, *only)
    assert done.code == 1, done.said
    assert cases_of(boots_of(kzc)[VHOST])[fragments]["verdict"] == "fail"
    done = kzc("run", "ipv4-defrag-zerocopy", *only)
    assert done.code == 0, done.said
    found = cases_of(boots_of(kzc)[VHOST])[fragments]
    assert found["verdict"] == "pass"
    assert found["reason"].startswith("copied: all ")
