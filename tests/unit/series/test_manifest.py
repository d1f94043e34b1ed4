# SPDX-License-Identifier: GPL-2.0-only
"""Carried series: the manifests we ship, the base that fits, and what a bad manifest gets."""

from __future__ import annotations

from pathlib import Path

import pytest

from kzc.errors import UsageError
from kzc.series.find import load_series
from kzc.series.manifest import Base, Manifest, list_series, load_manifest, pick_base
from kzc.shared import shared_folder

CARRIED = shared_folder("patches")


@pytest.mark.parametrize("name", list_series(CARRIED))
def test_every_carried_series_is_whole(name: str) -> None:
    manifest = load_manifest(CARRIED / name)
    for label in manifest.bases:
        series = load_series(CARRIED, name, label)
        assert series.patches
        assert (series.name, series.base, series.title) == (name, label, manifest.title)


@pytest.mark.parametrize("name", list_series(CARRIED))
def test_every_carried_series_wants_what_there_is(name: str) -> None:
    manifest = load_manifest(CARRIED / name)
    for suite in manifest.suites:
        assert (shared_folder("selftests") / suite / "suite.toml").is_file()
    for fragment in manifest.fragments:
        assert (shared_folder("kconfigs") / f"{fragment.removesuffix('.config')}.config").is_file()


def test_the_zerocopy_series_is_carried_for_debians_kernel() -> None:
    manifest = load_manifest(CARRIED / "scm-zc-notification")
    assert pick_base(manifest, "6.12.117") == "6.12"
    assert [posting.version for posting in manifest.posted] == [4, 4, 7, 8]


def test_vsocks_zerocopy_is_carried_for_the_kernel_that_lacks_it() -> None:
    manifest = load_manifest(CARRIED / "vsock-msg-zerocopy")
    assert pick_base(manifest, "6.1.192") == "6.1"
    assert manifest.upstream_since == "v6.7"
    with pytest.raises(UsageError, match="carries no patches for"):
        pick_base(manifest, "6.12.117")


@pytest.mark.parametrize(
    ("version", "base"),
    [("6.12.117", "6.12"), ("6.12.0-rc3", "6.12"), ("6.12-rc3", "6.12"), ("6.12.9.1", "6.12.9")],
)
def test_the_longest_base_that_fits(version: str, base: str) -> None:
    bases = {"6.1": Base(), "6.12": Base(), "6.12.9": Base()}
    assert pick_base(Manifest(title="x", bases=bases), version) == base


@pytest.mark.parametrize("version", ["6.13.0", "6.120.1", "5.6.12", "6"])
def test_no_base_that_fits_names_those_there_are(version: str) -> None:
    manifest = Manifest(title="x", bases={"6.1": Base(), "6.12": Base()})
    with pytest.raises(UsageError, match=r"no patches for .*; it does for 6\.1, 6\.12"):
        pick_base(manifest, version)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('title = "x"\n', "bases: Field required"),
        ('[bases."6.12"]\n', "title: Field required"),
        ('title = "x"\ncolour = 1\n[bases."6.12"]\n', "colour: no such field"),
        ('title = "x"\n[bases."6.12"]\nnotes = ""\n', "bases.6.12.notes: no such field"),
        ('title = "x"\n[bases."6.12"]\nfolder = "../x"\n', "bases.6.12.folder: "),
        ('title = "x"\n[bases."6.13"]\n', "bases.6.13: there is no folder"),
        (
            'title = "x"\n[[posted]]\nversion = 0\nmessage_id = "<a@b>"\n[bases."6.12"]\n',
            "posted.0.version: .*\n.*posted.0.message_id: ",
        ),
        ('title = "x"\nfragments = ["a", "../b"]\n[bases."6.12"]\n', "fragments.1: "),
        ("title =\n", "no valid TOML"),
    ],
)
def test_a_bad_manifest_is_named_with_its_field(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "6.12").mkdir()
    (tmp_path / "series.toml").write_text(text)
    with pytest.raises(UsageError, match=said) as caught:
        load_manifest(tmp_path)
    assert str(tmp_path / "series.toml") in caught.value.message


def test_no_manifest(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read: No such file"):
        load_manifest(tmp_path)
    assert list_series(tmp_path) == ()
