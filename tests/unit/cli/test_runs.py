# SPDX-License-Identifier: GPL-2.0-only
"""The verbs that look at runs, and take them along: what they print and their status."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from kzc.cli.app import run
from kzc.results.store import Store
from kzc.settings import load_settings
from kzc.trees.registry import save
from kzc.trees.tree import Tree
from kzc.values import Case, Outcome, Run, Stage, Verdict

PASS, FAIL = Verdict.PASS, Verdict.FAIL
Out = pytest.CaptureFixture[str]


def ticking() -> Iterator[datetime]:
    now = datetime(2026, 11, 21, tzinfo=UTC)
    while True:
        yield now
        now += timedelta(minutes=1)


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    for name in ("cache", "data"):
        monkeypatch.setenv(f"KZC_{name.upper()}", str(tmp_path / name))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.chdir(tmp_path)
    clock = ticking()
    return Store(tmp_path / "data", clock=lambda: next(clock))


def keep(store: Store, tree: str, verdict: Verdict, topology: str = "") -> Run:
    facts = {"tree": f"{tree} ({tree}.9)", "tree_id": tree * 9, "series": "s", "series_key": "k"}
    detail = {"topology": topology} if topology else {}
    names = ("H2G/one", "G2H/one") if topology else ("one",)
    cases = tuple(Case(name, verdict, reason="it\x1b[31m broke") for name in names)
    with store.create(("kzc", "run", "s"), facts, "0") as made:
        subject = f"vsock {topology}".rstrip()
        (made.logs / "a.log").write_text("a line\n")
        made.append(Outcome(Stage.TEST, subject, PASS, 1, "logs/a.log", cases, detail))
    return made.run


def said(words: list[str], out: Out, status: int = 0) -> str:
    assert run(words) == status, words
    shown = out.readouterr().out
    assert "\x1b" not in shown
    return shown


def test_runs_are_listed_and_chosen(store: Store, capsys: Out) -> None:
    old, new = keep(store, "6.12", PASS), keep(store, "7.3", FAIL)
    shown = said(["runs"], capsys)
    assert shown.index(new.id) < shown.index(old.id)
    assert old.id not in said(["runs", "--verdict", "fail"], capsys)
    found = json.loads(said(["runs", "--tree", "6.12", "--suite", "vsock", "--json"], capsys))
    assert [(each["id"], each["verdict"]) for each in found] == [(old.id, "pass")]
    assert found[0]["environment"]["series"] == "s"


def test_a_list_without_a_run_says_so(store: Store, capsys: Out) -> None:
    assert "no run is kept here: `kzc run" in said(["runs"], capsys)
    assert "no run is kept here" in said(["runs", "--tree", "nope"], capsys)
    keep(store, "6.12", PASS)
    for words, told in {
        "--tree nope": "no run on the tree nope: `kzc runs`",
        "--suite a --verdict fail": "no run with the suite a, with the verdict fail: ",
    }.items():
        assert told in said(["runs", *words.split()], capsys)
        assert json.loads(said(["runs", *words.split(), "--json"], capsys)) == []


def test_a_verdict_that_there_is_not_is_refused(store: Store, capsys: Out) -> None:
    made = keep(store, "6.12", FAIL)
    for word in ("FAIL", "fail"):
        assert made.id in said(["runs", "--verdict", word], capsys)
    for word in ("not run", "not_run", "not clean", "unfinished", "xfail"):
        assert "no run with the verdict" in said(["runs", "--verdict", word], capsys)
    assert run(["runs", "--verdict", "foo"]) == 2
    told = capsys.readouterr().err
    assert "there is no verdict foo" in told
    assert "fail" in told
    assert "not clean, unfinished" in told


def test_a_run_is_shown_with_its_files_and_each_of_these(store: Store, capsys: Out) -> None:
    made = keep(store, "6.12", FAIL)
    shown = said(["show", made.id], capsys)
    assert "FAIL" in shown
    assert "logs/a.log" in shown
    whole = json.loads(said(["show", made.id, "--json"], capsys))
    assert [(each["path"], each["size"]) for each in whole["files"]] == [("logs/a.log", 7)]
    assert run(["show", made.id, "b.log"]) == 2
    assert "there are: logs/a.log" in capsys.readouterr().err


def test_a_file_is_printed_as_it_is(
    store: Store, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    made = keep(store, "6.12", FAIL)
    assert run(["show", made.id, "a.log"]) == 0
    assert capfdbinary.readouterr().out == b"a line\n"


def test_a_case_has_a_history(store: Store, capsys: Out) -> None:
    old, new = keep(store, "6.12", PASS), keep(store, "7.3", FAIL)
    shown = said(["history", "vsock:one"], capsys, 1)
    assert "bad in 1 of 2" in shown
    assert f"bad since run {new.id}" in " ".join(shown.split())
    (found,) = json.loads(said(["history", "one", "--json"], capsys, 1))
    assert (found["rate"], found["first_bad"], found["last_good"]) == (0.5, new.id, old.id)
    assert [each["verdict"] for each in found["sightings"]] == ["pass", "fail"]
    said(["history", "one", "--tree", "6.12"], capsys)
    assert run(["history", "none"]) == 2


def test_a_run_goes_to_another_machine(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Out
) -> None:
    made = keep(store, "6.12", PASS)
    assert f"{made.id}.tar.zst: " in said(["export", made.id[-4:]], capsys)
    assert run(["export", made.id]) == 2
    assert "exists" in capsys.readouterr().err
    assert run(["export", made.id, str(tmp_path / "none" / "x")]) == 2
    assert "x is in a folder that is not there" in "".join(capsys.readouterr().err.split("\n"))
    monkeypatch.setenv("KZC_DATA", str(tmp_path / "there"))
    assert "is kept now" in said(["load", f"{made.id}.tar.zst"], capsys)
    assert "was here already" in said(["load", f"{made.id}.tar.zst"], capsys)
    assert Store(tmp_path / "there").load() == made
    assert run(["load", f"{made.id}.tar.zst", "--limit", "1K"]) == 2
    assert run(["load", "nothing"]) == 2
    assert run(["load", str(tmp_path)]) == 2


def test_trees_are_compared_by_their_newest_runs(store: Store, capsys: Out) -> None:
    settings = load_settings({}, Path.cwd())
    for name in ("6.12", "7.3"):
        folder = settings.cache / name
        save(Tree(name, str(folder), "path", folder, "c", "t", name), settings)
    old, new = keep(store, "6.12", PASS), keep(store, "7.3", FAIL)
    found = json.loads(said(["compare", "6.12", "7.3", "--json"], capsys, 1))
    assert (found["runs"]["old"], found["runs"]["new"]) == (old.id, new.id)
    keep(store, "6.12", FAIL)
    shown = said(["compare", "6.12", "7.3"], capsys)
    assert "1 still failing" in shown
    assert "bad in 1 of 2 runs, now in 1 of 1" in shown
    assert run(["compare", "6.12", "7.3", "--series", "another"]) == 2
    assert "no complete run" in capsys.readouterr().err


def test_topologies_are_compared_case_by_case(store: Store, capsys: Out) -> None:
    keep(store, "6.12", PASS)
    keep(store, "6.12", FAIL, "nested")
    found = json.loads(said(["compare", "loopback", "nested", "--json"], capsys, 1))
    rows = {(each["subject"], each["case"]): each["change"] for each in found["runs"]["rows"]}
    assert rows == {("vsock", "one"): "regressed"}


def test_clean_removes_copies_and_no_run(store: Store, capsys: Out) -> None:
    made = keep(store, "6.12", PASS)
    assert f"copy of logs  {store.folder / made.id}" in said(["clean", "--all"], capsys)
    assert not (store.folder / made.id).exists()
    assert said(["show", made.id, "--json"], capsys)
    assert (store.folder_of(made) / "logs" / "a.log").read_text() == "a line\n"


def test_runs_are_forgotten_by_name_or_age(store: Store, capsys: Out) -> None:
    first, second = keep(store, "6.1", PASS), keep(store, "6.12", PASS)
    assert run(["forget", first.id, "--dry-run"]) == 0
    assert capsys.readouterr().out == f"{first.id}\n"
    assert len(store.list()) == 2
    assert run(["forget", first.id]) == 0
    assert "1 run forgotten" in capsys.readouterr().out
    assert [each.id for each in store.list()] == [second.id]
    assert run(["forget", "--days", "3000", "--dry-run"]) == 0
    assert capsys.readouterr().out == "there is none\n"


@pytest.mark.parametrize("words", [[], ["r", "--days", "3"], ["nobody"]])
def test_what_to_forget_has_to_be_said(store: Store, capsys: Out, words: list[str]) -> None:
    keep(store, "6.1", PASS)
    assert run(["forget", *words]) == 2
    assert len(store.list()) == 1
