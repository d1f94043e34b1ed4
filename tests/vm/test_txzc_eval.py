# SPDX-License-Identifier: GPL-2.0-only
"""Data that change while they are sent, on a real kernel; and one on which local receivers see it.

The overlay takes the copy away that filters and readers on one host rely on: their cases have to
fail there, or they would prove nothing.
"""

from __future__ import annotations

import json

import pytest

from tests.vm.conftest import TREE, Kzc

TEST = ("test", "txzc-eval", "--tree", TREE)
OVERLAY = "bench-localhost-zerocopy"


def verdicts(kzc: Kzc) -> dict[str, str]:
    (found,) = kzc.outcomes("test")
    return {case["name"]: case["verdict"] for case in found["cases"]}


def claims(kzc: Kzc) -> dict[str, str]:
    done = kzc("seeds", "002", "--json")
    (seed,) = json.loads(done.out)["seeds"]
    return {claim["name"]: claim["word"] for claim in seed["claims"]}


@pytest.mark.full
def test_where_local_receivers_see_the_senders_pages_it_is_seen(kzc: Kzc) -> None:
    done = kzc(*TEST, "--overlay", OVERLAY)
    assert done.code == 1, done.said
    found = verdicts(kzc)
    bad = {name for name, verdict in found.items() if verdict == "fail"}
    assert {"looped/tcp4", "looped/udp6", "filter-socket/udp4", "filter-tap/udp4"} <= bad
    assert not any(name.startswith(("headers/", "own-headers/", "checksum-")) for name in bad)


@pytest.mark.full
def test_the_talks_tables_are_measured_and_tell_of_its_claims(kzc: Kzc) -> None:
    plan = ("bench", "--plan", "txzc", "--tree", TREE, "--clock", "instructions")
    few = ("--rounds", "3", "--boots", "1")
    done = kzc(*plan, *few)
    assert done.code == 0, done.said
    assert "NOT CLEAN" in done.out
    for part in ("sending process costs", "all of the system costs", "completed and copied"):
        assert part in done.out
    assert "refused" in done.out
    told = claims(kzc)
    assert told["loopback-completed"] == told["loopback-in-place"] == "holds"
    assert told["raw"] == told["packet"] == told["remote-only"] == "cannot be told"
    done = kzc(*plan, *few, "--overlay", "none")
    assert done.code == 0, done.said
    assert "NOT CLEAN" not in done.out
    assert claims(kzc)["remote-only"] == "holds"
