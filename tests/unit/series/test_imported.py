# SPDX-License-Identifier: GPL-2.0-only
"""What is kept of an import: all of it, whole or not at all, and found again by its name."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from kzc.errors import UsageError
from kzc.series.find import check_series, find_series
from kzc.series.imported import (
    FILE_NAME,
    default_name,
    list_imported,
    load_imported,
    remove_imported,
    save_imported,
)
from kzc.series.mails import Intake
from kzc.values import Series
from tests.plain import RUNNER
from tests.unit.series.posts import BOB, diff, patch, posting, reply, take

NONE: set[str] = set()


def named(name: str, version: int = 2, kind: str = "long") -> Intake:
    mails = posting(version, kind)
    mails[1] += b"\nbase-commit: 0123456789012345678901234567890123456789\n"
    mails[1] += b"prerequisite-patch-id: 9123456789012345678901234567890123456789\n"
    mails[1] += b"prerequisite-message-id: <before@x>\n"
    mails[0] = mails[0].replace(b"What", b"See https://example.org/x. What")
    found = take([*mails, reply(f"Reviewed-by: {BOB}\n", f"c{version}@x")])
    return replace(found, series=replace(found.series, name=name))


def files(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name != ".lock"
    }


def test_what_is_kept_is_what_was_read(tmp_path: Path) -> None:
    intake = named("a")
    assert save_imported(tmp_path, intake, NONE)
    assert list_imported(tmp_path) == ("a",)
    assert load_imported(tmp_path, "a") == intake
    series = intake.series
    assert series.base == "0123456789012345678901234567890123456789"
    assert series.prerequisites == ("9123456789012345678901234567890123456789", "before@x")
    assert series.links == ("https://example.org/x",)
    kept = sorted((tmp_path / "a").iterdir())
    assert [file.name[:5] for file in kept] == ["0001-", "0002-", "0003-", "serie"]
    assert kept[0].read_bytes() == series.patches[0].body


def test_again_is_already_there_and_another_needs_a_word(tmp_path: Path) -> None:
    assert save_imported(tmp_path, named("a"), NONE)
    before = files(tmp_path)
    again = named("a")
    assert not save_imported(
        tmp_path, replace(again, series=replace(again.series, origin="elsewhere")), NONE
    )
    with pytest.raises(UsageError, match="another series is called a: 'net: widen three' v2"):
        save_imported(tmp_path, named("a", 3, "char"), NONE)
    assert files(tmp_path) == before
    assert save_imported(tmp_path, named("a", 3, "char"), NONE, swap=True)
    assert load_imported(tmp_path, "a").series.version == 3
    assert len(files(tmp_path)) == 4


@pytest.mark.parametrize("name", ["", "../x", "a/b", ".x", "-x", "a b", "x" * 99, "a..b", "a.lock"])
def test_a_name_that_is_none(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match="is no name"):
        save_imported(tmp_path / "s", named(name), NONE)
    assert not (tmp_path / "s").exists()


def test_a_carried_name_is_taken(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="a is a series that kzc carries"):
        save_imported(tmp_path, named("a"), {"a"})


@pytest.mark.parametrize(
    ("title", "version", "name"),
    [
        ("net: widen three", 2, "net-widen-three-v2"),
        ("../../etc/passwd\x1b[2J", 0, "etc-passwd-2j"),
        ("日本", 1, "series-v1"),
        ("vsock: " + "very " * 30, 1, "vsock-very-very-very-very-very-very-very-very-v1"),
    ],
)
def test_a_name_from_a_title(title: str, version: int, name: str) -> None:
    assert default_name(Series("", title, (), version=version)) == name


def test_killed_in_between_nothing_or_the_old_one_is_there(tmp_path: Path) -> None:
    save_imported(tmp_path, named("a"), NONE)
    old = load_imported(tmp_path, "a")
    # as far as a killed one comes: all but series.json
    (tmp_path / "a" / "0001-000000000000.patch").write_bytes(b"new")
    (tmp_path / "a" / ".series.json.1").write_bytes(b"{")
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "0001-000000000000.patch").write_bytes(b"new")
    assert list_imported(tmp_path) == ("a",)
    assert load_imported(tmp_path, "a") == old
    assert save_imported(tmp_path, named("b"), NONE)
    assert len(list((tmp_path / "b").iterdir())) == 4


@pytest.mark.parametrize("damage", ["{", "[]", '{"title": 1}'])
def test_damage_is_said_and_mended(tmp_path: Path, damage: str) -> None:
    save_imported(tmp_path, named("a"), NONE)
    (tmp_path / "a" / FILE_NAME).write_text(damage)
    with pytest.raises(UsageError, match="what was imported is damaged") as caught:
        load_imported(tmp_path, "a")
    assert "kzc series remove a" in caught.value.hint
    assert save_imported(tmp_path, named("a"), NONE, swap=True)
    assert load_imported(tmp_path, "a") == named("a")
    (first, *_) = sorted((tmp_path / "a").iterdir())
    first.write_bytes(b"other")
    with pytest.raises(UsageError, match="is not what was imported"):
        load_imported(tmp_path, "a")
    remove_imported(tmp_path, "a")
    assert list_imported(tmp_path) == ()


def test_a_file_named_from_outside_is_not_read(tmp_path: Path) -> None:
    save_imported(tmp_path, named("a"), NONE)
    file = tmp_path / "a" / FILE_NAME
    file.write_text(file.read_text().replace('"file": "0001', '"file": "../../0001'))
    assert load_imported(tmp_path, "a").series.patches


def test_removed_is_gone(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no series a was imported"):
        remove_imported(tmp_path, "a")
    save_imported(tmp_path, named("a"), NONE)
    remove_imported(tmp_path, "a")
    assert files(tmp_path) == {}


def test_an_imported_name_is_a_series_everywhere(tmp_path: Path) -> None:
    def find(spec: str, imported: Path | None) -> Series:
        return find_series(
            spec,
            cwd=tmp_path,
            patches_dir=tmp_path / "carried",
            version="6.12",
            repo=tmp_path,
            runner=RUNNER,
            imported=imported,
        )

    save_imported(tmp_path / "s", named("a"), NONE)
    (tmp_path / "a").write_bytes(patch("", "of the file", diff(10)))
    assert find("a", tmp_path / "s") == named("a").series
    assert find("a", None).title == find("./a", tmp_path / "s").title == "of the file"
    with pytest.raises(UsageError, match="none that is carried or imported") as caught:
        find("b", tmp_path / "s")
    assert caught.value.hint == "carried are: none; imported are: a"


def test_what_can_be_no_series_is_known_without_a_tree(tmp_path: Path) -> None:
    carried, imported = tmp_path / "carried", tmp_path / "s"
    save_imported(imported, named("a"), NONE)
    (tmp_path / "b").write_bytes(patch("", "of the file", diff(10)))
    for spec in ("a", "b", "v6.12..HEAD"):
        check_series(spec, tmp_path, carried, imported)
    with pytest.raises(UsageError, match="c is no series") as caught:
        check_series("c", tmp_path, carried, imported)
    assert caught.value.hint == "carried are: none; imported are: a"
    (tmp_path / "c").touch()
    with pytest.raises(UsageError, match="it is empty"):
        check_series("c", tmp_path, carried, imported)
