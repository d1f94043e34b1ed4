# SPDX-License-Identifier: GPL-2.0-only
"""The checks of one patch that compile the kernel: does it build, and what is said newly.

None needs that the patch before was checked too: what the parent's build says is asked only where
the patch's own says something, and then of the same objects. So a clean patch costs one build.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from kzc.errors import UsageError
from kzc.git import Git
from kzc.jobs import building
from kzc.jobs.check.bench import Bench
from kzc.jobs.workshop import shop, stopwatch
from kzc.kernel import checks
from kzc.kernel.build import BuildFailed, Recipe
from kzc.kernel.make import Place
from kzc.trees.slots import look_new, move
from kzc.values import Case, Diagnostic, KernelBuild, Verdict

# a file of these is in no kernel, and none is made of it
_NOT_BUILT = ("Documentation/", "tools/testing/", "LICENSES/", "MAINTAINERS", "CREDITS", ".mailmap")


@dataclass(frozen=True)
class Made:
    """What building came to; `image` is the digest of its bytes, the parent's if `untouched`."""

    case: Case
    kernel: KernelBuild | None = None
    image: str = ""
    place: Place | None = None


def build(bench: Bench, parent_image: str) -> Made:
    """Does the kernel build? A patch that touches nothing of it has the parent's image."""
    at, shopfloor = bench.at, bench.shopfloor
    if parent_image and not of_kernel(at.files):
        reason = "it touches no file of the kernel: the image is its parent's"
        return Made(Case("build", Verdict.PASS, reason=reason), image=parent_image)
    watch, log = stopwatch(), bench.log("build")
    place = building.place_of(bench.slot, bench.recipe, log)
    if building.built_from(place) != at.parent:
        # the folder may hold objects of this patch already: all that it touches is made anew
        look_new(bench.slot, at.files)
    shopfloor.screen.step(f"building patch {at.name}")
    recipe, note = _configured(bench, place)
    try:
        made = building.compile_in(shopfloor, bench.slot, recipe, at.source.commit, place)
    except BuildFailed as failure:
        detail = bench.detail("build", errors=_values(failure.errors), hint=failure.hint)
        reason = failure.message.splitlines()[0]
        return Made(Case("build", Verdict.FAIL, watch(), reason, detail))
    shopfloor.places.use(Path(made.folder))
    image = hashlib.sha256(Path(made.image).read_bytes()).hexdigest()[:24]
    case = Case("build", Verdict.PASS, watch(), note, bench.detail("build"))
    return Made(case, made, image, place)


def warnings(bench: Bench, made: Made) -> Case:
    """What the compiler says, with W=1 and sparse for the touched files, that is new."""
    if made.kernel is None or made.place is None:
        return Case("warnings", Verdict.PASS, reason="nothing was compiled")
    watch, runner = stopwatch(), bench.shopfloor.runner
    yard = shop(bench.shopfloor.settings)
    bench.shopfloor.screen.step(f"warnings of patch {bench.at.name}")
    place = Place(made.place.src, made.place.out, bench.log("warnings"))
    place.log.touch()
    objects = checks.made(checks.objects_of(bench.at.files), place.out)
    extra = checks.make_objects(objects, place, yard, runner, sparse=has_sparse())
    known, ask = _parents(bench, objects, extra)
    plain = made.kernel.warnings
    if plain or ask:
        move(bench.slot, bench.at.parent, runner)
        _configured(bench, place, bench.at.parent)
        if plain:
            lines = made.place.log.read_text(errors="replace").splitlines()
            before = checks.make_again(checks.compiled(lines), place, yard, runner)
            plain = checks.new_ones(plain, before)
        there = [name for name in ask if _source_of(name, bench.slot.path).exists()]
        known += checks.make_objects(there, place, yard, runner, sparse=has_sparse())
        move(bench.slot, bench.at.source.commit, runner)
        _configured(bench, place)
    new = tuple(dict.fromkeys((*plain, *checks.new_ones(extra, known))))
    return _warned("warnings", bench, new, objects, watch())


