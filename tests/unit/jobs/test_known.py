# SPDX-License-Identifier: GPL-2.0-only
"""A fault that a suite knows is one only of kernels that are not mended of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from kzc.git import Git
from kzc.jobs.known import as_known_of
from kzc.series.manifest import list_series, load_manifest
from kzc.shared import shared_folder
from kzc.suites.manifest import Suite, load_suite
from tests.fakelinux import make_kernel
from tests.plain import RUNNER

FOLDERS = sorted(path.parent for path in shared_folder("selftests").glob("*/suite.toml"))
SUITES = [load_suite(folder) for folder in FOLDERS]


@pytest.mark.parametrize("suite", SUITES, ids=lambda suite: suite.name)
def test_what_mends_a_known_fault_is_carried_and_can_be_seen(suite: Suite) -> None:
    patches = shared_folder("patches")
    for known in suite.known:
        assert known.mended_by in list_series(patches)
        manifest = load_manifest(patches / known.mended_by)
        for mark in manifest.present:
            for label in manifest.bases:
                (patch,) = (patches / known.mended_by / label).glob("*.patch")
                assert f"\n+++ b/{mark.file}\n" in patch.read_text()
                added = [line for line in patch.read_text().split("\n") if line.startswith("+")]
                assert any(mark.has in line for line in added)
        assert manifest.present


def test_a_tree_that_shows_the_marks_is_mended(tmp_path: Path) -> None:
    (suite,) = (suite for suite in SUITES if suite.name == "vhost-net")
    repo = make_kernel(tmp_path / "linux")
    git = Git(RUNNER, repo)
    plain = git.run("rev-parse", "HEAD^{tree}").stdout.strip()
    assert as_known_of(suite, repo / ".git", plain, RUNNER) == suite
    (mark,) = load_manifest(shared_folder("patches") / "vhost-net-ubufs").present
    (repo / mark.file).parent.mkdir(parents=True)
    (repo / mark.file).write_text(f"\t{mark.has}\n")
    git.run("add", "-A")
    mended = git.run("write-tree").stdout.strip()
    assert as_known_of(suite, repo / ".git", mended, RUNNER).known == ()
