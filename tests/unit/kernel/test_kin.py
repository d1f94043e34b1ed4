# SPDX-License-Identifier: GPL-2.0-only
"""Which build folder a new configuration begins with, and that it gets all or nothing of it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from kzc.kernel.kin import MOST, begin_with, difference, nearest


def folder(parent: Path, name: str, *symbols: str) -> Path:
    made = parent / name
    made.mkdir()
    (made / ".config").write_text("".join(f"CONFIG_{each}\n" for each in symbols))
    (made / "kzc.config").write_text(name)
    return made


@pytest.fixture
def built(tmp_path: Path) -> Path:
    """A build folder with an object of some age, and a link as arch/x86_64/boot has one."""
    made = folder(tmp_path, "build-old", "NET=y")
    (made / "net").mkdir()
    (made / "net/socket.o").write_bytes(b"object")
    os.utime(made / "net/socket.o", ns=(0, 1_000_000_007))
    (made / "link").symlink_to("net/socket.o")
    (made / "net/.config").write_text("of a program below")
    return made


def test_symbols_differ_where_one_is_set_otherwise_or_not_at_all() -> None:
    assert difference({"A": "y", "B": "1", "C": "y"}, {"A": "y", "B": "2", "D": "m"}) == 3


def test_the_nearest_is_taken(tmp_path: Path) -> None:
    new = folder(tmp_path, "new", "NET=y", "VSOCKETS=y")
    far = folder(tmp_path, "far", "NET=y", "RDS=y", "TUN=y")
    near = folder(tmp_path, "near", "NET=y")
    assert nearest(new, [far, near]) == near
    assert nearest(new, []) is None


def test_what_is_not_near_is_not_taken(tmp_path: Path) -> None:
    new = folder(tmp_path, "new")
    most = folder(tmp_path, "most", *(f"S{number}=y" for number in range(MOST)))
    more = folder(tmp_path, "more", *(f"S{number}=y" for number in range(MOST + 1)))
    assert nearest(new, [more]) is None
    assert nearest(new, [more, most]) == most


def test_all_but_the_configuration_comes_with_its_times(tmp_path: Path, built: Path) -> None:
    new = folder(tmp_path, "build-new", "NET=y", "VSOCKETS=y")
    begin_with(built, new)
    assert (new / ".config").read_text() == "CONFIG_NET=y\nCONFIG_VSOCKETS=y\n"
    assert (new / "kzc.config").read_text() == "build-new"
    assert (new / "net/socket.o").stat().st_mtime_ns == 1_000_000_007
    assert (new / "net/.config").read_text() == "of a program below"
    assert os.readlink(new / "link") == "net/socket.o"
    assert sorted(each.name for each in tmp_path.iterdir()) == ["build-new", "build-old"]


def test_a_copy_that_fails_leaves_the_folder_as_it_was(tmp_path: Path, built: Path) -> None:
    new = folder(tmp_path, "build-new", "NET=y")
    (new / "kzc.config").unlink()
    with pytest.raises(FileNotFoundError):
        begin_with(built, new)
    assert [each.name for each in new.iterdir()] == [".config"]
    assert sorted(each.name for each in tmp_path.iterdir()) == ["build-new", "build-old"]


def test_what_an_interrupted_copy_left_is_in_nobodys_way(tmp_path: Path, built: Path) -> None:
    new = folder(tmp_path, "build-new", "NET=y")
    (tmp_path / "build-new.new").mkdir()
    (tmp_path / "build-new.new/net").write_text("half")
    begin_with(built, new)
    assert (new / "net/socket.o").read_bytes() == b"object"
