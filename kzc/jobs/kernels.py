# SPDX-License-Identifier: GPL-2.0-only
"""From a tree and perhaps a series to a built kernel and test programs.

The worktree is held only as long as something is made in it. When a build fails, the object that
failed is made once more on each patch, so that the patch which broke it is named, not guessed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from kzc.errors import KzcError
from kzc.git import Git
from kzc.inuse import owned
from kzc.jobs import building
from kzc.jobs.workshop import Workshop, shop, stopwatch, touch
from kzc.kernel import build as kernel
from kzc.kernel.build import BuildFailed, Recipe
from kzc.kernel.bzimage import note_measured
from kzc.kernel.fragment import Fragment
from kzc.kernel.make import Place
from kzc.kernel.profile import load_fragment
from kzc.series.apply import Applied, apply_series, find_applied
from kzc.series.blobs import paths
from kzc.series.numbers import check_numbers
from kzc.series.outcomes import not_needed, outcomes
from kzc.series.overlay import measurement_only
from kzc.series.present import Present
from kzc.shared import shared_folder
from kzc.suites import binaries
from kzc.suites.manifest import Suite
from kzc.trees.slots import Slot, checkout, move, visit
from kzc.trees.tree import Tree
from kzc.values import Fit, KernelBuild, Outcome, Series, Stage, Verdict


@dataclass(frozen=True)
class Source:
    """The commit to build: a tree's own, or the last one of a series on top of it."""

    tree: Tree
    commit: str
    tree_id: str
    series: Series | None = None
    applied: Applied | None = None


@dataclass(frozen=True)
class Wanted:
    """Config asked for: fragments in order, and whether virtme-ng's config is the ground."""

    fragments: tuple[Fragment, ...]
    virtme: bool = False

    def also(self, names: Sequence[str]) -> Wanted:
        """With fragments of kzc's own after these. Raises UsageError for one that is not there."""
        more = (*self.fragments, *fragments(names))
        return Wanted(tuple(dict.fromkeys(more)), self.virtme)


def apply(shopfloor: Workshop, tree: Tree, series: Series) -> Source | None:
    """Apply a series; None when it does not apply. Every patch's outcome is kept."""
    source = apply_what_fits(shopfloor, tree, series)
    return source if source.applied and source.applied.whole else None


def apply_what_fits(shopfloor: Workshop, tree: Tree, series: Series) -> Source:
    """Apply a series up to the first patch that does not. Every patch's outcome is kept.

    uapi numbers that collide are a failure of the run, but the kernel can be made: what it does
    is worth knowing too.
    """
    shopfloor.screen.step(f"applying {series.name} to {tree.version}")
    log = shopfloor.log("apply")
    applied = find_applied(tree.repo, tree.commit, series, shopfloor.runner)
    if applied is None:
        files = paths(series.patches)
        with visit(tree.repo, tree.commit, files, shopfloor.settings, shopfloor.runner) as slot:
            applied = apply_series(slot.path, series, shopfloor.runner)
    doubts = sum(len(fit.doubts) for fit in applied.fits)
    shopfloor.run.note({"fit": applied.fit.value + (f", doubtful: {doubts}" if doubts else "")})
    found = outcomes(applied, series)
    log.write_text("".join(_apply_log(outcome) for outcome in found))
    for entry in found:
        shopfloor.keep(_with_log(entry, shopfloor.relative(log)))
    if applied.whole:
        git = Git(shopfloor.runner, git_dir=tree.repo)
        numbers = check_numbers(git, applied.base, applied.head, series)
        if numbers is not None:
            shopfloor.keep(replace(numbers, detail={**numbers.detail, "repeat": shopfloor.again}))
    return Source(tree, applied.head, applied.tree_id, series, applied)


def source_of(
    shopfloor: Workshop, tree: Tree, series: Series | None, present: Present | None = None
) -> Source | None:
    """The tree with the series applied, if there is one; None when it does not apply.

    That the tree has another one already is kept as an outcome.
    """
    if present is not None:
        shopfloor.run.note({"fit": Fit.ALREADY.value})
        shopfloor.keep(not_needed(present, tree.version))
    if series is None:
        return Source(tree, tree.commit, tree.tree_id)
    return apply(shopfloor, tree, series)


