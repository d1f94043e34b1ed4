# SPDX-License-Identifier: GPL-2.0-only
"""Which suites' programs a patch may break."""

from __future__ import annotations

from pathlib import Path

import pytest

from kzc.jobs.check.patch import suites_for
from kzc.suites.manifest import load_suite

SELFTESTS = Path(__file__).parents[4] / "selftests"
SUITES = [load_suite(SELFTESTS / name) for name in ("msg_zerocopy", "vsock", "zc_notify")]


@pytest.mark.parametrize(
    ("file", "own", "names"),
    [
        ("tools/testing/vsock/util.c", (), ["vsock"]),
        ("net/socket.c", ("vsock", "zc_notify"), []),
        ("include/uapi/linux/socket.h", ("zc_notify",), ["zc_notify"]),
        ("include/uapi/linux/socket.h", (), []),
    ],
)
def test_suites_for_a_patch(file: str, own: tuple[str, ...], names: list[str]) -> None:
    assert [suite.name for suite in suites_for([file], SUITES, own)] == names
