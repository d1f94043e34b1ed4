# SPDX-License-Identifier: GPL-2.0-only
"""Applying on the real 6.12: numbers that are taken, doubts that cannot be overlooked."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.vm.conftest import TREE, Kzc

pytestmark = [pytest.mark.vm, pytest.mark.xdist_group("slot")]

DATA = Path(__file__).parents[1] / "data" / "series" / "apply"


def test_the_number_of_another_option_is_a_failure_that_names_both(kzc: Kzc) -> None:
    """As in the posted v8: 78 was free on the tree it was made for, and is not on 6.12."""
    done = kzc("apply", str(DATA / "taken.patch"), "--tree", TREE)
    assert done.code == 1
    assert "SCM_ZC_NOTIFICATION 78 collides with SO_DEVMEM_LINEAR 78" in done.said
    patch, numbers = kzc.report()["outcomes"]
    assert patch["verdict"] == "pass"
    assert (numbers["subject"], numbers["verdict"]) == ("uapi numbers", "fail")
    (collision,) = numbers["detail"]["collisions"]
    assert collision["new"]["name"] == "SCM_ZC_NOTIFICATION"
    assert collision["taken"]["name"] == "SO_DEVMEM_LINEAR"
    assert collision["taken"]["file"] == "include/uapi/asm-generic/socket.h"
    (lacking,) = numbers["detail"]["warnings"]
    assert all(arch in lacking["text"] for arch in ("alpha", "mips", "parisc", "sparc"))


@pytest.mark.parametrize("form", ["text", "markdown", "json", "junit"])
def test_a_hunk_in_another_function_is_in_every_report(kzc: Kzc, form: str) -> None:
    done = kzc("apply", str(DATA / "elsewhere.patch"), "--tree", TREE)
    assert done.code == 0, done.said
    said = "net/core/sock.c hunk 1 lands in sk_getsockopt(), its @@ line names sock_nowhere()"
    assert said in done.err
    shown = kzc("report", "--format", form).out.replace("`", "").replace("\\", "")
    assert said in " ".join(shown.split())
