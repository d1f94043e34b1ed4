# SPDX-License-Identifier: GPL-2.0-only
"""The main job: apply, build, boot, test. Each stage's outcome is kept as soon as it is known.

What could not be reached is said too: a stage after one that failed is NOT_RUN, never absent.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from kzc.errors import KzcError
from kzc.jobs import guests, kernels, two_ends
from kzc.jobs.guests import Plan
from kzc.jobs.kernels import Source, Wanted
from kzc.jobs.workshop import Workshop
from kzc.series.present import Present
from kzc.suites.manifest import Suite
from kzc.trees.tree import Tree
from kzc.values import KernelBuild, Outcome, Run, Series, Stage, Verdict


@dataclass(frozen=True)
class Request:
    """What is asked: a tree, perhaps a series on it, and suites (none: apply and build only).

    `present` is in place of a series that the tree has already.
    """

    tree: Tree
    wanted: Wanted
    plan: Plan
    series: Series | None = None
    suites: tuple[Suite, ...] = ()
    loopback: bool = True
    two_ends: two_ends.Asked = field(default_factory=two_ends.Asked)
    present: Present | None = None


def run(shopfloor: Workshop, request: Request) -> Run:
    """Do all that the request asks for and return the finished run.

    A KzcError (bad config, a host that broke) is kept as an outcome of the stage that it happened
    in, and raised again.
    """
    name = request.series.name if request.series else request.tree.version
    with stage(shopfloor, Stage.APPLY, name):
        source = kernels.source_of(shopfloor, request.tree, request.series, request.present)
    if source is None:
        _left_out(shopfloor, request, "the series does not apply", with_build=True)
        return shopfloor.run.finish()
    with stage(shopfloor, Stage.BUILD, f"kernel {request.tree.version}"):
        built = kernels.make_kernel(shopfloor, source, request.wanted)
    if built is None:
        _left_out(shopfloor, request, "the kernel does not build", with_build=False)
        return shopfloor.run.finish()
    _test(shopfloor, source, built, request)
    return shopfloor.run.finish()


def _test(shopfloor: Workshop, source: Source, built: KernelBuild, request: Request) -> None:
    with stage(shopfloor, Stage.TEST, "test programs"):
        programs = kernels.make_tests(shopfloor, source, request.suites)
    for suite in request.suites if request.loopback else ():
        if suite.name not in programs or not suite.commands:
            continue
        with stage(shopfloor, Stage.BOOT, suite.name, then=Stage.TEST):
            kept = guests.test(
                shopfloor,
                built,
                suite,
                programs[suite.name],
                request.plan,
                repo=source.tree.repo,
            )
        if len(kept) == 1:
            _not_run(shopfloor, [suite], "the guest did not come up")
    if request.two_ends.topologies:
        own = two_ends.Made("", built, programs, source.tree.repo)
        with stage(shopfloor, Stage.BOOT, "two ends"):
            two_ends.Job(
                shopfloor,
                request.two_ends,
                request.wanted,
                request.plan,
                request.suites,
                {"": own},
            ).run()


def _left_out(shopfloor: Workshop, request: Request, why: str, *, with_build: bool) -> None:
    if with_build:
        subject = f"kernel {request.tree.version}"
        shopfloor.keep(Outcome(Stage.BUILD, subject, Verdict.NOT_RUN, reason=why))
    _not_run(shopfloor, request.suites, why)


def _not_run(shopfloor: Workshop, suites: Sequence[Suite], why: str) -> None:
    for suite in suites:
        shopfloor.keep(Outcome(Stage.TEST, suite.name, Verdict.NOT_RUN, reason=why))


@contextmanager
def stage(
    shopfloor: Workshop, now: Stage, subject: str, *, then: Stage | None = None
) -> Iterator[None]:
    """Blame a KzcError on the stage `now`, or on `then` once `now` has kept an outcome in here."""
    before = len(shopfloor.run.run.outcomes)
    try:
        yield
    except KzcError as error:
        ended = any(kept.stage is now for kept in shopfloor.run.run.outcomes[before:])
        blamed = then if then and ended else now
        verdict = Verdict.INFRA if error.exit_code == 3 else Verdict.FAIL
        detail = {"hint": error.hint, "repeat": shopfloor.again}
        shopfloor.keep(Outcome(blamed, subject, verdict, reason=error.message, detail=detail))
        shopfloor.run.finish()
        raise
