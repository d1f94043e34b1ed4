# SPDX-License-Identifier: GPL-2.0-only
"""Applying and building through the real rooms, on a kernel that compiles in a blink."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from kzc.errors import UsageError
from kzc.jobs import building, kernels
from kzc.jobs.kernels import Source, Wanted
from kzc.jobs.workshop import Workshop
from kzc.kernel.bzimage import built_before, measured
from kzc.kernel.fragment import Fragment
from kzc.results.store import Store
from kzc.series.find import load_series
from kzc.series.read import read_folder
from kzc.shared import shared_folder
from kzc.values import KernelBuild, Verdict
from tests.fakelinux import commit, edit
from tests.unit.jobs.floor import Recorder, series_of, tree_of

PLAIN = Wanted((Fragment("net.config", "CONFIG_NET=y\n"),))


def plain_source(kernel: Path, shopfloor: Workshop) -> Source:
    tree = tree_of(kernel, shopfloor)
    return Source(tree, tree.commit, tree.tree_id)


def test_a_kernel_is_built_once_and_then_found(kernel: Path, shopfloor: Workshop) -> None:
    source = plain_source(kernel, shopfloor)
    first = kernels.make_kernel(shopfloor, source, PLAIN)
    second = kernels.make_kernel(shopfloor, source, PLAIN)
    assert first is not None
    assert second is not None
    assert (first.key, first.cached, second.cached) == (second.key, False, True)
    assert Path(first.image).exists()
    outcomes = shopfloor.run.run.outcomes
    assert [outcome.reason for outcome in outcomes] == [
        "built, no warnings",
        "built before, no warnings",
    ]
    assert "CONFIG_NET=y" in (Path(first.folder) / "config").read_text()


def test_who_asks_for_a_kernel_that_is_being_built_waits_for_it(
    kernel: Path, shopfloor: Workshop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = plain_source(kernel, shopfloor)
    waits, builds = threading.Event(), []
    build_in = building.build_in

    class Impatient(Recorder):
        def step(self, text: str) -> None:
            super().step(text)
            waits.set()

    def another() -> tuple[KernelBuild | None, list[str]]:
        with Store(tmp_path / "another").create(("kzc",), {}, "0") as run:
            screen = Impatient()
            there = Workshop(shopfloor.settings, shopfloor.runner, screen, run, "kzc again")
            return kernels.make_kernel(there, source, PLAIN), screen.steps

    def slow(*how: Any) -> KernelBuild:
        builds.append(pool.submit(another))
        assert waits.wait(60)
        return build_in(*how)

    monkeypatch.setattr(building, "build_in", slow)
    with ThreadPoolExecutor() as pool:
        first = kernels.make_kernel(shopfloor, source, PLAIN)
    (other,) = builds
    second, steps = other.result()
    assert first is not None
    assert second is not None
    assert (first.key, first.cached, second.cached) == (second.key, False, True)
    assert steps[0] == "waiting for another kzc, which builds this kernel"
    assert not list((shopfloor.settings.cache / "kernels").glob(".*.building"))


def test_another_config_or_commit_is_another_kernel(kernel: Path, shopfloor: Workshop) -> None:
    first = kernels.make_kernel(shopfloor, plain_source(kernel, shopfloor), PLAIN)
    other = Wanted((*PLAIN.fragments, Fragment("more.config", "CONFIG_VSOCKETS=y\n")))
    second = kernels.make_kernel(shopfloor, plain_source(kernel, shopfloor), other)
    edit(kernel / "net/socket.c", "int socket_1;\n", "int socket_one;\n")
    commit(kernel)
    third = kernels.make_kernel(shopfloor, plain_source(kernel, shopfloor), PLAIN)
    assert first is not None
    assert second is not None
    assert third is not None
    assert len({first.key, second.key, third.key}) == 3


def test_a_kernel_with_an_overlay_is_known_by_its_key(kernel: Path, shopfloor: Workshop) -> None:
    edited = ("net/socket.c", "int socket_1;\n", "int socket_one;\n")
    series = read_folder(series_of(kernel, kernel.parent / "mails", edited))
    overlay = load_series(shared_folder("patches"), "bench-localhost-zerocopy", "6.12").patches[0]
    for subject, names in (("plain", ()), (overlay.subject, ("bench-localhost-zerocopy",))):
        named = replace(series, patches=(replace(series.patches[0], subject=subject),))
        source = kernels.apply(shopfloor, tree_of(kernel, shopfloor), named)
        assert source is not None
        built = kernels.make_kernel(shopfloor, source, PLAIN)
        assert built is not None
        (found,) = built_before(built.key, shopfloor.settings.cache / "kernels")
        assert measured(found) == names


def test_warnings_are_reported_by_file(kernel: Path, shopfloor: Workshop) -> None:
    edit(kernel / "net/socket.c", "int socket_1;\n", "static int socket_1;\n")
    commit(kernel)
    built = kernels.make_kernel(shopfloor, plain_source(kernel, shopfloor), PLAIN)
    assert built is not None
    assert [(warning.file, warning.line) for warning in built.warnings] == [("net/socket.c", 1)]
    assert shopfloor.run.run.outcomes[0].reason == "built, 1 warning"


def test_the_second_build_knows_how_far_it_is(kernel: Path, shopfloor: Workshop) -> None:
    kernels.make_kernel(shopfloor, plain_source(kernel, shopfloor), PLAIN)
    screen = shopfloor.screen
    assert isinstance(screen, Recorder)
    assert set(screen.fractions) == {None}
    screen.fractions.clear()
    edit(kernel / "net/socket.c", "int socket_1;\n", "int socket_one;\n")
    commit(kernel)
    kernels.make_kernel(shopfloor, plain_source(kernel, shopfloor), PLAIN)
    assert screen.fractions
    assert all(fraction is not None and 0 <= fraction <= 1 for fraction in screen.fractions)


def test_the_patch_that_breaks_the_build_is_named(
    kernel: Path, shopfloor: Workshop, tmp_path: Path
) -> None:
    folder = series_of(
        kernel,
        tmp_path / "series",
        ("net/socket.c", "int socket_1;\n", "long socket_1;\n"),
        ("net/core/sock.c", "int sock_5;\n", "nonsense sock_5;\n"),
        ("net/socket.c", "int socket_9;\n", "long socket_9;\n"),
    )
    source = kernels.apply(shopfloor, tree_of(kernel, shopfloor), read_folder(folder))
    assert source is not None
    assert kernels.make_kernel(shopfloor, source, PLAIN) is None
    failed = shopfloor.run.run.outcomes[-1]
    assert failed.verdict is Verdict.FAIL
    assert failed.reason.startswith("patch 2/3 (net/core/sock.c: nonsense sock_5;) broke")
    assert failed.detail["errors"][0]["file"] == "net/core/sock.c"
    assert failed.detail["errors"][0]["line"] == 5
    assert (shopfloor.run.folder / failed.log).exists()


def test_any_commit_of_a_series_can_be_built_and_nothing_is_kept(
    kernel: Path, shopfloor: Workshop, tmp_path: Path
) -> None:
    folder = series_of(
        kernel,
        tmp_path / "series",
        ("net/socket.c", "int socket_1;\n", "long socket_1;\n"),
        ("net/core/sock.c", "int sock_5;\n", "nonsense sock_5;\n"),
    )
    source = kernels.apply(shopfloor, tree_of(kernel, shopfloor), read_folder(folder))
    assert source is not None
    assert source.applied is not None
    before = shopfloor.run.run.outcomes
    first, second = source.applied.commits
    assert first is not None
    assert second is not None
    built = kernels.kernel_of(shopfloor, source, first, PLAIN)
    assert built is not None
    assert Path(built.image).exists()
    assert kernels.kernel_of(shopfloor, source, second, PLAIN) is None
    again = kernels.kernel_of(shopfloor, source, first, PLAIN)
    assert again is not None
    assert (again.key, again.cached) == (built.key, True)
    assert shopfloor.run.run.outcomes == before


def test_a_tree_that_was_broken_before_is_not_blamed_on_the_series(
    kernel: Path, shopfloor: Workshop, tmp_path: Path
) -> None:
    edit(kernel / "net/core/sock.c", "int sock_5;\n", "nonsense sock_5;\n")
    commit(kernel)
    folder = series_of(
        kernel, tmp_path / "series", ("net/socket.c", "int socket_1;\n", "long socket_1;\n")
    )
    source = kernels.apply(shopfloor, tree_of(kernel, shopfloor), read_folder(folder))
    assert source is not None
    assert kernels.make_kernel(shopfloor, source, PLAIN) is None
    assert "without the series either" in shopfloor.run.run.outcomes[-1].reason


def test_a_series_that_does_not_fit_stops_with_both_sides(
    kernel: Path, shopfloor: Workshop, tmp_path: Path
) -> None:
    folder = series_of(
        kernel, tmp_path / "series", ("net/socket.c", "int socket_7;\n", "long socket_7;\n")
    )
    edit(kernel / "net/socket.c", "int socket_7;\n", "char socket_7;\n")
    commit(kernel)
    assert kernels.apply(shopfloor, tree_of(kernel, shopfloor), read_folder(folder)) is None
    outcome = shopfloor.run.run.outcomes[-1]
    assert outcome.verdict is Verdict.FAIL
    log = (shopfloor.run.folder / outcome.log).read_text()
    assert "long socket_7" in log
    assert "char socket_7" in log


def test_a_symbol_that_did_not_take_says_why(kernel: Path, shopfloor: Workshop) -> None:
    wanted = Wanted((Fragment("own.config", "\nCONFIG_BROKEN=y\n"),))
    with pytest.raises(UsageError) as error:
        kernels.make_kernel(shopfloor, plain_source(kernel, shopfloor), wanted)
    assert error.value.message == (
        "CONFIG_BROKEN=y (own.config:2) became n: depends on MISSING (net/Kconfig:3), and MISSING=n"
    )
