# SPDX-License-Identifier: GPL-2.0-only
"""`kzc import` and what `kzc series` shows afterwards, from every kind of source."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from kzc.cli import app
from kzc.cli.job import understand
from kzc.cli.options import Asked
from kzc.git import Git
from kzc.series.imported import list_imported
from tests.fakelinux import commit, edit
from tests.plain import RUNNER
from tests.unit.series.posts import BOB, diff, mbox, patch, posting, reply

HOSTILE = "\x1b]0;owned\x07[red]rich[/red]"


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("cache", "data"):
        monkeypatch.setenv(f"KZC_{name.upper()}", str(tmp_path / name))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def mails() -> list[bytes]:
    first, second = posting(1), posting(2, "char", day=5)
    answer = reply(f"Reviewed-by: {BOB}\n", "2v2@x")
    return [*second, answer, *(raw.replace(b"Subject", b"X: y\nSubject") for raw in first)]


def test_it_says_what_it_understood(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (place / "t.mbox").write_bytes(mbox(mails()))
    assert app.run(["import", "t.mbox"]) == 0
    said = capsys.readouterr().out
    assert said.splitlines() == [
        "net-widen-three-v2: net: widen three",
        "v2, 2024-07-05, <c2@x>",
        "  1/3 net: widen 1 (Jane Doe <jane@example.org>)",
        "  2/3 net: widen 2 (Jane Doe <jane@example.org>)",
        "  3/3 net: widen 3 (Jane Doe <jane@example.org>)",
        "note:    v2 was taken; v1 is there too (--version)",
        f"trailer: patch 2: Reviewed-by: {BOB}",
        "base:    no base-commit",
        "hint:    Based on net-next.",
        "imported as net-widen-three-v2",
        "next: kzc base net-widen-three-v2",
    ]
    assert app.run(["import", "t.mbox"]) == 0
    assert "net-widen-three-v2 is already there" in capsys.readouterr().out
    assert app.run(["import", "t.mbox", "--version", "1", "--name", "net-widen-three-v2"]) == 2
    assert "--replace" in capsys.readouterr().err
    assert app.run(["import", "t.mbox", "--version", "1", "--name", "old"]) == 0
    capsys.readouterr()
    assert app.run(["series", "list"]) == 0
    listed = capsys.readouterr().out
    assert [line.split()[:2] for line in listed.splitlines()[-2:]] == [
        ["net-widen-three-v2", "v2"],
        ["old", "v1"],
    ]
    assert "scm-zc-notification" in listed
    assert app.run(["series", "show", "old"]) == 0
    shown = capsys.readouterr().out
    assert "<c1@x>" in shown
    assert f"from:    {place / 't.mbox'}" in shown
    assert "  What it is for." in shown
    assert app.run(["series", "remove", "old"]) == 0
    assert app.run(["series", "show", "old"]) == 2
    assert app.run(["series", "remove", "scm-zc-notification"]) == 2


@pytest.mark.parametrize("kind", ["mbox", "gz", "folder", "maildir", "boxes"])
def test_every_source_is_the_same_series(
    place: Path, kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    source = place / "src"
    if kind in ("mbox", "gz"):
        data = mbox(mails())
        source.write_bytes(gzip.compress(data) if kind == "gz" else data)
    elif kind == "boxes":
        source.mkdir()
        (source / "a.mbox").write_bytes(mbox(mails()))
    else:
        for name in ("cur", "new", "tmp"):
            (source / name).mkdir(parents=True)
        for number, raw in enumerate(mails()):
            where = ("cur", "new")[number % 2] if kind == "maildir" else "."
            (source / where / f"{number}.eml").write_bytes(raw)
        if kind == "folder":
            (source / "cur").rmdir()
    assert app.run(["import", "src", "--json"]) == 0
    values = json.loads(capsys.readouterr().out)
    assert (values["name"], values["version"], values["new"]) == ("net-widen-three-v2", 2, True)
    assert [each["message_id"] for each in values["patches"]] == ["<1v2@x>", "<2v2@x>", "<3v2@x>"]
    assert values["trailers"] == [f"2: Reviewed-by: {BOB}"]
    assert values["date"].startswith("2024-07-05")


def test_a_range_of_commits(kernel: Path, capsys: pytest.CaptureFixture[str]) -> None:
    base = Git(RUNNER, kernel).commit_of("HEAD")
    edit(kernel / "net/socket.c", "int socket_3;", "char socket_3;")
    commit(kernel, "net: narrow socket_3")
    assert app.run(["import", "HEAD~1..HEAD", "--json"]) == 0
    values = json.loads(capsys.readouterr().out)
    assert (values["name"], values["version"]) == ("net-narrow-socket-3", 0)
    assert values["base"] == base
    assert app.run(["series", "show", "net-narrow-socket-3"]) == 0
    assert "never posted" in capsys.readouterr().out


def test_an_imported_name_is_what_the_main_job_takes(kernel: Path) -> None:
    (kernel.parent / "t.mbox").write_bytes(mbox(mails()))
    assert app.run(["import", "../t.mbox", "--name", "mine"]) == 0
    found = understand(Asked(series="mine"), with_suites=False).series
    assert found is not None
    assert (found.name, found.version, found.message_id) == ("mine", 2, "<c2@x>")


def test_what_is_refused_leaves_nothing(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (place / "t.mbox").write_bytes(mbox(posting()[:3]))
    assert app.run(["import", "t.mbox"]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert "3 of 3 is missing" in told.err
    assert app.run(["import", "t.mbox", "--name", "../../x"]) == 2
    assert not (place / "data").exists()
    assert list_imported(place / "data/series") == ()


def test_texts_of_mails_are_shown_and_not_obeyed(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    raw = patch("", f"net: {HOSTILE}", diff(10), "a@x", who=f"{HOSTILE} <e@x>")
    (place / "t.eml").write_bytes(raw)
    assert app.run(["import", "t.eml", "--name", "evil"]) == 0
    for words in (["series", "list"], ["series", "show", "evil"]):
        assert app.run(words) == 0
    shown = capsys.readouterr().out
    assert all(letter == "\n" or letter.isprintable() for letter in shown)
    assert r"\x1b]0;owned\x07" in shown
    assert "[red]rich[/red]" in shown
