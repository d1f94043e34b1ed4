# SPDX-License-Identifier: GPL-2.0-only
"""Every patch of the series that kzc carries, checked on the real tree."""

from __future__ import annotations

import json

import pytest

from kzc.series.find import load_series
from kzc.shared import shared_folder
from tests.vm.conftest import SERIES, TREE, Kzc

pytestmark = pytest.mark.xdist_group("slot")
CHECKS = ["build", "warnings", "selftests", "checkpatch", "mail"]


@pytest.mark.full
def test_every_patch_is_good_and_the_second_time_known(kzc: Kzc) -> None:
    patches = load_series(shared_folder("patches"), SERIES, "6.12").patches
    first = kzc("check", SERIES, "--tree", TREE)
    assert first.code == 0, first.said
    checked = [each for each in kzc.report()["outcomes"] if each["stage"] == "check"]
    assert len(checked) == len(patches)
    for outcome in checked:
        verdicts = {case["name"]: case["verdict"] for case in outcome["cases"]}
        assert list(verdicts) == CHECKS
        assert {verdicts[name] for name in CHECKS if name != "selftests"} == {"pass"}
    built = [case for each in checked for case in each["cases"] if case["name"] == "selftests"]
    assert "pass" in {case["verdict"] for case in built}
    assert all(case["verdict"] in ("pass", "skip") for case in built)
    # what changes no object of the kernel changes no image, whoever makes it: after patch 4
    assert len({outcome["detail"]["image"] for outcome in checked[3:]}) == 1

    second = kzc("check", SERIES, "--tree", TREE, "--b4")
    assert second.code == 0, second.said
    entries = json.loads(second.out)
    assert {entry["status"] for entry in entries} <= {"pass", "warn"}
    # of a new file checkpatch asks whether MAINTAINERS knows it
    warned = [entry for entry in entries if entry["status"] == "warn"]
    assert all("FILE_PATH_CHANGES" in str(entry) for entry in warned)
    again = [each for each in kzc.report()["outcomes"] if each["stage"] == "check"]
    assert {outcome["reason"] for outcome in again} == {"checked before"}
