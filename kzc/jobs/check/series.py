# SPDX-License-Identifier: GPL-2.0-only
"""Every patch of a series, on top of the one before: one Outcome each, its Cases the checks.

The series is applied once. What was checked before with the same parent, content, configuration
and compiler is not checked again. A check that could not be made is NOT_RUN, never absent.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from kzc import __version__
from kzc.git import Git
from kzc.jobs import kernels
from kzc.jobs.check import kernel as check_kernel
from kzc.jobs.check import patch as check_patch
from kzc.jobs.check.bench import At, Bench, Said
from kzc.jobs.check.guest import Guests
from kzc.jobs.check.memory import key_of, lasting, recall, remember
from kzc.jobs.guests import Plan
from kzc.jobs.kernels import Source, Wanted
from kzc.jobs.pipeline import stage
from kzc.jobs.workshop import Workshop, stopwatch
from kzc.kernel.build import Recipe
from kzc.suites.manifest import Suite
from kzc.trees.slots import checkout
from kzc.trees.tree import Tree
from kzc.values import Case, Fit, Outcome, Patch, Run, Series, Stage, Verdict, worst

_AFTER_BUILD = ("warnings", "selftests")


@dataclass(frozen=True)
class Request:
    """What is asked: a series on a tree, with suites to build and, with a `plan`, to run.

    `own` names the suites that the series comes with; `tests` are run in a guest for each patch.
    `tags` and `sender` are what a single mail says beside the patch.
    """

    tree: Tree
    series: Series
    wanted: Wanted
    suites: tuple[Suite, ...] = ()
    own: tuple[str, ...] = ()
    tests: tuple[Suite, ...] = ()
    plan: Plan | None = None
    allmodconfig: bool = False
    tags: str = ""
    sender: str = ""


def run(shopfloor: Workshop, request: Request) -> Run:
    """Check all patches that apply and return the finished run.

    A KzcError (a host that broke) is kept as an outcome of the patch, and raised again.
    """
    with stage(shopfloor, Stage.APPLY, request.series.name):
        source = kernels.apply_what_fits(shopfloor, request.tree, request.series)
        recipe = kernels.recipe_of(shopfloor, source, request.wanted)
    guests = Guests(shopfloor, request.tests, request.plan, request.wanted)
    image, said = "", Said()
    for patch, at, why in _positions(shopfloor, source):
        subject = f"{patch.number}/{len(request.series.patches)} {patch.subject}"
        if why == _ALREADY:
            shopfloor.keep(Outcome(Stage.CHECK, subject, Verdict.SKIP, reason=why))
            continue
        own = replace(recipe, tree_id=at.source.tree_id)
        if why:
            with stage(shopfloor, Stage.CHECK, subject):
                found = _unapplied(shopfloor, request, at, (own, why))
                shopfloor.keep(replace(found, subject=subject))
            continue
        with stage(shopfloor, Stage.CHECK, subject):
            outcome = _checked(shopfloor, request, at, (own, image, said))
            outcome = replace(outcome, subject=subject)
            cases = guests.test(at, str(outcome.detail.get("image", "")))
            seconds = outcome.seconds + sum(case.seconds for case in cases)
            outcome = replace(outcome, cases=(*outcome.cases, *cases), seconds=seconds)
        image = str(outcome.detail.get("image", ""))
        detail = {**outcome.detail, "commit": at.source.commit, "repeat": shopfloor.again}
        verdict = worst(case.verdict for case in outcome.cases)
        shopfloor.keep(replace(outcome, verdict=verdict, detail=detail))
    return shopfloor.run.finish()


_ALREADY = "already in the tree"


def _positions(shopfloor: Workshop, source: Source) -> Iterator[tuple[Patch, At, str]]:
    """Each patch with its place on top of the one before, or why it has none."""
    assert source.applied is not None
    assert source.series is not None
    git = Git(shopfloor.runner, git_dir=source.tree.repo)
    applied, patches = source.applied, source.series.patches
    parent, parent_tree = source.tree.commit, source.tree.tree_id
    for index, (patch, commit) in enumerate(zip(patches, applied.commits, strict=True)):
        if commit is None:
            tried = applied.fits[index].fit if index < len(applied.fits) else None
            stopped = "it" if tried else f"patch {len(applied.fits)}/{len(patches)}"
            why = _ALREADY if tried is Fit.ALREADY else f"{stopped} does not apply"
            here = kernels.at_commit(source, parent, shopfloor)
            yield (
                patch,
                At(index + 1, len(patches), patch, here, parent, parent_tree, patch.files),
                why,
            )
            continue
        own = kernels.at_commit(source, commit, shopfloor)
        names = git.run("diff", "--name-only", "-z", "--no-renames", parent, commit).stdout
        files = tuple(name for name in names.split("\0") if name)
        yield patch, At(index + 1, len(patches), patch, own, parent, parent_tree, files), ""
        parent, parent_tree = commit, own.tree_id


def _checked(
    shopfloor: Workshop, request: Request, at: At, made: tuple[Recipe, str, Said]
) -> Outcome:
    """All checks that need no guest, made now or before; `made` is what the kernel is made of,
    the parent's image, and what was said of objects so far."""
    recipe, parent_image, said = made
    suites = check_patch.suites_for(at.files, request.suites, request.own)
    key = key_of(
        __version__,
        (at.parent_tree, at.source.tree_id, bool(parent_image)),
        at.patch.body,
        (recipe.config_hash, check_kernel.has_sparse(), request.allmodconfig),
        [suite.model_dump_json() for suite in suites],
        (request.tags, request.sender),
    )
    known = recall(shopfloor, key, str(at.number))
    if known is not None:
        return replace(known, reason="checked before")
    watch = stopwatch()
    repo, settings = at.source.tree.repo, shopfloor.settings
    with checkout(repo, at.source.commit, settings, shopfloor.runner) as slot:
        bench = Bench(shopfloor, slot, at, recipe, said)
        built = check_kernel.build(bench, parent_image)
        cases = [built.case]
        if built.case.verdict.good:
            cases.append(check_kernel.warnings(bench, built))
            cases += _no_sparse()
            cases += [check_kernel.like_allmodconfig(bench)] if request.allmodconfig else []
            cases.append(check_patch.selftests(bench, suites))
        else:
            why = "the kernel does not build"
            cases += [Case(name, Verdict.NOT_RUN, reason=why) for name in _AFTER_BUILD]
        style = check_patch.style(bench)
    cases += [style, check_patch.mail(at.patch, tags=request.tags, sender=request.sender)]
    verdict = worst(case.verdict for case in cases)
    detail = {"image": built.image} if built.image else {}
    outcome = Outcome(Stage.CHECK, "", verdict, watch(), cases=tuple(cases), detail=detail)
    if lasting(outcome):
        remember(shopfloor, key, outcome)
    return outcome


def _unapplied(shopfloor: Workshop, request: Request, at: At, told: tuple[Recipe, str]) -> Outcome:
    """What can be said of a patch that is in no tree: its mail and its style."""
    recipe, why = told
    settings = shopfloor.settings
    with checkout(at.source.tree.repo, at.parent, settings, shopfloor.runner) as slot:
        style = check_patch.style(Bench(shopfloor, slot, at, recipe))
    names = ("build", *_AFTER_BUILD, *(suite.name for suite in request.tests))
    cases = [Case(name, Verdict.NOT_RUN, reason=why) for name in names]
    cases += [style, check_patch.mail(at.patch, tags=request.tags, sender=request.sender)]
    verdict = worst(case.verdict for case in cases)
    detail = {"repeat": shopfloor.again}
    return Outcome(Stage.CHECK, "", verdict, cases=tuple(cases), detail=detail, reason=why)


def _no_sparse() -> list[Case]:
    if check_kernel.has_sparse():
        return []
    reason = "sparse is not installed: apt-get install sparse"
    return [Case("sparse", Verdict.SKIP, reason=reason)]
