# SPDX-License-Identifier: GPL-2.0-only
"""The series that kzc carries, to the standard at which one would post it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from kzc.errors import CommandFailed
from kzc.kernel.diagnostics import parse
from kzc.proc import LocalRunner
from kzc.series.apply import Applied, apply_series
from kzc.series.find import load_series
from kzc.settings import Settings, load_settings
from kzc.shared import shared_folder
from kzc.trees.find import find_tree
from kzc.trees.slots import Slot, checkout, move
from kzc.values import Diagnostic, Series
from tests.vm.conftest import SERIES, TREE, Kzc

pytestmark = pytest.mark.xdist_group("slot")
RUNNER = LocalRunner()
ARCHES = ("alpha", "mips", "parisc", "sparc")


@pytest.fixture
def settings() -> Settings:
    return load_settings({}, Path.cwd())


@pytest.fixture
def series() -> Series:
    return load_series(shared_folder("patches"), SERIES, "6.12")


@pytest.fixture
def slot(settings: Settings) -> Iterator[Slot]:
    tree = find_tree(TREE, Path.cwd(), settings, RUNNER)
    with checkout(tree.repo, tree.commit, settings, RUNNER) as held:
        yield held


@pytest.fixture
def applied(slot: Slot, series: Series) -> Applied:
    found = apply_series(slot.path, series, RUNNER)
    assert found.whole
    return found


@pytest.mark.vm
def test_checkpatch_strict_has_nothing_to_say(slot: Slot, series: Series, tmp_path: Path) -> None:
    for patch in series.patches:
        file = tmp_path / f"{patch.number}.patch"
        file.write_bytes(patch.body)
        # new files: they lie in folders that MAINTAINERS names
        known = ("--ignore", "FILE_PATH_CHANGES")
        words = ["scripts/checkpatch.pl", "--strict", "--no-tree", *known, str(file)]
        done = RUNNER.capture(words, cwd=slot.path, check=False)
        assert "total: 0 errors, 0 warnings, 0 checks" in done.stdout, done.stdout


@pytest.mark.vm
def test_the_cmsg_number_is_free_on_every_architecture(slot: Slot, applied: Applied) -> None:
    headers = ["include/uapi/asm-generic/socket.h"]
    headers += [f"arch/{arch}/include/uapi/asm/socket.h" for arch in ARCHES]
    for header in headers:
        numbers: dict[int, list[str]] = {}
        for line in (slot.path / header).read_text().splitlines():
            words = line.split()
            if (
                words[:1] == ["#define"]
                and len(words) >= 3
                and words[1].startswith(("SO_", "SCM_"))
            ):
                try:
                    numbers.setdefault(int(words[2], 0), []).append(words[1])
                except ValueError:
                    continue  # defined as another name
        mine = [names for names in numbers.values() if "SCM_ZC_NOTIFICATION" in names]
        assert mine == [["SCM_ZC_NOTIFICATION"]], header


@pytest.mark.full
def test_every_patch_compiles_alone_without_new_warnings(
    slot: Slot, applied: Applied, series: Series, settings: Settings, tmp_path: Path
) -> None:
    objects = sorted(
        {
            file.removesuffix(".c") + ".o"
            for patch in series.patches
            for file in patch.files
            if file.endswith(".c") and file.startswith("net/")
        }
    )
    assert objects
    out = slot.folder / "build-w1"
    names = [f"{name}.config" for name in ("base", "guest", "net", "vsock", "compat")]
    config = tmp_path / "all.config"
    config.write_text("".join((shared_folder("kconfigs") / name).read_text() for name in names))
    make = ["make", "-C", str(slot.path), f"O={out}", f"-j{settings.jobs}", "CC=ccache gcc"]
    env = {"CCACHE_DIR": str(settings.cache / "ccache")}

    def warnings(commit: str) -> set[tuple[str, str]]:
        move(slot, commit, RUNNER)
        lines: list[str] = []
        try:
            for line in RUNNER.stream([*make, "W=1", *objects], log=tmp_path / "log", env=env):
                lines.append(line)
        except CommandFailed as failed:
            pytest.fail(f"{commit} does not compile:\n{failed.tail}")
        found: tuple[Diagnostic, ...] = parse(lines, str(slot.path))
        return {(entry.file, entry.text) for entry in found}

    configure = [*make, f"KCONFIG_ALLCONFIG={config}", "allnoconfig"]
    list(RUNNER.stream(configure, log=tmp_path / "log"))
    before = warnings(applied.base)
    for commit in applied.commits:
        assert commit is not None
        after = warnings(commit)
        assert not after - before
        before |= after


@pytest.mark.full
def test_the_series_passes_with_the_kernels_own_checkers(kzc: Kzc) -> None:
    done = kzc("run", SERIES, "--tree", TREE, "--profile", "debug")
    assert done.code == 0, done.said
    report = kzc.report()
    assert not any(outcome["detail"].get("findings") for outcome in report["outcomes"])
