# SPDX-License-Identifier: GPL-2.0-only
"""What a `--host-kernel`, `--guest-kernel` or `--skew` word means: something to build, or a kernel.

Nothing is built here. Looked at in this order: a bzImage, or a folder with one; Debian's kernel
image; a tree's source (git URL, debian:linux-source-...); a path (a tree, a folder of patches, an
mbox); a bare name; SERIES@TREE; a range of commits. A bare name may be a built kernel's key, an
added tree, a carried or imported series or a commit of the run's tree; being two of these is an
error.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from kzc.errors import HostError, UsageError
from kzc.git import Git, keep
from kzc.guest.modules import why_not_vng
from kzc.jobs.workshop import imported_folder
from kzc.kernel.bzimage import built_before, image_at, is_image, modules_of
from kzc.proc import Runner
from kzc.series.find import find_series
from kzc.series.imported import list_imported
from kzc.series.manifest import find_manifest, list_series
from kzc.series.present import find_present
from kzc.settings import Settings
from kzc.trees import registry
from kzc.trees.checkouts import tree_of_path
from kzc.trees.find import find_tree, split_path
from kzc.trees.images import PREFIX, find_image
from kzc.trees.remote import tree_of_url
from kzc.trees.tree import Tree, describe, looks_like_kernel
from kzc.values import KernelBuild, Series

_URL = re.compile(r"[a-z][a-z0-9+]*://|[\w.-]+@[\w.-]+:")
_KEY = re.compile(r"[0-9a-f]{4,24}")
_MAILS = ("*.patch", "*.eml", "*.diff")


@dataclass(frozen=True)
class Ready:
    """A kernel that needs no building; `label` names it for a person.

    `modules` is its lib/modules/RELEASE, if it has any. `not_vng` says why virtme-ng cannot boot
    it, so that it can be no nested host; empty if it can, or if nothing tells.
    """

    kernel: KernelBuild
    label: str
    modules: Path | None = None
    not_vng: str = ""


@dataclass(frozen=True)
class Choice:
    """What `word` means: `ready`, or `tree` with `series` on it to be built.

    A series that `tree` has already is left out. With `ready` the source is not known, so `tree` is
    the run's own: test programs come from there, and `tests_from_run` is true.
    """

    word: str
    tree: Tree
    series: Series | None = None
    ready: Ready | None = None

    @property
    def tests_from_run(self) -> bool:
        """Whether test programs are of the run's tree because this kernel has no source."""
        return self.ready is not None


