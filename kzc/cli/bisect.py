# SPDX-License-Identifier: GPL-2.0-only
"""`kzc bisect`: options become a question, an answer becomes words and a status.

0: a patch was named. 1: it was not (the base fails already, not reproduced, undecided).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import accumulate
from pathlib import Path

from rich.console import Console
from rich.text import Text

from kzc.cli.job import Job, understand
from kzc.cli.mainjob import begun, plan_for, working
from kzc.cli.options import Asked
from kzc.errors import KzcError, UsageError
from kzc.git import Git, keep
from kzc.jobs import kernels
from kzc.jobs.bisection import culprit
from kzc.jobs.bisection import drive as job_of
from kzc.jobs.bisection.belief import Goal
from kzc.jobs.bisection.drive import Found
from kzc.jobs.bisection.observations import FILE, Log, Observation, Question, Suspect
from kzc.jobs.bisection.points import Line, Points
from kzc.jobs.bisection.sightings import BOOT, Seen, Sought, sought
from kzc.jobs.workshop import Screen, Workshop
from kzc.proc import LocalRunner, Runner
from kzc.results.clean import LONG, cut, printable, short
from kzc.results.store import Store
from kzc.series.apply import key_of
from kzc.settings import load_settings
from kzc.trees.checkouts import tree_of_path
from kzc.trees.tree import describe
from kzc.values import Case, Outcome, Stage, Verdict

_SLOWER = Goal(rate_min=0.5, false_rate=0.05)
_VERDICTS = {Seen.GOOD: Verdict.PASS, Seen.BAD: Verdict.FAIL, Seen.MEASURED: Verdict.PASS}


@dataclass(frozen=True)
class Wish:
    """What the command line says beyond tree and guest."""

    test: str = ""
    signature: str = ""
    worse: str = ""
    confidence: float = 0.99
    rate: float | None = None
    rate_min: float | None = None
    cap: int = 1000
    grid: bool = False
    runs: int = 10
    replay: str = ""
    resume: str = ""
    last_programs: bool = False
    as_json: bool = False


@dataclass(frozen=True)
class Quiet:
    """A screen that leaves cases and outcomes to the one line per run."""

    screen: Screen

    def step(self, text: str) -> None:
        self.screen.step(text)

    def progress(self, text: str, fraction: float | None) -> None:
        self.screen.progress(text, fraction)

    def case(self, case: Case) -> None:
        return

    def outcome(self, outcome: Outcome) -> None:
        return


def bisect(asked: Asked, wish: Wish) -> int:
    """Find the patch, or read the answer out of a log."""
    if wish.replay:
        return _said(job_of.replay(_log(wish.replay)), wish)
    if not asked.series:
        raise UsageError("no series to look in", "kzc bisect SERIES --test SUITE[:CASE]")
    looked_for = sought(wish.test, wish.signature, wish.worse)
    goal = goal_of(wish)
    suites = () if looked_for.suite == BOOT else (looked_for.suite,)
    job, commits = based(understand(replace(asked, suites=suites), False), asked.series)
    if job.suites and not job.suites[0].commands:
        raise UsageError(f"{looked_for.suite} runs between two ends only", "one in one guest")
    series = job.patches("bisect")
    plan, facts = plan_for(job)
    known = _log(wish.resume) if wish.resume else None
    with begun(job, facts) as (run, places), working(job, run, places) as shopfloor:
        _say(f"if this is cut short, the same with --resume {run.run.id} goes on from there")
        source = kernels.apply(shopfloor, job.tree, series)
        if source is None or source.applied is None:
            raise KzcError(
                f"{series.name} does not apply to {job.tree.version}",
                f"`kzc report {run.run.id}` shows where",
            )
        filled = accumulate(source.applied.commits, lambda a, b: b or a, initial=job.tree.commit)
        points = tuple(commit or job.tree.commit for commit in filled)
        question = _question(job, (looked_for, goal), commits, wish.last_programs)
        before = job_of.known_from(known, question) if known else ()
        quiet = replace(shopfloor, screen=Quiet(shopfloor.screen))
        suite = job.suites[0] if job.suites else None
        line = Line(source, points, job.wanted, plan, suite, wish.last_programs)
        with Log(run.folder / FILE, question, before) as log:
            machine, shown = Points(quiet, line), _shower(shopfloor, len(question.suspects))
            if wish.grid:
                found = job_of.scan(log, machine, wish.runs, shown)
            else:
                found = job_of.search(log, machine, shown)
        for outcome in culprit.outcomes(found):
            run.append(outcome)
        run.finish()
    status = _said(found, wish)
    if not wish.as_json:
        print(f"\nrun {run.run.id}: {run.folder}", flush=True)
    return status


def goal_of(wish: Wish) -> Goal:
    """What is asked of the search. A sample that is compared moves by itself, so a good kernel may
    look bad, and what is looked for has to show in every second run. Raises UsageError."""
    default = _SLOWER if wish.worse else Goal()
    return Goal(
        wish.confidence,
        default.rate_min if wish.rate_min is None else wish.rate_min,
        default.rate if wish.rate is None else wish.rate,
        default.false_rate,
        wish.cap,
    )


def based(job: Job, spec: str) -> tuple[Job, tuple[str, ...]]:
    """For a range a..b the tree is the one at a, and its commits are the suspects."""
    series = job.series
    if series is None or not series.base or ".." not in spec or Path(spec).exists():
        return job, ()
    here = Path.cwd() / job.tree.source.partition("#")[0]
    if job.tree.kind == "path":
        git = Git(job.runner, here)
        tree = tree_of_path(job.tree.name, here, job.settings, job.runner, ref=series.base)
    else:
        git = Git(job.runner, git_dir=job.tree.repo)
        given = job.tree
        tree = describe(
            git, given.repo, series.base, name=given.name, source=given.source, kind=given.kind
        )
        keep(git, given.repo, f"refs/kzc/base/{series.base[:12]}", series.base)
    commits = tuple(git.out("rev-list", "--reverse", spec).split())
    return replace(job, tree=tree, facts={**job.facts, "commit": tree.commit}), commits


def _question(
    job: Job, wanted: tuple[Sought, Goal], commits: tuple[str, ...], last_programs: bool
) -> Question:
    assert job.series is not None
    patches = job.series.patches
    ids = commits if len(commits) == len(patches) else ("",) * len(patches)
    suspects = tuple(
        Suspect(number, patch.subject, patch.author, commit)
        for number, (patch, commit) in enumerate(zip(patches, ids, strict=True), 1)
    )
    texts = (key_of(job.tree.commit, job.series), *(part.text for part in job.wanted.fragments))
    programs = ("last programs",) if last_programs else ()
    key = hashlib.sha256("\0".join((*texts, *programs)).encode()).hexdigest()[:24]
    tree = f"{job.tree.name or job.tree.source} ({job.tree.version})"
    return Question(job.series.name, tree, job.tree.commit, key, suspects, *wanted)


def _shower(shopfloor: Workshop, total: int) -> Callable[[Observation], None]:
    def shown(seen: Observation) -> None:
        name = f"patch {seen.point}/{total}" if seen.point else "base"
        verdict = _VERDICTS.get(seen.sighting.seen, Verdict.NOT_RUN)
        reason = seen.sighting.reason or str(seen.sighting.seen)
        shopfloor.screen.outcome(
            Outcome(Stage.TEST, name, verdict, seen.seconds, seen.log, reason=reason)
        )

    return shown


def _said(found: Found, wish: Wish) -> int:
    if wish.as_json:
        print(json.dumps(culprit.as_values(found), indent=2))
    else:
        console = Console(soft_wrap=True, highlight=False)
        for line in culprit.report(found, _reporter(LocalRunner())):
            console.print(Text(cut(printable(line).replace("\n", " "), LONG)))
    return 0 if found.culprits else 1


def _say(text: str) -> None:
    Console(stderr=True).print(Text(text), soft_wrap=True)


def _reporter(runner: Runner) -> str:
    """NAME <MAIL> as git has them, words in their place where it has none."""
    git = Git(runner, own_config=True)
    name, mail = git.find("config", "user.name"), git.find("config", "user.email")
    return short(f"{name or 'NAME'} <{mail or 'MAIL'}>")


def _log(given: str) -> Path:
    """A log by its path, or by the run that it is of. Raises UsageError."""
    path = Path(given)
    if path.is_file():
        return path
    store = Store.of(load_settings({}, Path.cwd()))
    path = store.folder_of(store.load(given)) / FILE
    if not path.exists():
        raise UsageError(f"run {given} has no {FILE}: it was no bisection", "`kzc runs` shows all")
    return path
