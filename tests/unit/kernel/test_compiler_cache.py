# SPDX-License-Identifier: GPL-2.0-only
"""ccache's part of the cache gets smaller by ccache's own hand."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from kzc.kernel.compiler_cache import trim
from tests.plain import RUNNER

pytestmark = pytest.mark.skipif(
    not (shutil.which("ccache") and shutil.which("gcc")), reason="needs ccache and gcc"
)


def filled(folder: Path, objects: int) -> Path:
    """A ccache with that many objects of about 100 kB that do not compress."""
    cache = folder / "ccache"
    for number in range(objects):
        words = ",".join(str(byte) for byte in os.urandom(100_000))
        source = folder / f"{number}.c"
        source.write_text(f"const unsigned char noise{number}[] = {{{words}}};\n")
        subprocess.run(
            ["ccache", "gcc", "-c", str(source), "-o", str(folder / f"{number}.o")],
            env={**os.environ, "CCACHE_DIR": str(cache)},
            check=True,
        )
    return cache


def stored(cache: Path) -> int:
    return sum(path.stat().st_size for path in cache.rglob("*R") if path.is_file())


def test_everything_goes(tmp_path: Path) -> None:
    cache = filled(tmp_path, 2)
    assert trim(cache, RUNNER, older_than_days=30) == 0
    assert stored(cache) > 200_000
    assert trim(cache, RUNNER, everything=True) > 200_000
    assert stored(cache) == 0


def test_down_to_a_size_and_no_limit_stays_behind(tmp_path: Path) -> None:
    cache = filled(tmp_path, 4)
    assert trim(cache, RUNNER, below=10 << 20) == 0
    freed = trim(cache, RUNNER, below=200_000)
    assert freed > 100_000
    assert stored(cache) <= 200_000
    conf = cache / "ccache.conf"
    assert not conf.exists() or "max_size" not in conf.read_text()


def test_no_ccache_folder_is_nothing_to_do(tmp_path: Path) -> None:
    assert trim(tmp_path / "none", RUNNER, everything=True) == 0
    assert not (tmp_path / "none").exists()
