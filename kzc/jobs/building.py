# SPDX-License-Identifier: GPL-2.0-only
"""Building in a slot that one holds: one folder for a configuration, reused from commit to commit.

The folder notes which commit it was built from and which its .config was made for. A .config is
not made again where no Kconfig, Makefile or script differs: that takes as long as a small patch.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from kzc.git import Git
from kzc.jobs.workshop import Workshop, shop
from kzc.kernel import build as kernel
from kzc.kernel.build import Recipe
from kzc.kernel.kin import begin_with, nearest
from kzc.kernel.make import Place
from kzc.trees.slots import Slot
from kzc.values import KernelBuild

_BUILT_FROM = "kzc-commit"
_CONFIGURED_FOR = "kzc-configured"


def place_of(slot: Slot, recipe: Recipe, log: Path) -> Place:
    """Where this configuration is built in a slot: one folder, whatever the commit."""
    return Place(slot.path, slot.folder / f"build-{recipe.config_hash[:12]}", log)


def build_in(
    shopfloor: Workshop, slot: Slot, recipe: Recipe, commit: str, place: Place
) -> KernelBuild:
    """Build in a slot that is at `commit`. Raises BuildFailed, UsageError for a bad config."""
    configure_in(shopfloor, slot, recipe, commit, place)
    _begin(place)
    return compile_in(shopfloor, slot, recipe, commit, place)


def compile_in(
    shopfloor: Workshop, slot: Slot, recipe: Recipe, commit: str, place: Place
) -> KernelBuild:
    """Build with the .config that is there. Raises BuildFailed."""
    built = kernel.compile_kernel(
        recipe,
        place,
        shop(shopfloor.settings),
        shopfloor.runner,
        show=shopfloor.screen.progress,
        changed=_changed(place, slot, commit, shopfloor),
    )
    (place.out / _BUILT_FROM).write_text(commit)
    return built


def configure_in(
    shopfloor: Workshop, slot: Slot, recipe: Recipe, commit: str, place: Place
) -> None:
    """Write the .config where the one that is there may be another. Raises UsageError."""
    # virtme-ng's own config may be another since: that is asked each time
    if recipe.virtme:
        (place.out / _CONFIGURED_FOR).unlink(missing_ok=True)
    yard = shop(shopfloor.settings)
    configure_once(
        shopfloor,
        (slot, place, commit),
        lambda: kernel.configure(recipe, place, yard, shopfloor.runner),
    )


def configure_once(
    shopfloor: Workshop, at: tuple[Slot, Place, str], configure: Callable[[], None]
) -> None:
    """Call `configure` unless the place's .config is as good for that commit as a new one."""
    slot, place, commit = at
    if _must_configure(place, slot, commit, shopfloor):
        (place.out / _CONFIGURED_FOR).unlink(missing_ok=True)
        configure()
        (place.out / _CONFIGURED_FOR).write_text(commit)


def _begin(place: Place) -> None:
    """A folder in which nothing was built yet begins with what its nearest kin has."""
    if built_from(place) or (place.out / "vmlinux").exists():
        return
    built = [note.parent for note in place.out.parent.glob(f"build-*/{_BUILT_FROM}")]
    kin = nearest(place.out, [each for each in built if (each / "vmlinux").exists()])
    if kin is not None:
        begin_with(kin, place.out)
        (place.out / _CONFIGURED_FOR).unlink(missing_ok=True)


def built_from(place: Place) -> str:
    """The commit that a build folder was last built from as a whole, empty if that is unknown."""
    try:
        return (place.out / _BUILT_FROM).read_text()
    except OSError:
        return ""


def _changed(place: Place, slot: Slot, commit: str, shopfloor: Workshop) -> tuple[str, ...] | None:
    """Files between what the build folder holds and what it will; None when it holds nothing."""
    return _between(built_from(place), commit, slot, shopfloor)


def _must_configure(place: Place, slot: Slot, commit: str, shopfloor: Workshop) -> bool:
    """Whether the .config that is there may be another than the one this commit would get."""
    try:
        before = (place.out / _CONFIGURED_FOR).read_text()
    except OSError:
        return True
    changed = _between(before, commit, slot, shopfloor)
    if changed is None or not (place.out / ".config").exists():
        return True
    return any(
        name.startswith("scripts/") or Path(name).name.startswith(("Kconfig", "Makefile"))
        for name in changed
    )


def _between(before: str, commit: str, slot: Slot, shopfloor: Workshop) -> tuple[str, ...] | None:
    if not before:
        return None
    git = Git(shopfloor.runner, git_dir=slot.repo)
    done = git.run("diff", "--name-only", "--no-renames", before, commit, check=False)
    return None if done.code else tuple(done.stdout.splitlines())