def make_kernel(shopfloor: Workshop, source: Source, wanted: Wanted) -> KernelBuild | None:
    """Build the source's kernel, or find it built; None when it does not build."""
    watch = stopwatch()
    recipe = recipe_of(shopfloor, source, wanted)
    shopfloor.run.note({"config_hash": recipe.config_hash[:24], "compiler": recipe.compiler})
    with _in_turn(shopfloor, recipe) as found:
        built = found or _build(shopfloor, source, recipe, watch)
    if built is None:
        return None
    # whoever names it by its key later has no series to tell by
    if overlays := measurement_only(source.series, shared_folder("patches")):
        note_measured(Path(built.folder), overlays)
    shopfloor.keep(_built(source, built, watch(), shopfloor))
    return built


def _build(
    shopfloor: Workshop, source: Source, recipe: Recipe, watch: Callable[[], float]
) -> KernelBuild | None:
    """Build in a slot; why one does not build is kept."""
    shopfloor.screen.step(f"building {source.tree.version}")
    log = shopfloor.log("build")
    with checkout(source.tree.repo, source.commit, shopfloor.settings, shopfloor.runner) as slot:
        place = building.place_of(slot, recipe, log)
        try:
            return building.build_in(shopfloor, slot, recipe, source.commit, place)
        except BuildFailed as failure:
            reason = _culprit(failure, source, slot, place, shopfloor)
            shopfloor.keep(_failed(source, failure, reason, watch(), shopfloor))
            return None


def kernel_of(
    shopfloor: Workshop, source: Source, commit: str, wanted: Wanted
) -> KernelBuild | None:
    """The kernel at one commit of an applied series, built now or before; None: does not build.

    Nothing is kept. The log is the run's `build-` and the commit's first twelve digits.
    """
    at = at_commit(source, commit, shopfloor)
    recipe = recipe_of(shopfloor, at, wanted)
    with _in_turn(shopfloor, recipe) as built:
        if built is not None:
            return built
        log = shopfloor.log(f"build-{commit[:12]}")
        with checkout(at.tree.repo, commit, shopfloor.settings, shopfloor.runner) as slot:
            try:
                return building.build_in(
                    shopfloor, slot, recipe, commit, building.place_of(slot, recipe, log)
                )
            except BuildFailed:
                return None


@contextmanager
def _in_turn(shopfloor: Workshop, recipe: Recipe) -> Iterator[KernelBuild | None]:
    """The kernel if it was built before. If not, nobody else builds it as long as the block runs:
    who asks for it meanwhile waits, and finds it built."""
    built = find_kernel(shopfloor, recipe)
    if built is not None:
        yield built
        return

    def told() -> None:
        shopfloor.screen.step("waiting for another kzc, which builds this kernel")

    with owned(shop(shopfloor.settings).store / f".{recipe.key}.building", told):
        yield find_kernel(shopfloor, recipe)


def at_commit(source: Source, commit: str, shopfloor: Workshop) -> Source:
    """The source of one commit of an applied series: that patch and those before it."""
    git = Git(shopfloor.runner, git_dir=source.tree.repo)
    return Source(source.tree, commit, git.out("rev-parse", f"{commit}^{{tree}}"))


def recipe_of(shopfloor: Workshop, source: Source, wanted: Wanted) -> Recipe:
    """What the source's kernel is made of. Raises HostError without a compiler."""
    compiler = kernel.compiler_version(shopfloor.runner)
    return Recipe(source.tree_id, wanted.fragments, compiler, wanted.virtme)


def find_kernel(shopfloor: Workshop, recipe: Recipe) -> KernelBuild | None:
    """The kernel if it was built before; it is in use by the run from now on."""
    yard = shop(shopfloor.settings)
    shopfloor.places.use(yard.store / recipe.key)
    built = kernel.find_built(recipe, yard)
    if built is not None:
        touch(Path(built.folder))
    return built


