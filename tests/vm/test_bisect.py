# SPDX-License-Identifier: GPL-2.0-only
"""`kzc bisect` on the real tree: of six patches the fourth breaks a vsock case, always.

The other two series, one failing now and then and one that does not build or boot, take longer:
bench/bisections.py.
"""

import json
from pathlib import Path

import pytest

from tests.vm.conftest import TREE, Kzc

pytestmark = [pytest.mark.vm, pytest.mark.xdist_group("slot")]
SERIES = Path(__file__).parents[1] / "data" / "series" / "bisect-always"
CASE = "SOCK_SEQPACKET MSG_TRUNC flag"


def test_the_patch_that_breaks_a_case_is_named(kzc: Kzc, built: str) -> None:
    done = kzc("bisect", str(SERIES), "--tree", TREE, "--test", f"vsock:{CASE}")
    assert done.code == 0, done.said
    assert "patch 4/6 broke it, 99" in done.out
    assert "vsock: one length for every seqpacket receiver" in done.out
    assert "Reported-by: " in done.out
    run = kzc.report()
    answer = next(o["detail"] for o in run["outcomes"] if o["subject"] == "bisect")
    assert answer["patches"] == [4]
    assert answer["confidence"] >= 0.99
    assert answer["runs"] <= 25
    # where it fails, one end has gone on to the next before it sees that the other is gone
    tests = [o for o in run["outcomes"] if o["stage"] == "test" and o["verdict"] == "pass"]
    assert tests
    skipped = {"skip", "not_run"}
    executed = {c["name"] for o in tests for c in o["cases"] if c["verdict"] not in skipped}
    assert executed <= {CASE, "exit"}  # of the whole suite only the one case
    again = kzc("bisect", "--json", "--replay", run["id"])
    assert again.code == 0, again.said
    assert json.loads(again.out) == answer
