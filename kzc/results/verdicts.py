# SPDX-License-Identifier: GPL-2.0-only
"""What a run amounts to: its verdict and the process's exit status. No other place decides that.

Rule: guilty until proven innocent. An outcome is no better than its worst case, and a run that
was cut short or found out nothing is never good.
"""

from __future__ import annotations

from kzc.values import Outcome, Run, Stage, Verdict, worst

GOOD, CODE_FAILED, HOST_BROKE = 0, 1, 3
SKIP, STOP = 125, 128
"""What `git bisect run` takes for a commit that tells nothing, and for its own end."""

_SEEN_BAD = frozenset({Verdict.FAIL, Verdict.CRASH, Verdict.TIMEOUT})
_RAN = frozenset({Verdict.PASS, Verdict.XFAIL})
MEASUREMENT_ONLY = "measurement_only"
"""Key of `Run.environment`: names of what was put on the kernel only to measure."""


def judge(outcome: Outcome) -> Verdict:
    """The worse of an outcome's own verdict and its cases'."""
    return worst((outcome.verdict, *(case.verdict for case in outcome.cases)))


def verdict_of(run: Run) -> Verdict:
    """The worst of all outcomes with their cases; NOT_RUN where there is none."""
    return worst(judge(outcome) for outcome in run.outcomes)


def verdict_word(run: Run) -> str:
    """The verdict's word; `not_clean` for a good one of what is for measurement only."""
    verdict = verdict_of(run)
    measured = verdict.good and run.environment.get(MEASUREMENT_ONLY)
    return "not_clean" if measured else verdict.value


def is_clean(run: Run) -> bool:
    """Whether a good verdict says something of a kernel that one could merge."""
    return exit_code(run) == GOOD and not run.environment.get(MEASUREMENT_ONLY)


def exit_code(run: Run) -> int:
    """0 all good; 1 the code under test failed (also: tests did not run); 3 the host broke.

    A host that broke explains tests that did not run, so these two together give 3. An
    unfinished run gives 3 unless a failure was seen before it was cut; so does one without any
    outcome. A good run for measurement only has 0 too: it did what it was asked for, and all
    reports say that it is not clean. Call it after `OpenRun.finish`.
    """
    if not run.outcomes:
        return HOST_BROKE
    verdict = verdict_of(run)
    if verdict is Verdict.INFRA:
        return HOST_BROKE
    if not verdict.good:
        return CODE_FAILED
    return GOOD if run.finished else HOST_BROKE


def bisect_status(run: Run | None, status: int) -> int:
    """The status for `git bisect run` of a run that ended with `status`.

    0 good: tests were run, and nothing speaks against the kernel. 1 bad: a test failed in a guest.
    125 skip: not built, not booted, the host broke, nothing was tested. 128 and more, which ends
    the bisection: it was interrupted, or the command itself is wrong (no run had begun).
    """
    if status >= STOP:
        return status
    if run is None:
        return STOP if status == 2 else SKIP
    tests = [outcome for outcome in run.outcomes if outcome.stage is Stage.TEST and outcome.cases]
    if any(judge(outcome) in _SEEN_BAD for outcome in tests):
        return CODE_FAILED
    ran = any(case.verdict in _RAN for outcome in tests for case in outcome.cases)
    return GOOD if ran and verdict_of(run).good and run.finished else SKIP
