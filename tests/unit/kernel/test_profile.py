# SPDX-License-Identifier: GPL-2.0-only
"""Profiles and fragments as kzc ships them, and what a bad one gets."""

from pathlib import Path

import pytest

from kzc.errors import UsageError
from kzc.kernel.fragment import merge, parse
from kzc.kernel.profile import find_profile, load_fragment, load_profiles
from kzc.shared import shared_folder
from kzc.suites.manifest import load_suite

SHIPPED = shared_folder("kconfigs")


def test_every_profile_names_fragments_that_exist_and_every_fragment_is_used() -> None:
    profiles = load_profiles(SHIPPED)
    used = {name for profile in profiles.values() for name in profile.fragments}
    for suite in shared_folder("selftests").glob("*/suite.toml"):
        used |= {name.removesuffix(".config") for name in load_suite(suite.parent).fragments}
    assert used == {path.stem for path in SHIPPED.glob("*.config")}
    assert set(profiles["default"].fragments) < set(profiles["debug"].fragments)


def test_every_fragment_says_in_line_one_what_it_is_for_and_asks_each_symbol_once() -> None:
    for path in SHIPPED.glob("*.config"):
        assert path.read_text().splitlines()[0].startswith("# ")
        symbols = [asked.symbol for asked in parse(load_fragment(path.stem, SHIPPED))]
        assert symbols
        assert len(symbols) == len(set(symbols)), path.name


def test_the_debug_profile_has_the_checkers_and_no_fault_injection() -> None:
    fragments = find_profile("debug", SHIPPED).fragments
    wishes = {a.symbol: a.value for a in merge(load_fragment(name, SHIPPED) for name in fragments)}
    for symbol in ("KASAN", "PROVE_LOCKING", "DEBUG_KMEMLEAK", "DEBUG_NET"):
        assert wishes[symbol] == "y"
    assert wishes["FAULT_INJECTION"] == "n"


def test_unknown_names_say_what_there_is(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no profile fast") as error:
        find_profile("fast", SHIPPED)
    assert "default" in error.value.hint
    with pytest.raises(UsageError, match=r"nowhere\.config"):
        load_fragment(str(tmp_path / "nowhere.config"), SHIPPED)


def test_a_bad_profile_names_file_and_field(tmp_path: Path) -> None:
    (tmp_path / "profiles.toml").write_text('[x]\ntitle = "t"\nfragments = 3\n')
    with pytest.raises(UsageError, match=r"profiles\.toml: x\.fragments"):
        load_profiles(tmp_path)
    (tmp_path / "profiles.toml").write_text("[x\n")
    with pytest.raises(UsageError, match=r"profiles\.toml"):
        load_profiles(tmp_path)
