# SPDX-License-Identifier: GPL-2.0-only
"""Both ends under the same series: a first-level guest as the host, a second one behind it."""

import shutil
import subprocess
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.vm.conftest import SERIES, TRANSFER, TREE, Kzc

pytestmark = pytest.mark.vm

FAULTS = Path(__file__).parents[1] / "data" / "faults"
NESTED = ("run", SERIES, "--tree", TREE, "--topology", "nested", "--suite")


def the_test(kzc: Kzc) -> dict[str, Any]:
    found = [o for o in kzc.report()["outcomes"] if o["stage"] == "test"]
    assert len(found) == 1
    return dict(found[0])


def verdicts(outcome: dict[str, Any]) -> dict[str, str]:
    return {case["name"]: case["verdict"] for case in outcome["cases"]}


def logs(kzc: Kzc, name: str) -> list[str]:
    """The console logs of a run whose name holds that word."""
    found = kzc.data.glob("runs/*/logs/*/console.log")
    return [path.read_text(errors="replace") for path in found if name in path.parent.name]


def lost(kzc: Kzc) -> bool:
    """Whether emulated SVM lost the guest in the middle: it ended or stood still without a word."""
    outcome = the_test(kzc)
    silent = not outcome["detail"].get("findings")
    return outcome["verdict"] in {"crash", "timeout"} and silent


def test_vsock_passes_between_two_patched_kernels(kzc: Kzc, built: str) -> None:
    done = kzc(*NESTED, "vsock")
    if done.code == 1 and lost(kzc):
        done = kzc(*NESTED, "vsock")
    assert done.code == 0, done.said
    outcome = the_test(kzc)
    found = verdicts(outcome)
    for direction in ("H2G", "G2H"):
        # every test of vsock_test, each way
        numbered = [name for name in found if name.startswith(f"{direction}/SOCK_")]
        assert len(numbered) >= 26, sorted(found)
        assert found[f"{direction}/vsock_perf copy"] == "pass"
        assert found[f"{direction}/vsock_perf zerocopy"] == "pass"
    assert Counter(found.values()).keys() <= {"pass", "skip"}
    capture = Path(kzc.report()["folder"]) / outcome["detail"]["capture"]
    if shutil.which("tshark"):
        read = ["tshark", "-r", str(capture), "-Y", "vsock", "-c", "200"]
        shown = subprocess.run(read, capture_output=True, text=True, check=True).stdout
        assert len(shown.splitlines()) > 100
    assert len(logs(kzc, "nested")) >= 2


@pytest.mark.full
def test_a_host_that_panics_is_told_from_its_guest(kzc: Kzc, built: str) -> None:
    done = kzc(*NESTED, str(FAULTS / "host-panics"))
    assert done.code == 1, done.said
    outcome = the_test(kzc)
    found = verdicts(outcome)
    assert found["H2G/before"] == found["G2H/before"] == "pass"
    assert found["H2G/host-panics"] == "crash"
    assert found["H2G/after"] == found["G2H/after"] == "not_run"
    assert outcome["verdict"] == "crash"
    assert "host" in outcome["detail"]["signature"]
    assert any("Kernel panic" in log for log in logs(kzc, "host"))


@pytest.mark.full
def test_a_connection_that_comes_back_loses_nothing(kzc: Kzc, built: str) -> None:
    done = kzc(*NESTED, str(FAULTS / "host-away"))
    assert done.code == 0, done.said
    assert set(verdicts(the_test(kzc)).values()) == {"pass"}


@pytest.mark.full
def test_a_connection_that_is_gone_is_no_fault_of_the_kernel(kzc: Kzc, built: str) -> None:
    done = kzc(*NESTED, str(FAULTS / "host-gone"))
    assert done.code == 3, done.said
    outcome = the_test(kzc)
    found = verdicts(outcome)
    assert found["H2G/before"] == "pass"
    assert found["H2G/host-gone"] == "infra"
    assert found["H2G/after"] == "not_run"


@pytest.mark.full
def test_four_runs_side_by_side(kzc: Kzc, built: str) -> None:
    """Eight guests at once, and nothing of one run is taken for another's."""
    processes = [kzc.start(*NESTED, str(TRANSFER)) for _ in range(4)]
    for process in processes:
        out, err = process.communicate()
        assert process.returncode == 0, out + err
    tests = kzc.outcomes("test")
    assert [outcome["verdict"] for outcome in tests] == ["pass"] * 4
    assert len({outcome["detail"]["host"] for outcome in tests}) == 4
