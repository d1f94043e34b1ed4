# SPDX-License-Identifier: GPL-2.0-only
"""`kzc seeds`: all formats from a store, and the section of the claims in a run's HTML report."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kzc.cli.app import run
from kzc.cli.page import html_of
from kzc.results.store import Store
from kzc.settings import load_settings
from kzc.trees.registry import save
from kzc.trees.tree import Tree
from kzc.values import Case, Outcome, Run, Stage, Verdict
from tests.fakelinux import make_kernel

Out = pytest.CaptureFixture[str]


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    for name in ("cache", "data"):
        monkeypatch.setenv(f"KZC_{name.upper()}", str(tmp_path / name))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.chdir(tmp_path)
    names = [f"memlock/{each}" for each in ("tcp4", "tcp6", "udp4", "udp6")]
    cases = tuple(Case(name, Verdict.PASS) for name in (*names, "memlock-balance/tcp4"))
    facts = {"tree": "6.12 (6.12.9)", "profile": "default"}
    with Store(tmp_path / "data").create(("kzc", "test"), facts, "0") as made:
        made.append(Outcome(Stage.TEST, "zc_lifetime", Verdict.PASS, 1, cases=cases))
    return made.run


def said(words: list[str], out: Out) -> str:
    assert run(["seeds", *words]) == 0, words
    return out.readouterr().out


def test_claims_say_what_runs_say_of_them_or_what_is_to_be_run(kept: Run, capsys: Out) -> None:
    shown = said(["002"], capsys)
    assert "HOLDS: memlock" in shown
    assert f"run       {kept.id}" in shown
    assert "CANNOT BE TOLD: headers" in shown
    assert "never run: kzc test txzc-eval --tree debian:linux-source-6.12" in shown
    assert "000  " not in shown


def test_machines_get_all_five(kept: Run, capsys: Out) -> None:
    found = json.loads(said(["--json"], capsys))
    assert [seed["seed"] for seed in found["seeds"]] == ["000", "001", "002", "003", "004"]
    words = {c["name"]: c["word"] for seed in found["seeds"] for c in seed["claims"]}
    assert words["memlock"] == "holds"
    assert words["hybrid"] == "cannot be told"
    assert sum(found["counts"].values()) > 40


def test_commands_name_the_tree_that_was_asked_for(kept: Run, tmp_path: Path, capsys: Out) -> None:
    linux = make_kernel(tmp_path / "linux")
    tree = Tree("6.1", str(linux), "path", linux, "c", "t", "6.1.9")
    save(tree, load_settings({}, tmp_path))
    assert "never run: kzc test txzc-eval --tree 6.1\n" in said(["002", "--tree", "6.1"], capsys)
    assert "HOLDS: memlock" in said(["002", "--tree", "6.12"], capsys)
    for named in ("6.12.9", "debian:linux-source-6.1", "https://example.org/linux.git", str(linux)):
        said(["002", "--tree", named], capsys)


@pytest.mark.parametrize(("form", "has"), [("markdown", "| memlock"), ("html", "<!DOCTYPE html>")])
def test_other_formats(kept: Run, capsys: Out, form: str, has: str) -> None:
    assert has in said(["--format", form], capsys)


def test_what_is_not_there_is_refused(kept: Run, capsys: Out) -> None:
    assert run(["seeds", "007"]) == 2
    assert "there are: 000, 001" in capsys.readouterr().err
    assert run(["seeds", "--format", "svg"]) == 2
    capsys.readouterr()
    assert run(["seeds", "000", "--tree", "nope"]) == 2
    told = capsys.readouterr()
    assert "nope is no tree: neither the name of one nor a folder" in told.err
    assert "kzc tree add" in told.err
    assert not told.out


def test_the_report_of_a_run_has_its_claims_and_names_all_others(kept: Run, tmp_path: Path) -> None:
    page = html_of(kept, tmp_path)
    assert "What the seeds claim" in page
    told, others = page.split("Claims of which this run says nothing")
    assert "memlock</h4>" in told
    assert "kzc bench --plan vhost-net" in others
    nothing = Run("r", kept.started, ("kzc",), "0", finished=kept.finished)
    assert "What the seeds claim" not in html_of(nothing, tmp_path)
