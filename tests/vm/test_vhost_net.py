# SPDX-License-Identifier: GPL-2.0-only
"""vhost-net: the suite whose guest is a host, with kprobes that count what was zerocopy."""

from __future__ import annotations

import pytest

from tests.vm.conftest import TREE, Kzc


@pytest.mark.full
def test_the_plan_is_measured_and_small_frames_are_copied(kzc: Kzc) -> None:
    plan = ("bench", "--plan", "vhost-net", "--tree", TREE, "--clock", "instructions")
    done = kzc(*plan, "--rounds", "1", "--boots", "1")
    assert done.code == 0, done.said
    (found,) = kzc.outcomes("bench")
    assert {case["verdict"] for case in found["cases"]} == {"pass"}
    assert "From which size zerocopy wins" in done.out
    assert "vhost-net took no frame in place: it copies those below 256 bytes" in done.out