def make_tests(shopfloor: Workshop, source: Source, suites: Sequence[Suite]) -> dict[str, Path]:
    """Build the programs of each suite; a suite whose programs do not build is left out."""
    runner, settings = shopfloor.runner, shopfloor.settings
    store = settings.cache / "tests"
    compiler = kernel.compiler_version(runner)
    found = {}
    missing = []
    for suite in suites:
        folder = store / binaries.key(suite, source.tree_id, compiler)
        shopfloor.places.use(folder)
        if folder.exists():
            touch(folder)
            found[suite.name] = folder
        else:
            missing.append(suite)
    if not missing:
        return found
    shopfloor.screen.step("building the tests of " + ", ".join(suite.name for suite in missing))
    with checkout(source.tree.repo, source.commit, settings, runner) as slot:
        worktree = binaries.Worktree(slot.path, slot.folder / "headers", source.tree_id)
        for suite in missing:
            log = shopfloor.log(f"tests-{suite.name}")
            try:
                found[suite.name] = binaries.build(
                    suite, worktree, store, runner, compiler=compiler, log=log
                )
            except KzcError as error:
                detail = {"hint": error.hint, "repeat": shopfloor.again}
                shopfloor.keep(
                    Outcome(
                        Stage.TEST,
                        suite.name,
                        Verdict.FAIL if error.exit_code == 1 else Verdict.INFRA,
                        log=shopfloor.relative(log),
                        reason=error.message,
                        detail=detail,
                    )
                )
    return found


def fragments(names: Sequence[str]) -> tuple[Fragment, ...]:
    """Fragments by name or path, in that order. Raises UsageError for one that is not there."""
    folder = shared_folder("kconfigs")
    return tuple(load_fragment(name, folder) for name in names)


def _culprit(
    failure: BuildFailed, source: Source, slot: Slot, place: Place, shopfloor: Workshop
) -> str:
    """Which patch broke the build, found by making the failed object on each."""
    if not failure.targets or source.applied is None or source.series is None:
        return ""
    target = failure.targets[0]
    yard = shop(shopfloor.settings)

    def broken(commit: str) -> bool:
        move(slot, commit, shopfloor.runner)
        return bool(kernel.breaks(target, place, yard, shopfloor.runner))

    shopfloor.screen.step(f"looking for the patch that broke {target}")
    if broken(source.tree.commit):
        return f"{target} does not compile on the tree without the series either"
    total = len(source.series.patches)
    for patch, commit in zip(source.series.patches, source.applied.commits, strict=True):
        if commit is not None and broken(commit):
            return f"patch {patch.number}/{total} ({patch.subject}) broke {target}"
    return ""


def _built(source: Source, built: KernelBuild, seconds: float, shopfloor: Workshop) -> Outcome:
    words = "built before" if built.cached else "built"
    count = len(built.warnings)
    warned = f", {count} warning{'s' if count != 1 else ''}" if count else ", no warnings"
    detail = {
        "key": built.key,
        "image": built.image,
        "release": built.release,
        "tree_id": built.tree_id,
        "cached": built.cached,
        "warnings": [asdict(warning) for warning in built.warnings],
        "repeat": shopfloor.again,
    }
    log = shopfloor.log("build")
    return Outcome(
        Stage.BUILD,
        f"kernel {built.release}",
        Verdict.PASS,
        seconds,
        shopfloor.relative(log) if log.exists() else "",
        detail=detail,
        reason=words + warned,
    )


def _failed(
    source: Source, failure: BuildFailed, culprit: str, seconds: float, shopfloor: Workshop
) -> Outcome:
    detail = {
        "errors": [asdict(error) for error in failure.errors],
        "targets": list(failure.targets),
        "culprit": culprit,
        "repeat": shopfloor.again,
        "hint": failure.hint,
    }
    first = failure.message.splitlines()[0]
    return Outcome(
        Stage.BUILD,
        f"kernel {source.tree.version}",
        Verdict.FAIL,
        seconds,
        shopfloor.relative(failure.log),
        detail=detail,
        reason=f"{culprit}: {first}" if culprit else first,
    )


def _apply_log(outcome: Outcome) -> str:
    lines = [f"{outcome.subject}: {outcome.reason or outcome.verdict}"]
    for hunk in outcome.detail.get("hunks", ()):
        moved = f" at line {hunk['line']} (offset {hunk['offset']})" if hunk["offset"] else ""
        said = ", ".join(filter(None, (hunk["fit"] + moved, hunk["doubt"])))
        lines.append(f"--- {hunk['file']} {hunk['header']}: {said}")
        if "patch" in hunk:
            lines += [hunk["patch"], "+++ the tree has", hunk["tree"]]
    return "\n".join(lines) + "\n"


def _with_log(outcome: Outcome, log: str) -> Outcome:
    return replace(outcome, log=outcome.log or log)
