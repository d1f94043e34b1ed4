# SPDX-License-Identifier: GPL-2.0-only
"""Overlays for measurement only: what is one, how it is put on a series, how it is known again."""

from __future__ import annotations

from pathlib import Path

import pytest

from kzc.errors import UsageError
from kzc.series.find import load_series
from kzc.series.overlay import load_overlay, measurement_only, overlays, stacked
from kzc.series.read import read_folder
from kzc.shared import shared_folder

CARRIED = shared_folder("patches")
NAME = "bench-localhost-zerocopy"


def test_the_overlay_that_is_carried_is_for_measurement_only() -> None:
    assert overlays(CARRIED) == (NAME,)
    assert measurement_only(load_series(CARRIED, NAME, "6.12"), CARRIED) == (NAME,)


@pytest.mark.parametrize("name", ["scm-zc-notification", "vsock-perf-zerocopy", "vhost-net-ubufs"])
def test_other_series_are_none_until_it_is_put_on_them(name: str) -> None:
    series = load_series(CARRIED, name, "6.12.117")
    assert measurement_only(series, CARRIED) == ()
    both = stacked(series, load_overlay(CARRIED, NAME, "6.12.117"))
    assert both.name == f"{name} with {NAME}"
    assert both.patches[:-1] == series.patches
    assert [patch.number for patch in both.patches] == [*range(1, len(series.patches) + 2)]
    assert measurement_only(both, CARRIED) == (NAME,)


def test_alone_it_is_itself() -> None:
    overlay = load_overlay(CARRIED, NAME, "7.3.4")
    assert stacked(None, overlay) == overlay == load_series(CARRIED, NAME, "7.3")
    assert measurement_only(None, CARRIED) == ()


def test_it_is_known_again_where_its_name_is_not(tmp_path: Path) -> None:
    for file in (CARRIED / NAME / "7.3").glob("*.patch"):
        said = file.read_text().replace("[PATCH]", "[PATCH net-next v3 1/1]")
        (tmp_path / "0001-x.patch").write_text(said)
    assert measurement_only(read_folder(tmp_path), CARRIED) == (NAME,)


@pytest.mark.parametrize("name", ["scm-zc-notification", "nothing", ""])
def test_no_other_series_can_be_put_on_one(name: str) -> None:
    with pytest.raises(UsageError, match="is no overlay") as caught:
        load_overlay(CARRIED, name, "6.12")
    assert NAME in caught.value.hint
