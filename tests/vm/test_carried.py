# SPDX-License-Identifier: GPL-2.0-only
"""The smaller series that kzc carries, on the trees that they are for."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from kzc.shared import shared_folder
from tests.vm.conftest import TREE, Kzc

pytestmark = [pytest.mark.vm, pytest.mark.full]
TREES = [TREE, "debian:linux-source-7.3@trixie-backports"]


@pytest.fixture
def tcp(tmp_path: Path) -> str:
    """The suite msg_zerocopy with its first command alone, as all six take some minutes."""
    copy = shutil.copytree(shared_folder("selftests") / "msg_zerocopy", tmp_path / "msg_zerocopy")
    manifest = copy / "suite.toml"
    text = manifest.read_text()
    manifest.write_text(text[: text.index('[[commands]]\nname = "udp"')])
    return str(copy)


def cases(report: dict[str, Any]) -> dict[str, dict[str, Any]]:
    tests = [outcome for outcome in report["outcomes"] if outcome["stage"] == "test"]
    return {case["name"]: case for outcome in tests for case in outcome["cases"]}


@pytest.mark.parametrize("tree", TREES)
def test_vsock_perf_counts_what_was_zerocopied(kzc: Kzc, tree: str) -> None:
    done = kzc("run", "vsock-perf-zerocopy", "--tree", tree)
    assert done.code == 0, done.said
    found = cases(kzc.report())
    sent = found["vsock_perf zerocopy"]["detail"]
    assert sent["zerocopied"] > 0
    assert sent["cpu_seconds"] > 0
    assert sent["send_seconds"] < sent["seconds"]
    assert "zerocopied" not in found["vsock_perf copy"]["detail"]


@pytest.mark.parametrize("tree", TREES)
def test_local_receivers_copy_without_the_overlay_and_do_not_with_it(
    kzc: Kzc, tree: str, tcp: str
) -> None:
    plain = kzc("test", tcp, "--tree", tree)
    assert plain.code == 0, plain.said
    copied = cases(kzc.report())
    done = kzc("test", tcp, "--tree", tree, "--overlay", "bench-localhost-zerocopy")
    report = kzc.report()
    kept = cases(report)
    if tree == TREE:
        assert done.code == 0, done.said
        assert "NOT CLEAN  bench-localhost-zerocopy on " in done.out
        assert report["verdict"] == "not_clean"
    else:  # its msg_zerocopy.sh says that over veth all is copied (-Z 0), and now it is not
        assert done.code == 1, done.said
        assert kept["tcp/ipv4/zerocopy"]["reason"] == "serr: ee_code: 1 != expected 0"
    assert report["clean"] is False
    for name in ("tcp/ipv4/zerocopy", "tcp/ipv6/zerocopy"):
        assert copied[name]["detail"]["zc"] == "n"
        assert kept[name]["detail"]["zc"] == "y"
