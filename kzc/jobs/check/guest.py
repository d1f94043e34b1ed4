# SPDX-License-Identifier: GPL-2.0-only
"""Suites on each patch's kernel: no image is tested twice with the same programs.

A pass is remembered over runs, by the image's bytes; whatever else came out is tried again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from kzc.errors import UsageError
from kzc.jobs import guests, kernels
from kzc.jobs.check.bench import At
from kzc.jobs.check.memory import digest_of, key_of, recall, remember
from kzc.jobs.guests import Plan
from kzc.jobs.kernels import Wanted
from kzc.jobs.workshop import Workshop, stopwatch
from kzc.results.verdicts import judge
from kzc.suites.manifest import Suite
from kzc.values import Case, Outcome, Stage, Verdict, worst

_NO_KERNEL = "the kernel does not build"


@dataclass(frozen=True)
class Guests:
    """The suites of one run of checks; `tested` holds what was tested in it, and on which patch."""

    shopfloor: Workshop
    suites: tuple[Suite, ...]
    plan: Plan | None
    wanted: Wanted
    tested: dict[str, str] = field(default_factory=dict)

    def test(self, at: At, image: str) -> list[Case]:
        """A Case for each suite on the patch's kernel; `image` is its digest, empty without one."""
        if not image:
            return [self._missing(suite, _NO_KERNEL) for suite in self.suites]
        programs = kernels.make_tests(self.shopfloor, at.source, self.suites)
        return [self._suite(at, suite, image, programs) for suite in self.suites]

    def _suite(self, at: At, suite: Suite, image: str, programs: Mapping[str, Path]) -> Case:
        if suite.name not in programs:
            return self._missing(suite, "its programs do not build")
        identity = identity_of(image, programs[suite.name], suite, self.plan)
        before = self.tested.setdefault(identity, at.name)
        if before != at.name:
            reason = f"same image and programs as {before}"
            return Case(suite.name, Verdict.SKIP, reason=reason)
        known = recall(self.shopfloor, identity, str(at.number))
        if known is not None:
            return replace(known.cases[0], reason="tested before")
        case = self._run(at, suite, programs[suite.name])
        if case.verdict is Verdict.PASS:
            whole = Outcome(Stage.CHECK, "", case.verdict, cases=(case,))
            remember(self.shopfloor, identity, whole)
        return case

    def _run(self, at: At, suite: Suite, programs: Path) -> Case:
        """In a guest; what it found is kept in the run as a boot and a test of its own, too."""
        assert self.plan is not None
        watch, source = stopwatch(), at.source
        try:
            kernel = kernels.kernel_of(self.shopfloor, source, source.commit, self.wanted)
        except UsageError as error:  # not with this configuration, before a later patch
            return self._missing(suite, error.message)
        if kernel is None:
            return self._missing(suite, _NO_KERNEL)
        named = suite.model_copy(update={"name": f"{suite.name} on {at.name}"})
        kept = guests.test(
            self.shopfloor, kernel, named, programs, self.plan, repo=source.tree.repo
        )
        verdict = worst(judge(each) for each in kept)
        reason = kept[-1].reason
        if len(kept) == 1 and verdict.good:
            verdict, reason = Verdict.NOT_RUN, "the guest did not come up"
        detail = {"log": kept[-1].log} if kept[-1].log else {}
        return Case(suite.name, verdict, watch(), reason, detail)

    @staticmethod
    def _missing(suite: Suite, why: str) -> Case:
        return Case(suite.name, Verdict.NOT_RUN, reason=why)


def identity_of(image: str, programs: Path, suite: Suite, plan: Plan | None) -> str:
    """Names all that a suite's verdict depends on but chance."""
    return key_of("test", image, digest_of(programs), suite.model_dump_json(), plan)
