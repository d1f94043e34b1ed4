# SPDX-License-Identifier: GPL-2.0-only
"""What is offered where on a command line; how shells take it is test_shells.py's."""

from __future__ import annotations

import os
import re
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, get_args

import pytest

from kzc.cli import ends
from kzc.cli.app import command, run
from kzc.cli.completing.answer import answer
from kzc.cli.completing.line import words_of
from kzc.cli.completing.names import choices, data_folder
from kzc.results.formats import EXPORTS, FORMATS
from kzc.settings import Settings, load_settings
from kzc.shared import shared_folder
from kzc.suites.manifest import Suite
from kzc.suites.parsers import PARSERS
from tests.unit.cli.completing import RUNS, TREES, make_data, offered

Capture = pytest.CaptureFixture[str]
CARRIED = sorted(file.parent.name for file in shared_folder("patches").glob("*/series.toml"))
SUITES = sorted(file.parent.name for file in shared_folder("selftests").glob("*/suite.toml"))


@pytest.fixture(autouse=True)
def names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("KZC_DATA", str(make_data(tmp_path / "data")))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def verbs(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every command with its path."""
    yield path, command
    for name, below in getattr(command, "commands", {}).items():
        yield from verbs(below, (*path, name))


@pytest.mark.parametrize(("path", "verb"), [*verbs(command())], ids=lambda value: str(value)[:40])
def test_every_verb_offers_its_verbs_and_options(
    path: Sequence[str], verb: Any, capsys: Capture
) -> None:
    line = " ".join(("kzc", *path))
    below = getattr(verb, "commands", {})
    if below:
        assert offered(f"{line} ", capsys) == [name for name in below if not below[name].hidden]
    options = {way for each in verb.params for way in each.opts if way.startswith("--")}
    assert set(offered(f"{line} --", capsys)) == {*options, "--help"}


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("kzc run --tree ", TREES),
        ("kzc run -t ", TREES),
        ("kzc run --tree 6", ["6.1", "6.12"]),
        ("kzc run --tree=7", ["--tree=7.3"]),
        ("kzc run '--tree' \"6.12", ["6.12"]),
        ("A=b /usr/bin/kzc run --dirty --tree 7", ["7.3"]),
        ("kzc apply x --onto ", TREES),
        ("kzc tree show ", TREES),
        ("kzc tree remove 7", ["7.3"]),
        ("kzc run ", [*CARRIED, "net-next-v3"]),
        ("kzc run --tree 6.1 --dirty scm", ["scm-zc-notification"]),
        ("kzc run scm-zc-notification ", []),
        ("kzc build net", ["net-next-v3"]),
        ("kzc series show net", ["net-next-v3"]),
        ("kzc series remove ", ["net-next-v3"]),
        ("kzc run --guest-kernel 6.12", ["6.12"]),
        ("kzc test ", SUITES),
        ("kzc test vsock zc_f", ["zc_fuzz"]),
        ("kzc run x -s zc_n", ["zc_notify"]),
        ("kzc bisect x --test b", ["boot"]),
        ("kzc report ", RUNS),
        ("kzc compare net-next-v3 20261122", [RUNS[0]]),
        ("kzc bisect --resume ", RUNS),
        ("kzc run x --append ", []),
        ("kzc nonsense ", []),
        ("kzc nonsense --", []),
        ("kzc run -- --", []),
        ("kzc run -- scm", ["scm-zc-notification"]),
        ("kzc run --tree ''x", []),
        ("kzc run --tree $(touch pwned)", []),
        ("kzc run '\\", []),
        ("kzc", []),
    ],
)
def test_words_by_what_the_place_takes(line: str, words: list[str], capsys: Capture) -> None:
    assert offered(line, capsys) == words
    assert not Path("pwned").exists()


@pytest.mark.parametrize("place", ["--suite", "--tree", "--overlay", "--profile", "--topology"])
def test_hostile_names_are_not_offered(place: str, capsys: Capture) -> None:
    words = offered(f"kzc run {place} ", capsys)
    assert words
    assert all(re.fullmatch(r"[A-Za-z0-9][\w.+-]*", word) for word in words)


def test_what_a_help_text_enumerates_is_what_the_code_takes(capsys: Capture) -> None:
    assert offered("kzc run --topology ", capsys) == list(ends._TOPOLOGIES)
    assert offered("kzc run --accel ", capsys) == list(
        get_args(Settings.model_fields["accel"].annotation)
    )
    assert set(offered("kzc boot --guest ", capsys)) == set(
        get_args(Suite.model_fields["guest"].annotation)
    )
    assert set(offered("kzc report --format ", capsys)) == {*FORMATS, *EXPORTS, "html"}
    assert set(offered("kzc parse ", capsys)) == {*PARSERS, "kernel-log"}
    assert offered("kzc compare --format m", capsys) == ["markdown"]
    assert offered("kzc completion ", capsys) == ["bash", "zsh", "fish"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("auto, kvm or tcg.", ["auto", "kvm", "tcg"]),
        ("mini (busybox) or vng (this machine's files).", ["mini", "vng"]),
        ("loopback, pair, or all that can be had.", ["loopback", "pair", "all"]),
        ("Kernel config: default, debug, ...", []),
        ("A tree: name, path.", []),
        ("guest (if none) or host; see `kzc ps`.", ["guest", "host"]),
        ("", []),
    ],
)
def test_choices_are_read_from_a_help_text(text: str, words: list[str]) -> None:
    assert choices(text) == words


def test_runs_of_the_database_are_offered_too(names: Path, capsys: Capture) -> None:
    with closing(sqlite3.connect(names / "data/kzc.db")) as made, made:
        made.execute("CREATE TABLE runs (id TEXT, started TEXT)")
        made.execute("INSERT INTO runs VALUES ('20261123-010101-abcd', '2026')")
        made.execute("INSERT INTO runs VALUES ('$(touch pwned)', '2027')")
    assert offered("kzc report ", capsys) == ["20261123-010101-abcd", *RUNS]
    (names / "data/kzc.db").write_text("no database")
    assert offered("kzc report ", capsys) == RUNS


def test_a_word_is_told_by_its_help(capsys: Capture) -> None:
    assert run(["--complete-line", "kzc tre"]) == 0
    assert capsys.readouterr().out == "tree\tKernel trees: where they come from.\n"


def test_damage_and_strange_settings_are_silent(
    names: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    (names / "kzc.toml").write_text("data = [")
    assert answer(command(), ["kzc run --tree "]) == 0
    monkeypatch.delenv("KZC_DATA")
    assert answer(command(), ["kzc run --tree "]) == 1
    printed = capsys.readouterr()
    assert (printed.out.split(), printed.err) == (TREES, "")
    (names / "kzc.toml").unlink()
    os.mkfifo(names / "kzc.toml")
    assert answer(command(), ["kzc run --profile d"]) == 0


@pytest.mark.parametrize("said", ["variable", "relative", "here", "user", "nothing"])
def test_the_data_are_looked_for_where_the_settings_say(
    said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / "config"
    (config / "kzc").mkdir(parents=True)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(config))
    monkeypatch.delenv("KZC_DATA")
    if said == "variable":
        monkeypatch.setenv("KZC_DATA", "/somewhere")
    elif said == "relative":
        monkeypatch.setenv("KZC_DATA", "some/where")
    elif said == "here":
        (tmp_path / "kzc.toml").write_text('data = "beside"')
        (config / "kzc/kzc.toml").write_text('data = "/other"')
    elif said == "user":
        (config / "kzc/kzc.toml").write_text('data = "~/other"\njobs = 2')
    assert data_folder(tmp_path, os.environ) == load_settings({}, tmp_path).data


@pytest.mark.parametrize(
    ("line", "words", "typed"),
    [
        ("kzc a b", ("a",), "b"),
        ("kzc a b ", ("a", "b"), ""),
        ("kzc 'a b' \"c d", ("a b",), "c d"),
        ("kzc a\\ b c", ("a b",), "c"),
        ("kzc # a", ("#",), "a"),
        ("X=1 Y=2 kzc a", (), "a"),
        ("kzc a '' ", ("a", ""), ""),
        ("kzc a \\", ("a",), ""),
    ],
)
def test_a_line_falls_into_words(line: str, words: tuple[str, ...], typed: str) -> None:
    assert words_of(line) == (words, typed)
