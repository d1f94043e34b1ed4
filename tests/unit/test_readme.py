# SPDX-License-Identifier: GPL-2.0-only
"""The README names what there is: verbs, settings, fragments, profiles, suites, series, plans."""

import re
from pathlib import Path
from typing import Any

from kzc.cli.app import command
from kzc.kernel.profile import load_profiles
from kzc.settings import Settings
from kzc.shared import shared_folder
from kzc.suites.parsers import PARSERS

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()


def missing(names: set[str]) -> set[str]:
    return {name for name in names if not re.search(rf"`[^`\n]*\b{re.escape(name)}\b", README)}


def verbs(group: Any) -> set[str]:
    """The names of a click group's commands and of those below."""
    below = getattr(group, "commands", {})
    return {*below}.union(*map(verbs, below.values()))


def test_every_verb_is_there() -> None:
    assert {"run", "doctor", "build", "add", "test"} <= verbs(command())
    assert not missing(verbs(command()))


def test_every_setting_fragment_profile_suite_series_parser_and_plan_is_there() -> None:
    assert not missing(set(Settings.model_fields))
    configs = shared_folder("kconfigs")
    assert not missing({path.stem for path in configs.glob("*.config")})
    assert not missing(set(load_profiles(configs)))
    assert not missing({path.parent.name for path in shared_folder("selftests").glob("*/*.toml")})
    assert not missing({path.parent.name for path in shared_folder("patches").glob("*/*.toml")})
    assert not missing(set(PARSERS))
    assert not missing({path.stem for path in shared_folder("plans").glob("*.toml")})


def test_what_it_links_to_exists() -> None:
    for target in re.findall(r"\]\((?!http)([^)]+)\)", README):
        assert (ROOT / target).exists(), target
