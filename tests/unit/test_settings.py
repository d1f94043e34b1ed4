# SPDX-License-Identifier: GPL-2.0-only
"""Flags over environment over files, and what a bad setting gets."""

from __future__ import annotations

from pathlib import Path

import pytest

from kzc.errors import HostError, UsageError
from kzc.settings import load_settings
from kzc.shared import shared_folder


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "home"
    for name, part in (("CACHE", "cache"), ("DATA", "data"), ("CONFIG", "config")):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(folder / part))
    (folder / "config" / "kzc").mkdir(parents=True)
    return folder


@pytest.fixture
def cwd(tmp_path: Path) -> Path:
    folder = tmp_path / "here"
    folder.mkdir()
    return folder


def test_without_anything_the_folders_are_the_users(home: Path, cwd: Path) -> None:
    settings = load_settings({}, cwd, env={})
    assert settings.cache == home / "cache/kzc"
    assert settings.data == home / "data/kzc"
    assert settings.accel == "auto"
    assert settings.jobs >= 1


def test_the_nearer_source_wins_field_by_field(home: Path, cwd: Path) -> None:
    (home / "config/kzc/kzc.toml").write_text('jobs = 1\nqemu = "q1"\ntree = "t1"\naccel = "kvm"\n')
    (cwd / "kzc.toml").write_text('qemu = "q2"\ntree = "t2"\naccel = "tcg"\n')
    env = {"KZC_TREE": "t3", "KZC_ACCEL": "auto", "KZC_PROFILE": ""}
    settings = load_settings({"accel": "kvm", "profile": None}, cwd, env)
    chosen = (settings.jobs, settings.qemu, settings.tree, settings.accel, settings.profile)
    assert chosen == (1, "q2", "t3", "kvm", "default")


def test_relative_folders_are_meant_from_where_they_were_written(home: Path, cwd: Path) -> None:
    (home / "config/kzc/kzc.toml").write_text('cache = "c"\ndata = "d"\n')
    settings = load_settings({}, cwd, {"KZC_DATA": "e"})
    assert settings.cache == home / "config/kzc/c"
    assert settings.data == cwd / "e"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("jobs = 0\n", "jobs: Input should be greater than or equal to 1"),
        ('accel = "hvf"\n', "accel: Input should be 'auto', 'kvm' or 'tcg'"),
        ("color = true\n", "color: there is no such setting"),
        ("jobs = \n", "no valid TOML"),
    ],
)
def test_a_bad_file_is_named_with_its_field(cwd: Path, text: str, said: str) -> None:
    file = cwd / "kzc.toml"
    file.write_text(text)
    with pytest.raises(UsageError) as caught:
        load_settings({}, cwd, {})
    assert str(file) in caught.value.message
    assert said in caught.value.message


def test_a_bad_variable_and_a_bad_flag_are_named_too(cwd: Path) -> None:
    with pytest.raises(UsageError, match=r"the variable KZC_JOBS: jobs: .*'many'"):
        load_settings({}, cwd, {"KZC_JOBS": "many"})
    with pytest.raises(UsageError, match="the option --accel: accel: "):
        load_settings({"accel": "x"}, cwd, {})


def test_shared_folders_are_those_of_this_checkout() -> None:
    root = Path(__file__).parents[2]
    assert shared_folder("patches") == root / "patches"
    with pytest.raises(HostError, match="nothing/ is missing"):
        shared_folder("nothing")