@dataclass(frozen=True)
class Finder:
    """Where words are looked up: `tree` is the run's tree, `patches` the carried series."""

    tree: Tree
    cwd: Path
    settings: Settings
    runner: Runner
    patches: Path

    def find(self, word: str) -> Choice:
        """The choice that `word` means.

        Raises UsageError for a word that fits nothing, or more than one thing, and what finding
        the tree, series or image raises.
        """
        ways = (self._spelled_out, self._path, self._name, self._series_on, self._range)
        try:
            found = next(filter(None, (way(word) for way in ways)), None) if word else None
            found = found or (self._fetched(word) if word else None)
        except OSError as error:
            raise UsageError(f"{word[:80]}: {error.strerror}") from error
        if found is None:
            raise self._nothing(word)
        return found

    def _spelled_out(self, word: str) -> Choice | None:
        """What its beginning gives away."""
        path = self.cwd / Path(word).expanduser()
        if is_image(path) or (path / "bzImage").is_file():
            kernel = image_at(path)
            return self._ready(word, kernel, f"{kernel.release} ({path})")
        if word.startswith(PREFIX):
            image = find_image(word, self.settings, self.runner)
            label = f"{image.package} {image.version}"
            return self._ready(word, image_at(image.vmlinuz), label)
        if word.startswith("debian:") or (_URL.match(word) and "@debian:" not in word):
            return Choice(word, self._tree(word))
        return None

    def _path(self, word: str) -> Choice | None:
        """A folder or file; a bare name is one only if it is nothing else, and written ./NAME."""
        place, ref = split_path(word, self.cwd)
        if not place.exists() or self._readings(word):
            return None
        patches = place.is_dir() and any(any(place.glob(pattern)) for pattern in _MAILS)
        if ref or (place.is_dir() and (looks_like_kernel(place) or not patches)):
            return Choice(word, self._tree(word))
        return self._on(word, word, self.tree)

    def _name(self, word: str) -> Choice | None:
        readings = self._readings(word)
        if len(readings) > 1:
            raise UsageError(
                f"{word} is more than one thing: {' and '.join(readings)}",
                "write more of a key, the path or source of the tree, "
                f"{word}@ for the series, refs/heads/{word} for a branch",
            )
        return next(iter(readings.values()))() if readings else None

    def _readings(self, word: str) -> dict[str, Callable[[], Choice]]:
        """All that a bare name can mean, each with how to get it."""
        found: dict[str, Callable[[], Choice]] = {}
        built = self._built(word)
        if built:
            keys = ", ".join(kernel.key for kernel in built)
            found[f"a built kernel ({keys})"] = lambda: self._the_one(word, built)
        if re.fullmatch(r"[a-z0-9][a-z0-9._-]*", word):
            known = registry.load(word, self.settings)
            if known is not None:
                found[f"the tree of {known.source}"] = lambda: Choice(word, self._tree(word))
        if word in list_series(self.patches):
            found["the carried series"] = lambda: self._on(word, word, self.tree)
        elif word in list_imported(imported_folder(self.settings)):
            found["the imported series"] = lambda: self._on(word, word, self.tree)
        plain = not word.startswith("-") and ".." not in word
        commit = self._repository().commit_of(word) if plain else ""
        if commit:
            name = f"commit {commit[:12]} of {self.tree.name or self.tree.source}"
            found[name] = lambda: Choice(word, self._commit(word, commit))
        return found

    def _built(self, word: str) -> tuple[KernelBuild, ...]:
        store = self.settings.cache / "kernels"
        return built_before(word, store) if _KEY.fullmatch(word) else ()

    def _the_one(self, word: str, built: tuple[KernelBuild, ...]) -> Choice:
        if len(built) > 1:
            keys = ", ".join(kernel.key for kernel in built)
            raise UsageError(f"{word} begins the keys of several kernels: {keys}", "write more")
        return self._ready(word, built[0], f"{built[0].release} ({built[0].key})")

    def _series_on(self, word: str) -> Choice | None:
        """SERIES@TREE; SERIES@ is on the run's tree. A reflog's @{...} is none."""
        spec, at, base = word.partition("@")
        if not spec or not at or base.startswith("{"):
            return None
        return self._on(word, spec, self._tree(base) if base else self.tree)

    def _range(self, word: str) -> Choice | None:
        """Commits a..b as a series on the run's tree."""
        if ".." not in word or "/../" in word or word.startswith(("../", "./")):
            return None
        return self._on(word, word, self.tree)

    def _fetched(self, word: str) -> Choice | None:
        """A ref that only the remote of the run's tree knows: the cache holds one commit."""
        if self.tree.kind != "git" or not re.fullmatch(r"\w[\w./-]*", word):
            return None
        url = self.tree.source.partition("#")[0]
        try:
            return Choice(word, tree_of_url("", url, word, self.settings, self.runner))
        except HostError as error:
            raise self._nothing(word, error.message) from error

    def _ready(self, word: str, kernel: KernelBuild, label: str) -> Choice:
        modules = modules_of(Path(kernel.image), kernel.release)
        refusal = why_not_vng(modules) if modules else ""
        return Choice(word, self.tree, ready=Ready(kernel, label, modules, refusal))

    def _on(self, word: str, spec: str, tree: Tree) -> Choice:
        manifest = find_manifest(self.patches, spec)
        git = Git(self.runner, git_dir=tree.repo)
        if manifest is not None and find_present(git, tree.commit, spec, manifest) is not None:
            return Choice(word, tree)
        series = find_series(
            spec,
            cwd=self.cwd,
            patches_dir=self.patches,
            version=tree.version,
            repo=self._checkout() or tree.repo,
            runner=self.runner,
            imported=imported_folder(self.settings),
        )
        return Choice(word, tree, series)

    def _tree(self, spec: str) -> Tree:
        return find_tree(spec, self.cwd, self.settings, self.runner)

    def _checkout(self) -> Path | None:
        """The user's checkout that the run's tree is of, None if it was fetched."""
        if self.tree.kind != "path":
            return None
        return split_path(self.tree.source, self.cwd)[0]

    def _repository(self) -> Git:
        checkout = self._checkout()
        return Git(self.runner, checkout) if checkout else Git(self.runner, git_dir=self.tree.repo)

    def _commit(self, word: str, commit: str) -> Tree:
        checkout = self._checkout()
        if checkout:
            return tree_of_path("", checkout, self.settings, self.runner, ref=word)
        repo, git = self.tree.repo, self._repository()
        source = f"{self.tree.source.partition('#')[0]}#{word}"
        tree = describe(git, repo, commit, name="", source=source, kind=self.tree.kind)
        keep(git, repo, f"refs/kzc/base/{commit[:12]}", commit)
        return tree

    def _nothing(self, word: str, more: str = "") -> UsageError:
        series = ", ".join(list_series(self.patches)) or "none"
        return UsageError(
            f"{word or 'an empty word'} is no kernel to choose: no file or folder, "
            f"no key in {self.settings.cache / 'kernels'}, no added tree, "
            f"no commit of {self.tree.source}, no carried series (there are: {series})"
            + (f"; {more}" if more else ""),
            _forms(),
        )


def _forms() -> str:
    return (
        "a kernel is: a bzImage or a folder with one, the key of a built kernel, "
        f"{PREFIX}amd64[@SUITE], an added tree, a path, URL#REF, debian:linux-source-VERSION, "
        "a series (carried, folder, mbox), SERIES@TREE, or a commit, tag or branch of the tree"
    )
