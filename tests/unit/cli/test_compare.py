# SPDX-License-Identifier: GPL-2.0-only
"""`kzc compare` on folders, a range and runs, as a person and as a program meet it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from kzc.cli.app import run
from kzc.cli.job import understand
from kzc.cli.options import Asked
from kzc.git import IDENTITY, Git
from kzc.results.store import Store
from kzc.series.apply import key_of
from kzc.series.read import read_folder
from kzc.settings import load_settings
from kzc.trees.registry import save
from kzc.trees.tree import Tree
from kzc.values import Case, Outcome, Stage, Verdict
from tests.fakelinux import edit, make_series
from tests.plain import RUNNER
from tests.unit.series.versions import SIGNED, diff, lines, mailed

REVIEW = "Reviewed-by: Rae Viewer <rae@example.org>"


def write(folder: Path, *mails: str) -> Path:
    folder.mkdir()
    for number, mail in enumerate(mails, start=1):
        (folder / f"{number:04}.patch").write_text(mail)
    return folder


@pytest.fixture
def versions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder one stands in, with v7 and v8: reordered, renamed, changed, split."""
    for name in ("cache", "data"):
        monkeypatch.setenv(f"KZC_{name.upper()}", str(tmp_path / name))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.chdir(tmp_path)
    one, two, three = (diff({f"{word}.c": lines(word)}) for word in ("one", "two", "three"))
    write(
        tmp_path / "v7",
        mailed("net: one", one, tag="PATCH v7 1/3"),
        mailed("net: two", two, tag="PATCH v7 2/3"),
        mailed("net: three", three, tag="PATCH v7 3/3"),
    )
    changed = diff({"three.c": [*lines("three")[:-1], "+int \x1b[31mother;"]}, at=77)
    write(
        tmp_path / "v8",
        mailed("net: two", two, tag="PATCH v8 1/4", trailers=(REVIEW, SIGNED)),
        mailed("net: one", diff({"one.c": lines("one")}, at=500), tag="PATCH v8 2/4"),
        mailed("vsock: \x1b]0;x\x07third", changed, tag="PATCH v8 3/4"),
        mailed("net: four", diff({"four.c": lines("four", 50)}), tag="PATCH v8 4/4"),
    )
    return tmp_path


def test_a_table_and_then_what_changed(versions: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["compare", "v7", "v8"]) == 0
    out = capsys.readouterr().out
    assert all(letter == "\n" or letter.isprintable() for letter in out)
    table, _, details = out.partition("\n\n")
    rows = [" ".join(line.split()) for line in table.splitlines()]
    assert rows[1] == "2 1 only the message net: two"
    assert rows[2] == "1 2 unchanged, moved net: one"
    assert rows[3].startswith("3 3 changed +1 -1 vsock: \\x1b]0;x\\x07third")
    assert rows[4] == "title was: net: three"
    assert rows[5] == "- 4 new net: four"
    assert f"    + {REVIEW}" in details
    assert "  three.c: +1 -1" in details
    assert "    - +int three_number_7 = 7;\n    + +int other;" in details
    assert "no tests" in details


def test_a_list_for_the_cover_letter(versions: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["compare", "v7", "v8", "--format", "markdown"]) == 0
    points = capsys.readouterr().out.splitlines()
    assert points[0] == "Changes in v8 (against v7):"
    assert points[2].startswith("- 1/4 net: two: no change in code; added Reviewed-by: Rae Viewer")
    assert points[3] == "- 2/4 net: one: unchanged; was patch 1, moved"
    assert "+1 -1 in `three.c`; title was: net: three" in points[4]
    assert points[5] == "- 4/4 net: four: new"


