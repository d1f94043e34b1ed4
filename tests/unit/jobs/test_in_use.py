# SPDX-License-Identifier: GPL-2.0-only
"""What a run works with is not cleaned away under it."""

from contextlib import closing
from pathlib import Path

from kzc.jobs.places import Places
from kzc.settings import Settings
from kzc.trees.cleaning import clean


def test_a_kernel_in_use_stays_until_the_run_ends(tmp_path: Path) -> None:
    settings = Settings(cache=tmp_path / "cache", data=tmp_path / "data")
    folder = settings.cache / "kernels" / "0123456789abcdef01234567"
    with closing(Places()) as places:
        places.use(folder)  # it need not be there yet
        folder.mkdir(parents=True)
        (folder / "bzImage").write_bytes(b"kernel")
        assert clean(settings, everything=True) == ()
        assert (folder / "bzImage").exists()
    assert [entry.path for entry in clean(settings, everything=True)] == [folder]
    assert not folder.exists()
