# SPDX-License-Identifier: GPL-2.0-only
"""From a worktree and config fragments to a kernel in the cache.

Out of tree, through ccache. A kernel is named by what it was made of (tree id, fragments,
compiler), so asking for the same again costs nothing. The source folder must be a worktree of
kzc's own: virtme-ng's config tool and make are run in it.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from kzc.errors import CommandFailed, HostError, KzcError, UsageError
from kzc.kernel import diagnostics, fragment, kconfig, progress
from kzc.kernel.fragment import Fragment
from kzc.kernel.make import Place, Shop, make
from kzc.proc import Runner
from kzc.values import Diagnostic, KernelBuild

_IMAGE = Path("arch/x86/boot/bzImage")
Progress = Callable[[str, float | None], None]
"""Called with a step's line and the fraction done, None while that cannot be known."""


@dataclass(frozen=True)
class Recipe:
    """What a kernel is made of. `virtme` takes virtme-ng's config as the ground to merge on;
    `refused` says which wishes did not take, where it is made all the same."""

    tree_id: str
    fragments: tuple[Fragment, ...]
    compiler: str
    virtme: bool = False
    refused: str = ""

    @property
    def config_hash(self) -> str:
        """Names the configuration asked for, whatever tree it is for and in which order fragments
        that agree were named."""
        merged = fragment.merge(self.fragments)
        wishes = fragment.render(sorted(merged, key=lambda asked: asked.symbol))
        parts = [self.compiler, str(self.virtme), wishes, *filter(None, [self.refused])]
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()

    @property
    def key(self) -> str:
        """Names the kernel."""
        return hashlib.sha256(f"{self.tree_id}\0{self.config_hash}".encode()).hexdigest()[:24]


class BuildFailed(KzcError):
    """The tree does not compile; `errors` are the compiler's, `targets` what make gave up on."""

    def __init__(self, found: tuple[Diagnostic, ...], targets: tuple[str, ...], log: Path) -> None:
        self.errors = tuple(entry for entry in found if diagnostics.is_error(entry))
        self.targets = targets
        self.log = log
        lines = [f"{e.file}:{e.line}: {e.kind}: {e.text}" for e in self.errors[:10]]
        told = "\n".join(lines) or f"make failed on {', '.join(targets) or 'no object'}"
        super().__init__(told, f"the whole log is {log}")


def compiler_version(runner: Runner) -> str:
    """The compiler as it names itself. Raises HostError when there is none."""
    try:
        return runner.capture(["gcc", "--version"]).stdout.splitlines()[0]
    except (CommandFailed, IndexError):
        raise HostError("there is no gcc", "apt-get install gcc") from None


def find_built(recipe: Recipe, shop: Shop) -> KernelBuild | None:
    """The kernel if it was built before."""
    try:
        data = json.loads((shop.store / recipe.key / "kernel.json").read_text())
    except (OSError, ValueError):
        return None
    warnings = tuple(Diagnostic(**entry) for entry in data.pop("warnings"))
    return KernelBuild(**{**data, "warnings": warnings, "cached": True})


def configure(recipe: Recipe, place: Place, shop: Shop, runner: Runner) -> None:
    """Write the .config. Raises UsageError naming each symbol that did not take and why."""
    src, out, log = place.src, place.out, place.log
    out.mkdir(parents=True, exist_ok=True)
    wishes = fragment.merge(recipe.fragments)
    merged = out / "kzc.config"
    merged.write_text(fragment.render(wishes))
    if recipe.virtme:
        command = [shop.vng, "--kconfig", "--force", "--config", str(merged), f"O={out}"]
        path = f"{Path(shop.vng).parent}:{os.environ.get('PATH', os.defpath)}"
        _consume(runner.stream(command, cwd=src, log=log, env={"PATH": path}))
    else:
        _consume(make([f"KCONFIG_ALLCONFIG={merged}", "allnoconfig"], place, shop, runner))
    config = fragment.parse_config((out / ".config").read_text())
    refusals = [
        refusal
        for refusal in fragment.refused(wishes, config)
        if not refusal.asked.if_known or kconfig.known(refusal.asked.symbol, src)
    ]
    if refusals:
        raise UsageError(
            "\n".join(_words(refusal, src, config) for refusal in refusals),
            "take the symbol out of the fragment, or add what it depends on with --config FILE",
        )


