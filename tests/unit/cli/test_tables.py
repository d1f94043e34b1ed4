# SPDX-License-Identifier: GPL-2.0-only
"""Tables of trees, carried series and needs: texts of sources and files are data, not markup."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from rich.console import Console

from kzc.cli import carried, doctor, trees
from kzc.jobs.needs import Need, State
from kzc.settings import load_settings
from kzc.shared import shared_folder
from kzc.trees import registry
from kzc.trees.tree import Tree

NAMES: list[str] = json.loads(
    (Path(__file__).parents[2] / "data" / "hostile" / "names.json").read_text()
)
ESCAPE = r"\x1b]0;owned\x07"
MARKUP = "[red]rich[/red]"


def check(shown: str) -> None:
    assert all(letter == "\n" or letter.isprintable() for letter in shown)
    assert ESCAPE in shown
    assert MARKUP in shown


def test_a_tree_s_source_and_version(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("cache", "data"):
        monkeypatch.setenv(f"KZC_{name.upper()}", str(tmp_path / name))
    monkeypatch.chdir(tmp_path)
    repo = tmp_path / "repo.git"
    tree = Tree("t", f"{MARKUP}\x1b]0;owned\x07", "git", repo, "0" * 40, "1" * 40, "6.12[/b]")
    registry.save(tree, load_settings({}, tmp_path))
    assert trees.listed() == 0
    check(capsys.readouterr().out)


def test_a_manifest_s_texts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "s"
    (folder / "b").mkdir(parents=True)
    text = f"{MARKUP} \x1b]0;owned\x07"
    (folder / "b" / "0001.patch").write_text(PATCH)
    (folder / "series.toml").write_text(
        f"title = {json.dumps(text)}\n"
        f"cover = {json.dumps(text + chr(10) + 'all tests passed' + chr(13) + 'x')}\n"
        f"upstream_since = {json.dumps(text)}\nfate = {json.dumps(text)}\n"
        f"links = [{json.dumps(text)}]\n"
        f'[bases.{json.dumps(text)}]\nfolder = "b"\n'
    )
    assert carried.listed(tmp_path) == 0
    check(capsys.readouterr().out)
    assert carried.show("s", tmp_path) == 0
    shown = capsys.readouterr().out
    check(shown)
    assert "\\x0dx" in shown
    assert "1/1 evil [red]subject[/red]" in shown
    assert "kzc run s" in shown
    assert carried.show("s", tmp_path, as_json=True) == 0
    values = json.loads(capsys.readouterr().out)
    assert (values["title"], list(values["bases"])) == (text, [text])
    assert carried.listed(tmp_path, as_json=True) == 0
    assert json.loads(capsys.readouterr().out)["carried"] == [values]


def test_a_carried_series_is_shown_as_a_history(capsys: pytest.CaptureFixture[str]) -> None:
    assert carried.show("scm-zc-notification", shared_folder("patches")) == 0
    shown = capsys.readouterr().out
    order = ["What it is for", "Posted", "2024-07-30  v8  https://lore", "Upstream", "not merged"]
    order += ["For 6.12, tested on 6.12.", "1/8 net: ", "kzc run scm-zc", "Proven by", "vsock "]
    places = [shown.find(words) for words in order]
    assert places == sorted(places)
    assert -1 not in places


def test_a_need_s_words(capsys: pytest.CaptureFixture[str]) -> None:
    screen = io.StringIO()
    console = Console(file=screen, width=200)
    for text in NAMES:
        doctor.show((Need("flex", State.MISSING, text, text, text),), console)
    check(screen.getvalue())


PATCH = """\
From 0123456789012345678901234567890123456789 Mon Sep 17 00:00:00 2001
From: A <a@example.org>
Date: Mon, 1 Jan 2024 00:00:00 +0000
Subject: [PATCH] evil [red]subject[/red]

Text.
---
diff --git a/f b/f
index e69de29..7898192 100644
--- a/f
+++ b/f
@@ -0,0 +1 @@
+a
"""
