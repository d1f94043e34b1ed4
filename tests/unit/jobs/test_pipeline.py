# SPDX-License-Identifier: GPL-2.0-only
"""Which stage a fault is blamed on: the one that it happened in, whatever was reached before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Unpack

import pytest

from kzc.errors import HostError, KzcError
from kzc.jobs import pipeline
from kzc.jobs.guests import Plan
from kzc.jobs.kernels import Wanted
from kzc.jobs.pipeline import Request
from kzc.jobs.workshop import Workshop
from kzc.kernel.build import compiler_version
from kzc.kernel.fragment import Fragment
from kzc.proc import Done, How, LocalRunner
from kzc.series.present import Present
from kzc.series.read import read_folder
from kzc.suites import binaries
from kzc.suites.manifest import Suite
from kzc.trees.tree import Tree
from kzc.values import Outcome, Stage, Verdict
from tests.unit.jobs.floor import series_of, tree_of

PLAIN = Wanted((Fragment("net.config", "CONFIG_NET=y\n"),))
SUITE = Suite.model_validate(
    {
        "name": "nothing",
        "title": "t",
        "guest": "mini",
        "commands": [{"name": "x", "run": "true", "parser": "exit"}],
    }
)


class Breaking(LocalRunner):
    """Breaks at a command with that word in it, after some that go well."""

    def __init__(self, word: str, well: int = 0) -> None:
        self._word = word
        self._left = well

    def capture(self, argv: Sequence[str], **how: Unpack[How]) -> Done:
        if self._word in argv:
            self._left -= 1
            if self._left < 0:
                raise HostError(f"{self._word} broke", "mend it")
        return super().capture(argv, **how)


def fault(shopfloor: Workshop, request: Request) -> Outcome:
    """The outcome that a run keeps of its error, the last one, in a run that is finished."""
    with pytest.raises(KzcError) as error:
        pipeline.run(shopfloor, request)
    run = shopfloor.run.run
    assert run.finished
    kept = run.outcomes[-1]
    assert (kept.reason, kept.detail["hint"]) == (error.value.message, error.value.hint)
    assert kept.detail["repeat"] == "kzc again"
    return kept


def programs_of(suite: Suite, tree: Tree, shopfloor: Workshop) -> None:
    """As if they had been built before."""
    key = binaries.key(suite, tree.tree_id, compiler_version(shopfloor.runner))
    folder = shopfloor.settings.cache / "tests" / key
    folder.mkdir(parents=True)
    (folder / binaries.ABSENT).write_text("{}")


def test_a_config_that_does_not_take_is_a_fault_of_the_build(
    kernel: Path, shopfloor: Workshop
) -> None:
    wanted = Wanted((Fragment("own.config", "CONFIG_BROKEN=y\n"),))
    kept = fault(shopfloor, Request(tree_of(kernel, shopfloor), wanted, Plan("tcg")))
    assert (kept.stage, kept.subject) == (Stage.BUILD, "kernel 6.12.117")
    assert kept.verdict is Verdict.FAIL
    assert len(shopfloor.run.run.outcomes) == 1


def test_a_host_that_breaks_while_applying(
    kernel: Path, shopfloor: Workshop, tmp_path: Path
) -> None:
    folder = series_of(
        kernel, tmp_path / "series", ("net/socket.c", "int socket_1;\n", "long socket_1;\n")
    )
    tree = tree_of(kernel, shopfloor)
    request = Request(tree, PLAIN, Plan("tcg"), read_folder(folder), (SUITE,))
    kept = fault(replace(shopfloor, runner=Breaking("worktree")), request)
    assert (kept.stage, kept.verdict) == (Stage.APPLY, Verdict.INFRA)


def test_a_host_that_breaks_while_the_test_programs_are_built(
    kernel: Path, shopfloor: Workshop
) -> None:
    request = Request(tree_of(kernel, shopfloor), PLAIN, Plan("tcg"), suites=(SUITE,))
    # the first question for the compiler is the kernel's
    kept = fault(replace(shopfloor, runner=Breaking("gcc", well=1)), request)
    assert [outcome.stage for outcome in shopfloor.run.run.outcomes] == [Stage.BUILD, Stage.TEST]
    assert (kept.subject, kept.verdict) == ("test programs", Verdict.INFRA)


def test_a_guest_that_cannot_be_started(kernel: Path, shopfloor: Workshop) -> None:
    tree = tree_of(kernel, shopfloor)
    programs_of(SUITE, tree, shopfloor)
    request = Request(tree, PLAIN, Plan("tcg"), suites=(SUITE,))
    settings = shopfloor.settings.model_copy(update={"qemu": "/nowhere/qemu"})
    kept = fault(replace(shopfloor, settings=settings), request)
    assert [outcome.stage for outcome in shopfloor.run.run.outcomes] == [Stage.BUILD, Stage.BOOT]
    assert (kept.subject, kept.verdict) == ("nothing", Verdict.INFRA)
    assert "/nowhere/qemu" in kept.reason


def test_a_series_that_the_tree_has_is_an_outcome_of_its_own_and_the_tree_is_built(
    kernel: Path, shopfloor: Workshop
) -> None:
    present = Present("three", "v6.7", ("net/socket.c:7",))
    tree = tree_of(kernel, shopfloor)
    run = pipeline.run(shopfloor, Request(tree, PLAIN, Plan("tcg"), present=present))
    applied, built = run.outcomes
    assert (applied.stage, applied.subject, applied.verdict) == (Stage.APPLY, "three", Verdict.SKIP)
    assert applied.reason == "6.12.117 has it already (since v6.7): nothing to apply"
    assert applied.detail["seen"] == ["net/socket.c:7"]
    assert run.environment["fit"] == "already there"
    assert (built.verdict, built.detail["tree_id"]) == (Verdict.PASS, tree.tree_id)


@pytest.mark.parametrize(("up", "blamed"), [(False, Stage.BOOT), (True, Stage.TEST)])
def test_a_fault_after_the_boot_is_one_of_the_test(
    shopfloor: Workshop, up: bool, blamed: Stage
) -> None:
    def broken() -> None:
        with pipeline.stage(shopfloor, Stage.BOOT, "vsock", then=Stage.TEST):
            if up:
                shopfloor.keep(Outcome(Stage.BOOT, "mini guest for vsock", Verdict.PASS))
            raise HostError("no")

    shopfloor.keep(Outcome(Stage.BOOT, "mini guest for an earlier suite", Verdict.PASS))
    with pytest.raises(HostError):
        broken()
    assert shopfloor.run.run.outcomes[-1].stage is blamed