def compile_kernel(
    recipe: Recipe,
    place: Place,
    shop: Shop,
    runner: Runner,
    *,
    show: Progress,
    changed: Iterable[str] | None = None,
) -> KernelBuild:
    """Make the kernel that `configure` has prepared and put it into the store.

    `changed` are the files that differ from what `out` was last built from, None if unknown.
    Raises BuildFailed with the compiler's words.
    """
    src, out, log = place.src, place.out, place.log
    note = shop.notes / f"{recipe.config_hash[:24]}.json"
    history = progress.load(note)
    whole = not (out / "vmlinux").exists() or changed is None
    expected = 0 if history is None else history.steps
    if not whole and changed is not None:
        expected = progress.stale_objects(out, changed)
    meter = progress.Meter(expected, history.tail if history else 0.0)
    if whole and history is not None:
        meter.curve = history.curve
    lines: list[str] = []
    began = time.monotonic()
    try:
        for line in make(["bzImage"], place, shop, runner):
            lines.append(line)
            done = meter.feed(line, time.monotonic() - began)
            if done is not None:
                show(line.strip(), done if history else None)
    except CommandFailed:
        found = diagnostics.parse(lines, str(src))
        if "No space left on device" in "\n".join(lines):
            raise HostError(f"no space left in {out} while building", "`kzc clean`") from None
        raise BuildFailed(found, diagnostics.failed_targets(lines), log) from None
    if whole and (lesson := meter.history(time.monotonic() - began)):
        progress.save(note, lesson)
    warnings = tuple(
        entry for entry in diagnostics.parse(lines, str(src)) if not diagnostics.is_error(entry)
    )
    return _store(recipe, out, shop, warnings)


def breaks(target: str, place: Place, shop: Shop, runner: Runner) -> tuple[Diagnostic, ...]:
    """The errors of making one object, empty when it compiles: asks which patch broke it."""
    lines: list[str] = []
    try:
        lines.extend(make([target], place, shop, runner))
    except CommandFailed:
        found = diagnostics.parse(lines, str(place.src))
        return tuple(entry for entry in found if diagnostics.is_error(entry))
    return ()


def _store(recipe: Recipe, out: Path, shop: Shop, warnings: tuple[Diagnostic, ...]) -> KernelBuild:
    folder = shop.store / recipe.key
    release = (out / "include/config/kernel.release").read_text().strip()
    build = KernelBuild(
        key=recipe.key,
        folder=str(folder),
        image=str(folder / "bzImage"),
        config_hash=recipe.config_hash,
        release=release,
        tree_id=recipe.tree_id,
        compiler=recipe.compiler,
        warnings=warnings,
    )
    shop.store.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=shop.store, prefix=".part-") as part:
        made = Path(part) / "kernel"
        made.mkdir()
        for file, name in ((_IMAGE, "bzImage"), ("vmlinux", "vmlinux"), (".config", "config")):
            shutil.copyfile(out / file, made / name)
        (made / "kernel.json").write_text(json.dumps(asdict(build)))
        if folder.exists():  # somebody else was quicker with the same content
            return replace(build, cached=True)
        made.rename(folder)
    return build


def _words(refusal: fragment.Refusal, src: Path, config: Mapping[str, str]) -> str:
    asked = refusal.asked
    why = kconfig.explain(asked.symbol, src, config)
    place = f"{asked.fragment}:{asked.line}"
    return f"CONFIG_{asked.symbol}={asked.value} ({place}) became {refusal.got}: {why}"


def _consume(lines: Iterable[str]) -> None:
    for _ in lines:
        pass
