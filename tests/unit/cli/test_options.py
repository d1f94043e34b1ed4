# SPDX-License-Identifier: GPL-2.0-only
"""Shared options: what a verb shows, and what of it reaches the verb."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path
from typing import Annotated

import pytest
import typer

from kzc.cli.options import GUEST, KERNEL, SOURCE, TEST, Asked, takes
from tests.unit.cli.inside import kzc

SHARED = {
    "apply": SOURCE,
    "build": (*KERNEL, "overlay", "jobs", "stream"),
    "boot": (*GUEST, "overlay"),
    "test": TEST,
    "run": TEST,
}
OWN = {
    "apply": ["--onto", "--name", "--replace", "--json"],
    "boot": ["--exec", "--guest"],
    "build": ["--suite"],
    "run": ["--suite"],
}
FLAGS = {"virtme": "--virtme-config", "accept": "--accept-host-key"}


@pytest.mark.parametrize("verb", SHARED)
def test_a_verb_shows_its_own_options_and_then_the_shared_ones(verb: str) -> None:
    shown = kzc({}, verb, "--help").stdout
    options = re.findall(r"^  (?:-\w, )?(--[a-z-]+)", shown, re.MULTILINE)
    shared = [FLAGS.get(name, f"--{name.replace('_', '-')}") for name in SHARED[verb]]
    assert options == [*OWN.get(verb, []), *shared, "--help"]


def test_what_is_given_reaches_the_verb_and_the_rest_is_as_declared() -> None:
    heard: list[tuple[Asked, str, bool]] = []
    app = typer.Typer()

    @app.command()
    @takes(*KERNEL)
    def verb(asked: Asked, name: str, own: Annotated[bool, typer.Option("--own")] = False) -> None:
        heard.append((asked, name, own))

    app(["n", "-t", "here", "-c", "a", "--config", "b", "--own"], standalone_mode=False)
    app(["n", "--dirty"], standalone_mode=False)
    (first, name, own), (second, _, not_own) = heard
    assert first == Asked(tree="here", config=[Path("a"), Path("b")])
    assert (name, own, not_own) == ("n", True, False)
    assert second == Asked(dirty=True)


def test_an_option_that_is_none_is_found_at_once() -> None:
    assert "series" in {field.name for field in fields(Asked)}
    with pytest.raises(KeyError):
        takes("nonsense")
