# SPDX-License-Identifier: GPL-2.0-only
"""`kzc base` as a user sees it: table, answer, JSON, status, and texts of mails made harmless."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from kzc.cli.app import run
from kzc.cli.base import Asked, base
from kzc.git import Git
from tests.fakelinux import commit, edit, make_kernel, make_series
from tests.plain import RUNNER


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A kernel whose HEAD is one after v1, the base of the series in the folder that is given."""
    top = tmp_path_factory.mktemp("base")
    kernel = make_kernel(top / "linux")
    mails = make_series(kernel, top / "mails")
    git = Git(RUNNER, kernel)
    git.run("tag", "v1")
    edit(kernel / "net/core/sock.c", "int sock_20;", "char sock_20;")
    commit(kernel)
    git.run("branch", "evil\u202eknarb")
    return mails


@pytest.fixture
def mails(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The series, for a user who stands in the kernel."""
    for name in ("cache", "data"):
        monkeypatch.setenv(f"KZC_{name.upper()}", str(tmp_path / name))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.chdir(made.parent / "linux")
    monkeypatch.setenv("COLUMNS", "120")
    return made


def test_the_base_and_how_to_go_on(mails: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["base", str(mails), "--quick"]) == 0
    shown = capsys.readouterr().out
    lines = [line.split() for line in shown.splitlines()]
    top = str(mails.parent / "linux")
    short = Git(RUNNER, Path(top)).commit_of("v1")[:12]
    assert f"base: v1 (tree linux, commit {short})" in shown
    assert f"go on: kzc run {mails} --tree '{top}#v1'" in shown
    assert "net: widen three variables" in shown
    words = [
        "linux",
        "v1",
        short,
        "6.12.117",
        "2",
        "of",
        "2",
        "base-commit",
        "of",
        "the",
        "series,",
    ]
    assert [*words, "applies"] in lines
    assert "not tried: v1 is likelier, and fits" in shown


def test_no_base_with_what_would_help(mails: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["base", str(mails), "--tree", f"{mails.parent}/linux#main"]) == 1
    shown = capsys.readouterr().out
    assert "base-commit unreachable: 2 of 3 apply on 6.12.117 (tree linux); patch 2 conf" in shown
    assert "try: add a tree that has commit" in shown
    assert "in none of the trees" in shown
    assert run(["base", "nothing"]) == 2
    assert run(["base", str(mails), "--tree", "nowhere"]) == 2
    assert "nothing is no series" in capsys.readouterr().err


def test_json_has_every_candidate(mails: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["base", str(mails), "--quick", "--all", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["verdict"] == "found"
    assert found["known"] == "base-commit in a tree"
    assert found["base"] == found["candidates"][0]
    assert (found["base"]["ref"], found["base"]["result"]) == ("v1", "applies")
    second = found["candidates"][1]
    assert (second["blobs"], second["of"]) == (1, 2)
    assert [patch["fit"] for patch in second["patches"]] == ["applies", "conflict", "applies"]
    assert second["patches"][1]["places"] == ["net/core/sock.c:17"]
    assert found["command"].startswith(f"kzc run {mails} --tree ")


def test_a_carried_series_takes_the_patches_for_where_one_looks(
    mails: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    carried = tmp_path / "patches" / "widen"
    bases = "".join(f'[bases."{label}"]\n' for label in ("6.1", "6.12", "7.3"))
    for label in ("6.1", "6.12", "7.3"):
        shutil.copytree(mails, carried / label)
    (carried / "series.toml").write_text(f'title = "Widen"\n{bases}')
    assert base(Asked("widen", quick=True), tmp_path / "patches") == 0
    shown = capsys.readouterr().out
    assert "it has patches for 6.1, 6.12, 7.3: these are those for 6.12 (--tree NAME" in shown
    assert "go on: kzc run widen --tree" in shown


def test_a_mail_s_words_and_a_branch_s_name_are_data(
    mails: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = (mails / "0001-net-widen-socket_10.patch").read_text()
    text = text.replace("Subject: [PATCH 1/3", "Subject: \x1b]0;owned\x07[PATCH")
    names = "{0} a/\x1b[2Jx\n{1} b/\x1b[2Jx"
    evil, good = names.format("---", "+++"), "--- a/net/socket.c\n+++ b/net/socket.c"
    (tmp_path / "x.patch").write_text(text.replace(good, evil))
    assert base(Asked(str(tmp_path / "x.patch"), quick=True)) == 1
    shown = capsys.readouterr().out
    assert all(letter == "\n" or letter.isprintable() for letter in shown)
    assert "\\x1b]0;owned\\x07" in shown
    assert "[2Jx: No such file or directory" in shown
    assert "evil\\u202eknarb" in shown
