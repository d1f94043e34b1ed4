# SPDX-License-Identifier: GPL-2.0-only
"""What `clean` takes from the cache: by age, by size, and never what is in use."""

import os
import time
from pathlib import Path

import pytest
from filelock import FileLock

from kzc.inuse import using
from kzc.settings import Settings
from kzc.trees.cleaning import clean, size_of

_DAY = 86400
_MIB = 1 << 20


def product(settings: Settings, name: str, days: float, size: int = _MIB) -> Path:
    folder = settings.cache / name
    folder.mkdir(parents=True)
    (folder / "bzImage").write_bytes(os.urandom(size))
    then = time.time() - days * _DAY
    os.utime(folder, (then, then))
    return folder


def test_what_is_in_use_stays_whatever_is_asked(settings: Settings) -> None:
    kernel = product(settings, "kernels/a", 90)
    image = product(settings, "images/linux-image_6.12", 90)
    for wish in ({"everything": True}, {"older_than_days": 1.0}, {"below": 1}):
        with using(kernel), FileLock(f"{image}.lock"):
            assert clean(settings, **wish) == ()
    assert {gone.path for gone in clean(settings, everything=True)} == {kernel, image}
    assert not list((settings.cache / "kernels").iterdir())


def test_by_size_the_longest_unused_go_until_it_is_enough(settings: Settings) -> None:
    old = product(settings, "images/old", 30)
    used = product(settings, "kernels/used", 20)
    middle = product(settings, "tests/middle", 10)
    new = product(settings, "kernels/new", 0)
    with using(used):
        removed = clean(settings, older_than_days=None, below=3 * _MIB)
    assert [gone.path for gone in removed] == [old, middle]
    assert all(gone.size >= _MIB for gone in removed)
    assert used.exists()
    assert new.exists()
    assert size_of(settings.cache) < 3 * _MIB
    assert clean(settings, older_than_days=None, below=3 * _MIB) == ()


def test_age_and_size_together(settings: Settings) -> None:
    old, newer, new = (
        product(settings, f"kernels/{name}", days)
        for name, days in (("old", 9), ("newer", 5), ("new", 1))
    )
    removed = clean(settings, older_than_days=7, below=2 * _MIB)
    assert [gone.path for gone in removed] == [old, newer]
    assert new.exists()


@pytest.mark.parametrize("everything", [True, False])
def test_what_a_killed_one_left_goes_and_what_is_being_made_stays(
    settings: Settings, everything: bool
) -> None:
    gone = product(settings, "kernels/.gone-a", 0)
    cut = product(settings, "kernels/.part-old", 1)
    making = product(settings, "kernels/.part-new", 0)
    half = product(settings, "images/.making-x", 0)
    with FileLock(settings.cache / "images/x.lock"):
        removed = clean(settings, older_than_days=30, everything=everything)
    assert {entry.path for entry in removed} == {gone, cut}
    assert making.exists()
    assert {entry.path for entry in clean(settings, older_than_days=30)} == {half}
