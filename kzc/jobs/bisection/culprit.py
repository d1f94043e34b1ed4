# SPDX-License-Identifier: GPL-2.0-only
"""What a bisection found out in words: the answer, what it rests on, and lines for a reply.

Pure: lines of plain text as they came; who shows them cleans them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kzc.jobs.bisection.belief import Tally
from kzc.jobs.bisection.drive import Found, point_name
from kzc.jobs.bisection.observations import Suspect
from kzc.jobs.bisection.search import Ending
from kzc.jobs.bisection.sightings import Sought
from kzc.values import Outcome, Stage, Verdict

_ID = 12


def headline(found: Found) -> str:
    """The answer in a sentence."""
    answer, culprits = found.answer, found.culprits
    sure = f"{_floor(answer.confidence)} confidence"
    total = len(found.question.suspects)
    if len(culprits) == 1:
        return f"patch {answer.first}/{total} broke it, {sure}: {culprits[0].subject}"
    if culprits:
        return f"one of patches {answer.first}-{answer.last} of {total} broke it, {sure}"
    if answer.ending is Ending.BASE_BAD:
        return f"{answer.ending}: none of the {total} patches broke it, {sure}"
    best = f"; the likeliest is patch {answer.first}, {sure}" if answer.first else ""
    return f"{answer.ending}: {answer.why}{best}" if answer.why else f"{answer.ending}{best}"


def report(found: Found, reporter: str) -> Iterator[str]:
    """The whole answer, line by line; `reporter` is NAME <MAIL>."""
    yield headline(found)
    for patch in found.culprits:
        name = f"  patch   {patch.number}: " if len(found.culprits) > 1 else "  author  "
        yield name + (f"{patch.subject}, " if len(found.culprits) > 1 else "") + patch.author
        if patch.commit:
            yield f"  commit  {patch.commit}"
    yield f"  failure {what(found.sought)}"
    if found.answer.rate:
        yield f"  rate    a kernel that has it fails in about {found.answer.rate:.0%} of runs"
    seconds = sum(seen.seconds for seen in found.observations)
    yield f"  runs    {len(found.observations)} in {seconds:.0f} s, builds included"
    yield ""
    yield from table(found)
    doubts = found.doubts
    if doubts:
        yield ""
        yield from (f"doubt: {doubt}" for doubt in doubts)
    if found.culprits:
        yield ""
        yield from reply(found, reporter)


def table(found: Found) -> Iterator[str]:
    """Runs by point: good, bad, and those that said nothing."""
    evidence = found.evidence
    yield f"{'point':<10}{'good':>5}{'bad':>5}{'other':>7}"
    for point in range(evidence.patches + 1):
        tally = evidence.tallies.get(point, Tally())
        other = sum(seen.point == point for seen in found.observations) - tally.runs
        subject = found.question.suspects[point - 1].subject if point else ""
        name = point_name(point).removeprefix("the ")
        cells = f"{name:<10}{tally.good or '.':>5}{tally.bad or '.':>5}{other or '.':>7}"
        yield f"{cells}  {subject}".rstrip()


def reply(found: Found, reporter: str) -> Iterator[str]:
    """Lines to paste into a reply, with trailers as the kernel's submitting-patches has them."""
    before, after = _sides(found)
    sure = _floor(found.answer.confidence)
    here = "one of these patches" if len(found.culprits) > 1 else "this patch"
    yield f"On {found.question.tree} this breaks"
    yield f"  {what(found.sought)}"
    yield f"since {here}: {after.bad} of {after.runs} runs with it fail,"
    yield f"{before.bad} of {before.runs} without it ({sure} confidence)."
    yield ""
    yield f"Reported-by: {reporter}"
    yield "Closes: (link to this report)"
    yield from (fixes(patch) for patch in found.culprits if patch.commit)


def fixes(patch: Suspect) -> str:
    """The Fixes: trailer of a commit."""
    return f'Fixes: {patch.commit[:_ID]} ("{patch.subject}")'


def what(sought: Sought) -> str:
    """What was looked for."""
    known = sought.case and sought.case not in sought.signature
    name = f"{sought.suite}: {sought.case}" if known else sought.suite
    if sought.worse:
        side = "larger" if sought.worse.up else "smaller"
        return f"{name}: {sought.worse.name} is {side} by more than {sought.worse.percent:g} %"
    return f"{name}: {sought.signature}" if sought.signature else name


def outcomes(found: Found) -> Iterator[Outcome]:
    """What the run's report shows: an outcome per point that was run, and one of the answer."""
    evidence = found.evidence
    for point in sorted({seen.point for seen in found.observations}):
        tally = evidence.tallies.get(point, Tally())
        verdict = Verdict.FAIL if tally.bad else Verdict.PASS if tally.runs else Verdict.NOT_RUN
        reason = f"{tally.good} good, {tally.bad} bad"
        if point in evidence.excluded:
            reason = "left out: it does not build, does not boot or fails in another way"
        yield Outcome(Stage.CHECK, f"bisect {point_name(point)}", verdict, reason=reason)
    verdict = Verdict.FAIL if found.answer.ending is not Ending.NOT_REPRODUCED else Verdict.NOT_RUN
    yield Outcome(Stage.CHECK, "bisect", verdict, reason=headline(found), detail=as_values(found))


def as_values(found: Found) -> dict[str, Any]:
    """The answer for machines."""
    evidence, answer = found.evidence, found.answer
    return {
        "ending": answer.ending.name.lower(),
        "patches": [patch.number for patch in found.culprits],
        "subjects": [patch.subject for patch in found.culprits],
        "commits": [patch.commit for patch in found.culprits if patch.commit],
        "confidence": answer.confidence,
        "rate": answer.rate,
        "failure": what(found.sought),
        "runs": len(found.observations),
        "seconds": sum(seen.seconds for seen in found.observations),
        "points": {
            str(point): {"good": tally.good, "bad": tally.bad}
            for point, tally in sorted(evidence.tallies.items())
        },
        "left_out": sorted(evidence.excluded),
        "doubts": list(found.doubts),
    }


def _sides(found: Found) -> tuple[Tally, Tally]:
    """Runs before the first culprit, and from the last one on."""
    before, after = Tally(), Tally()
    for point, tally in found.evidence.tallies.items():
        if point < found.answer.first:
            before += tally
        elif point >= found.answer.last:
            after += tally
    return before, after


def _floor(confidence: float) -> str:
    """Per cent, never rounded up: 99.99 is not 100."""
    return f"{int(confidence * 1000) / 10:g} %"