def test_an_object_for_a_program(versions: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["compare", "v8", "v7", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [(each["old"], each["new"], each["what"]) for each in found["patches"]] == [
        (2, 1, "unchanged"),
        (1, 2, "message"),
        (3, 3, "changed"),
        (4, None, "dropped"),
    ]
    assert found["patches"][1]["message"]["trailers_removed"] == [REVIEW]
    assert found["runs"] is None
    assert found["regressed"] is False


def test_a_long_interdiff_is_cut_unless_asked_for_in_full(
    versions: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(versions / "v9", mailed("net: four", diff({"four.c": lines("other", 50)})))
    write(versions / "v10", mailed("net: four", diff({"four.c": lines("four", 50)})))
    assert run(["compare", "v9", "v10"]) == 0
    cut = capsys.readouterr().out
    assert "[60 more lines, --full shows them]" in cut
    assert run(["compare", "v9", "v10", "--full"]) == 0
    full = capsys.readouterr().out
    assert "four_number_49" in full
    assert "more lines" not in full


def keep(data: Path, key: str, cases: Sequence[Case]) -> str:
    with Store(data).create(("kzc", "run"), {"series": "s", "series_key": key}, "0") as made:
        made.append(Outcome(Stage.TEST, "vsock", Verdict.PASS, cases=tuple(cases)))
    return made.run.id


@pytest.mark.parametrize(("now", "status"), [(Verdict.FAIL, 1), (Verdict.PASS, 0)])
def test_the_runs_at_hand_stand_side_by_side(
    versions: Path, capsys: pytest.CaptureFixture[str], now: Verdict, status: int
) -> None:
    keys = [key_of("", read_folder(versions / name)) for name in ("v7", "v8")]
    old = keep(versions / "data", keys[0], [Case("a", Verdict.PASS, detail={"mb": 1})])
    keep(versions / "data", "another", [Case("a", Verdict.CRASH)])
    new = keep(versions / "data", keys[1], [Case("a", now, detail={"mb": 2})])
    assert run(["compare", "v7", "v8"]) == status
    out = capsys.readouterr().out
    assert f"runs {old} and {new}: 1 {'regressed' if status else 'same'}" in out
    assert "mb 1, now 2" in out
    assert run(["compare", old, new]) == status
    assert "vsock: a" in capsys.readouterr().out
    assert run(["compare", old, new, "--json"]) == status
    assert json.loads(capsys.readouterr().out)["regressed"] is bool(status)
    assert run(["compare", old, new, "-f", "markdown"]) == status
    assert run(["compare", "v7", "v8", "-f", "markdown"]) == status
    assert f"run {new} against {old}" in capsys.readouterr().out


def test_what_is_neither_a_series_nor_a_run_is_a_usage_error(
    versions: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for words, said in (
        (["v7", "nothing"], "nothing is no series"),
        (["v7", "20260101-000000-0000"], "one is a run, the other a series"),
        (["20260101-000000-0000", "20260101-000000-0001"], "no run is called"),
        (["nothing", "20260101-000000-0000"], "but there is no run nothing"),
        (["nothing", "scm-zc-notification"], "nothing is no series"),
        (["scm-zc-notification", "../nothing"], "../nothing is no series"),
        (["scm-zc-notification", "v8"], "no tree"),
        (["v7", "v8", "--format", "tea"], "no format tea"),
        (["v7", "a..b"], "no tree"),
    ):
        assert run(["compare", *words]) == 2, words
        told = capsys.readouterr()
        assert said in told.err
        assert "next: " in told.err
        assert told.out == ""


@pytest.mark.parametrize(
    ("words", "said", "hint"),
    [
        ("6.12 7.3", "6.12 is a tree, but there is no tree 7.3", "there are: 6.12;"),
        ("7.3 6.12", "6.12 is a tree, but there is no tree 7.3", "there are: 6.12;"),
        ("loopback foo", "loopback is a topology, but there is no topology foo", "pair, nested"),
        ("loopback 6.12", "one is a topology, the other a tree", "name two"),
        ("scm-zc-notification 6.12", "one is a tree, the other a series", "name two"),
        ("6.12 v7", "one is a tree, the other a series", "name two"),
        ("7.3 7.4", "7.3 is no series", "carried are"),
    ],
)
def test_the_word_that_is_wrong_is_blamed(
    versions: Path, capsys: pytest.CaptureFixture[str], words: str, said: str, hint: str
) -> None:
    here = versions / "linux"
    tree = Tree("6.12", str(here), "path", here, "c", "t", "6.12")
    save(tree, load_settings({}, versions))
    assert run(["compare", *words.split()]) == 2
    told = capsys.readouterr().err
    assert said in told
    assert hint in told


def test_mails_against_a_range_of_the_checkout_and_what_a_run_of_them_records(
    kernel: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mails = make_series(kernel, kernel.parent / "mails")
    job = understand(Asked(series=str(mails)), with_suites=False)
    assert job.facts["series_key"] == key_of("", read_folder(mails))
    git = Git(RUNNER, kernel)
    before = git.commit_of("HEAD")
    git.run("am", "-q", *map(str, sorted(mails.glob("000[123]*"))), env=IDENTITY)
    assert run(["compare", str(mails), f"{before}..HEAD", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [each["what"] for each in found["patches"]] == ["unchanged"] * 3
    edit(kernel / "net/core/sock.c", "int sock_9;", "int sock_nine;")
    git.run("commit", "-qam", "net: one more", env=IDENTITY)
    assert run(["compare", str(mails), f"{before}..HEAD", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [each["what"] for each in found["patches"]] == ["unchanged"] * 3 + ["new"]
