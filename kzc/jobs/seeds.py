# SPDX-License-Identifier: GPL-2.0-only
"""The claims of seeds against the runs that are kept: which run tells, and what it says.

Of each claim the newest run tells that has all that it asks for; where none has, the newest one
that has the most. Wall time without KVM tells nothing, and neither does another kernel than the
claim's.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from kzc.bench.result import Bench
from kzc.jobs.seeds_found import Evidence, points_of
from kzc.results.matrix import of_suite
from kzc.results.verdicts import MEASUREMENT_ONLY
from kzc.seeds.manifest import Claim, Seed
from kzc.seeds.values import Answer, Document, Made, Point, Word, fold
from kzc.values import Outcome, Run, Stage

NONE = "none"
_LOOKED_AT = 12  # runs of each claim; those before are too old to be asked for


@dataclass(frozen=True)
class Shelf:
    """Runs that may tell, the newest first; `heads` lack cases and detail, which `load` gives.
    `bench` is what a run measured, None where that is not kept with it."""

    heads: Sequence[Run]
    load: Callable[[str], Run]
    bench: Callable[[Run], Bench | None]


@dataclass(frozen=True)
class Known:
    """What there is in this kzc, by name, and the tree that commands name (a seed's own if
    empty)."""

    suites: frozenset[str]
    plans: frozenset[str]
    tree: str = ""


def documents(seeds: Sequence[Seed], shelf: Shelf, known: Known) -> tuple[Document, ...]:
    """All seeds with what became of their claims."""
    return tuple(
        Document(
            seed.seed,
            seed.title,
            seed.author,
            seed.what,
            str(seed.date or ""),
            seed.links,
            seed.about,
            tuple(_answer(claim, shelf, known, known.tree or seed.tree) for claim in seed.claims),
        )
        for seed in seeds
    )


def _answer(claim: Claim, shelf: Shelf, known: Known, tree: str) -> Answer:
    told = Answer(
        claim.name,
        claim.says,
        claim.where,
        claim.proof,
        _rule(claim),
        Word.UNTOLD,
        "",
        note=claim.note,
        column="wanted" if claim.cases else "posted",
    )
    if claim.untold:
        return replace(told, why=claim.untold)
    command = shlex.join(command_of(claim, tree))
    best: tuple[int, Evidence, tuple[Point, ...]] | None = None
    for evidence in _evidence(claim, shelf):
        points = points_of(claim, evidence)
        score = sum(point.word is not Word.UNTOLD for point in points)
        if best is None or score > best[0]:
            best = score, evidence, points
        if score == len(points):
            break
    if best is None:
        there = known.plans if claim.plan else known.suites
        missing = (claim.plan or claim.suite) not in there
        why = f"this kzc has no {claim.proof}" if missing else f"never run: {command}"
        return replace(told, why=why, command=command)
    _, evidence, points = best
    word = fold(point.word for point in points)
    return replace(
        told, word=word, why=_why(points), points=points, made=_made(evidence), command=command
    )


def _rule(claim: Claim) -> str:
    if claim.cases:
        return f"all cases end as {' or '.join(claim.ends)}"
    part = f"{claim.figure}{f', {claim.unit}' if claim.unit else ''}"
    of = f" in percent of {claim.of}" if claim.of else ""
    rules = dict.fromkeys(str(point.rule or claim.rule) for point in claim.points)
    return f"{part} of {claim.cell}{of}: {', '.join(rules)}" if claim.figure else ""


def _why(points: Sequence[Point]) -> str:
    bad = [point for point in points if point.word is not Word.HOLDS]
    # a reason may begin with what it is of
    told = [
        point.why if point.why.startswith(point.name) else f"{point.name}: {point.why}"
        for point in bad
    ]
    if len(points) > 1 and bad:
        told.insert(0, f"{len(points) - len(bad)} of {len(points)} hold")
    return "; ".join(told)


def command_of(claim: Claim, tree: str) -> tuple[str, ...]:
    """What proves a claim on a tree."""
    topology = ("--topology", claim.topology) if claim.topology != "loopback" else ()
    where = (*topology, *(("--profile", claim.profile) if claim.profile else ()))
    overlay = ("--overlay", claim.overlay) if claim.overlay else ()
    series = (claim.series,) if claim.series else ()
    if claim.plan:
        plan = ("--plan", claim.plan)
        return ("kzc", "bench", *series, *plan, *overlay, *where, "--tree", tree)
    overlay = overlay if claim.overlay != NONE else ()
    if series:
        suite = ("--suite", claim.suite)
        return ("kzc", "run", *series, *suite, *overlay, *where, "--tree", tree)
    return ("kzc", "test", claim.suite, *overlay, *where, "--tree", tree)


def _evidence(claim: Claim, shelf: Shelf) -> Iterator[Evidence]:
    """What runs have for a claim, the newest first; of a run its last try."""
    name, stage = (claim.plan, Stage.BENCH) if claim.plan else (claim.suite, Stage.TEST)
    looked = 0
    for head in shelf.heads:
        if looked == _LOOKED_AT:
            return
        if not any(each.stage is stage and name in each.subject for each in head.outcomes):
            continue
        looked += 1
        run = shelf.load(head.id)
        # a suite of whose programs one did not build was not run
        kept = [each for each in run.outcomes if each.stage is stage and (claim.plan or each.cases)]
        found = [each for each in kept if _fits(run, each, claim)]
        if not found:
            continue
        bench = shelf.bench(run) if claim.plan else None
        if bench is not None and bench.name != name:
            bench = None
        if bench is None or bench.posting:
            yield Evidence(run, found[-1], bench)


def _fits(run: Run, outcome: Outcome, claim: Claim) -> bool:
    if claim.plan:
        named = outcome.detail.get("plan", outcome.subject) == claim.plan
    else:
        name, where = of_suite(outcome)
        named = name == claim.suite and where.split()[-1] == claim.topology
    unclean = run.environment.get(MEASUREMENT_ONLY, "")
    overlaid = not unclean if claim.overlay == NONE else claim.overlay in unclean
    return named and overlaid and (not claim.series or claim.series in _series(run, outcome))


def _series(run: Run, outcome: Outcome) -> str:
    job = outcome.detail.get("job")
    if isinstance(job, dict) and job.get("series"):
        return str(job["series"])
    return run.environment.get("series", "")


def _tree(run: Run, outcome: Outcome) -> str:
    job = outcome.detail.get("job")
    if isinstance(job, dict) and job.get("tree"):
        return str(job["tree"])
    return run.environment.get("tree", "")


def _made(evidence: Evidence) -> Made:
    run, outcome, bench = evidence.run, evidence.outcome, evidence.bench
    series, tree = _series(run, outcome), _tree(run, outcome)
    kernel = f"{tree} with {series}" if series and series != NONE else tree
    accelerator = run.environment.get("accelerator", "").partition(":")[0]
    clock = outcome.detail.get("clock", "")
    where = bench.topology if bench else of_suite(outcome)[1].split()[-1]
    how = [f"{clock} time" if clock else "", where if outcome.stage is Stage.TEST or bench else ""]
    how += [f"profile {run.environment.get('profile', '')}".strip(), accelerator]
    unclean = run.environment.get(MEASUREMENT_ONLY, "")
    notes = [f"NOT CLEAN: the kernel has {unclean}, for measurement only" if unclean else ""]
    if not run.finished:
        notes.append("the run was cut short")
    return Made(
        run.id,
        run.started,
        shlex.join(run.command),
        kernel,
        ", ".join(filter(None, how)),
        tuple(filter(None, notes)),
    )
