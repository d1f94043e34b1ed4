# SPDX-License-Identifier: GPL-2.0-only
"""The search for a base with real patches on real kernels; nothing is built or booted."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from kzc.shared import shared_folder
from tests.vm.conftest import SERIES, TREE, Kzc

pytestmark = pytest.mark.xdist_group("slot")
PATCHES = shared_folder("patches") / SERIES / "6.12"
OTHER = "debian:linux-source-7.3@trixie-backports"
HEADER = "include/uapi/asm-generic/socket.h"

# wants a number that was free until 6.11, at the place where that kernel's header has it
TAKEN = Path(__file__).parents[1] / "data/base/taken.patch"


@pytest.fixture
def tree(kzc: Kzc) -> Kzc:
    return added(kzc, "6.12", TREE)


def added(kzc: Kzc, name: str, source: str) -> Kzc:
    done = kzc("tree", "add", name, source)
    assert done.code == 0, done.said
    return kzc


def answered(kzc: Kzc, *args: str) -> tuple[int, dict[str, Any]]:
    done = kzc("base", *args, "--json")
    assert done.code in (0, 1), done.said
    return done.code, json.loads(done.out)


@pytest.mark.vm
def test_the_carried_patches_are_for_6_12(tree: Kzc) -> None:
    code, found = answered(tree, str(PATCHES))
    assert code == 0
    assert found["known"] == "blob ids"
    (base,) = found["candidates"]
    assert found["base"] == base
    assert (base["tree"], base["result"]) == ("6.12", "applies")
    assert base["blobs"] == base["of"] > 10
    assert base["version"].startswith("6.12.")
    assert found["command"] == f"kzc run {PATCHES} --tree 6.12"


@pytest.mark.vm
def test_a_base_that_is_nowhere_and_a_number_that_is_taken(tree: Kzc) -> None:
    code, found = answered(tree, str(TAKEN))
    assert code == 1
    assert found["verdict"] == "base-commit unreachable"
    assert "wants numbers that 6.12." in found["reason"]
    assert f"SCM_MINE 78 is SO_DEVMEM_LINEAR in {HEADER}" in found["reason"]
    (missed,) = found["candidates"]
    assert (missed["blobs"], missed["of"]) == (0, 1)
    assert missed["result"]
    assert "5e5e5e5e5e5e" in found["notes"][0]


@pytest.mark.vm
@pytest.mark.full
def test_of_two_trees_the_other_is_refused(tree: Kzc) -> None:
    """That tree alone takes some minutes to fetch."""
    added(tree, "7.3", OTHER)
    code, found = answered(tree, str(PATCHES))
    assert code == 0
    base, other = found["candidates"]
    assert found["base"] == base
    assert other["blobs"] < other["of"]
    assert other["note"].startswith("not tried: ")
    code, refused = answered(tree, str(PATCHES), "--tree", "7.3")
    assert code == 1
    assert refused["verdict"] == "applies to none"
    assert refused["reason"].startswith("3 of 5 apply on 7.3.")
    assert "patch 3 conflicts at arch/" in refused["reason"]
    assert refused["base"] is None
