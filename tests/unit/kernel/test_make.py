# SPDX-License-Identifier: GPL-2.0-only
"""make in a build folder: what was cut short is made again, and nothing else is."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from kzc.errors import CommandFailed
from kzc.kernel.make import Place, Shop, make
from tests.plain import RUNNER

# as kbuild does it, a target that is there passes
MAKEFILE = """
whole: $(O)/old.o $(O)/net/cut.o ; @cat $^
$(O)/old.o: ; @echo old > $@
$(O)/net/cut.o: ; @mkdir -p $(O)/net; echo whole > $@
cut: ; @mkdir -p $(O)/net; : > $(O)/net/cut.o; : > $(O)/.config; echo half; sleep 600
fails: ; @echo fails; false
.PHONY: whole cut fails
"""


@pytest.fixture
def place(tmp_path: Path) -> Place:
    src = tmp_path / "src"
    src.mkdir()
    (src / "Makefile").write_text(MAKEFILE)
    return Place(src, tmp_path / "out", tmp_path / "log")


def run(place: Place, *words: str) -> Iterator[str]:
    folder = place.out.parent
    shop = Shop(folder / "store", folder / "notes", folder / "ccache", 1)
    return make([f"O={place.out}", "--no-print-directory", *words], place, shop, RUNNER)


def test_what_a_killed_make_was_writing_is_made_again(place: Place) -> None:
    assert list(run(place, f"{place.out}/old.o")) == []
    before = (place.out / "old.o").stat()
    time.sleep(0.1)  # file systems' clocks tick, and what is of the mark's own tick is made again
    lines = run(place, "cut")
    assert next(lines) == "half"
    lines.close()  # type: ignore[attr-defined]
    assert (place.out / "net/cut.o").read_text() == ""
    assert list(run(place, "whole")) == ["old", "whole"]
    assert (place.out / "old.o").stat().st_ino == before.st_ino
    assert (place.out / ".config").exists()  # kzc's own, written again by who configures
    assert list(run(place, "whole")) == ["old", "whole"]


def test_a_make_that_ends_by_itself_leaves_everything(place: Place) -> None:
    list(run(place, "whole"))
    before = (place.out / "net/cut.o").stat()
    with pytest.raises(CommandFailed):
        list(run(place, "fails"))
    list(run(place, "whole"))
    assert (place.out / "net/cut.o").stat().st_mtime_ns == before.st_mtime_ns
