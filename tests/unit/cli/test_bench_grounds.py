# SPDX-License-Identifier: GPL-2.0-only
"""Which kernels `kzc bench --base` means."""

from __future__ import annotations

from pathlib import Path

import pytest

from kzc.cli import app
from kzc.cli.bench_grounds import grounds
from kzc.cli.job import understand
from kzc.cli.options import Asked
from kzc.errors import UsageError
from kzc.jobs.bench import Ground
from tests.unit.series.posts import mbox, posting


def found(base: str, asked: Asked | None = None) -> tuple[Ground, ...]:
    asked = asked or Asked()
    return grounds(understand(asked, with_suites=False), asked, base)


def test_without_a_base_there_is_one_kernel(kernel: Path) -> None:
    (own,) = found("")
    assert own.label == "6.12.117"
    assert own.what.startswith("6.12.117, commit ")


def test_a_base_is_any_kernel_that_kzc_knows_and_comes_first(kernel: Path) -> None:
    base, own = found("HEAD")
    assert (base.label, own.label) == ("base", "after")
    assert base.choice.tree.commit == own.choice.tree.commit
    assert base.choice.series is None
    with pytest.raises(UsageError, match="is no kernel to choose"):
        found("nonsense")


def test_a_version_is_the_posting_that_was_imported(kernel: Path) -> None:
    (kernel / "t.mbox").write_bytes(mbox([*posting(1), *posting(2, "char", day=5)]))
    assert app.run(["import", "t.mbox", "--version", "1", "--name", "widen-v1"]) == 0
    assert app.run(["import", "t.mbox", "--version", "2", "--name", "widen"]) == 0
    for version in (1, 2):
        base, _ = found(f"widen@v{version}")
        assert base.choice.series is not None
        assert base.choice.series.version == version
        assert base.what == f"widen@v{version}"
    with pytest.raises(UsageError, match="version 7 of widen was not imported") as raised:
        found("widen@v7")
    assert "--version 7" in raised.value.hint