def _parents(
    bench: Bench, objects: Sequence[str], extra: Sequence[Diagnostic]
) -> tuple[tuple[Diagnostic, ...], list[str]]:
    """What the parent is known to say of the objects of which the patch says something, and those
    of which that has to be asked."""
    told = checks.by_object(objects, extra)
    if told is None:
        return (), list(objects)
    bench.said.setdefault(bench.at.source.tree_id, {}).update(told)
    before = bench.said.get(bench.at.parent_tree, {})
    loud = [name for name, said in told.items() if said]
    known = tuple(entry for name in loud for entry in before.get(name, ()))
    return known, [name for name in loud if name not in before]


def like_allmodconfig(bench: Bench) -> Case:
    """The same for all objects of the touched folders, in a configuration that has them all."""
    watch, runner, shopfloor = stopwatch(), bench.shopfloor.runner, bench.shopfloor
    yard = shop(shopfloor.settings)
    shopfloor.screen.step(f"allmodconfig of patch {bench.at.name}")
    place = Place(bench.slot.path, bench.slot.folder / "build-allmod", bench.log("allmodconfig"))
    place.log.touch()
    folders = {str(Path(file).parent) for file in bench.at.files if file.endswith((".c", ".h"))}
    objects = _objects_in(sorted(folders), bench)
    if not objects:
        reason = "no C file is in a folder that it touches"
        return Case("allmodconfig", Verdict.SKIP, reason=reason)
    _configured_all(bench, place, bench.at.source.commit)
    after = checks.make_objects(objects, place, yard, runner, sparse=has_sparse())
    new: tuple[Diagnostic, ...] = ()
    if after:
        move(bench.slot, bench.at.parent, runner)
        _configured_all(bench, place, bench.at.parent)
        before = checks.make_objects(objects, place, yard, runner, sparse=has_sparse())
        new = checks.new_ones(after, before)
        move(bench.slot, bench.at.source.commit, runner)
    return _warned("allmodconfig", bench, new, objects, watch())


def has_sparse() -> bool:
    """Whether sparse is installed."""
    return shutil.which("sparse") is not None


def of_kernel(files: Iterable[str]) -> bool:
    """Whether any of these files can make a difference to a kernel."""
    return any(
        not file.startswith(_NOT_BUILT) or Path(file).name.startswith("Kconfig") for file in files
    )


def _configured(bench: Bench, place: Place, commit: str = "") -> tuple[Recipe, str]:
    """Write the .config, and go on where a symbol does not take: it may come with a later patch.

    What is made then is not what was asked for, so it gets a name of its own.
    """
    commit = commit or bench.at.source.commit
    try:
        building.configure_in(bench.shopfloor, bench.slot, bench.recipe, commit, place)
    except UsageError as error:
        return replace(bench.recipe, refused=error.message), error.message
    return bench.recipe, ""


def _configured_all(bench: Bench, place: Place, commit: str) -> None:
    yard, runner = shop(bench.shopfloor.settings), bench.shopfloor.runner
    building.configure_once(
        bench.shopfloor,
        (bench.slot, place, commit),
        lambda: checks.configure_all(place, yard, runner),
    )


def _warned(
    name: str, bench: Bench, new: Sequence[Diagnostic], objects: Sequence[str], seconds: float
) -> Case:
    detail = bench.detail(name, objects=len(objects), **({"new": _values(new)} if new else {}))
    if not new:
        return Case(name, Verdict.PASS, seconds, detail=detail)
    first = new[0]
    at = f"{first.file}:{first.line}" if first.line else first.file
    more = f" and {len(new) - 1} more" if len(new) > 1 else ""
    reason = f"new against its parent: {at}: {first.text}{more}"
    return Case(name, Verdict.FAIL, seconds, reason, detail)


def _objects_in(folders: Iterable[str], bench: Bench) -> tuple[str, ...]:
    """The objects of all C files right in these folders that both sides of the patch have."""
    git = Git(bench.shopfloor.runner, git_dir=bench.slot.repo)
    paths = [f"{folder}/" for folder in folders]
    listed = (
        git.out("ls-tree", "--name-only", bench.at.source.commit, "--", *paths) if paths else ""
    )
    return checks.objects_of(listed.splitlines())


def _source_of(name: str, top: Path) -> Path:
    return top / f"{name.removesuffix('.o')}.c"


def _values(found: Iterable[Diagnostic]) -> list[dict[str, object]]:
    return [asdict(entry) for entry in found]
