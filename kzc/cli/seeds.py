# SPDX-License-Identifier: GPL-2.0-only
"""`kzc seeds`: what the documents claim that kzc was made after, and what runs say of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache, partial
from pathlib import Path

from kzc.bench.plan import list_plans
from kzc.bench.result import Bench, load
from kzc.errors import UsageError
from kzc.jobs.seeds import Known, Shelf, documents
from kzc.proc import LocalRunner
from kzc.results.clean import LONG, code, paired, sentence, short
from kzc.results.store import Store
from kzc.results.wanted import Wanted
from kzc.seeds import formats, html
from kzc.seeds.manifest import load_seeds
from kzc.seeds.values import Document
from kzc.settings import load_settings
from kzc.shared import shared_folder
from kzc.trees.find import check_tree
from kzc.values import Run

_long = partial(short, limit=LONG)
FORMATS: dict[str, Callable[[Sequence[Document]], str]] = {
    "text": lambda found: formats.text(found, _long),
    "markdown": lambda found: formats.markdown(found, sentence, code),
    "json": lambda found: formats.to_json(found, paired),
    "html": lambda found: html.page(found, _long),
}


def seeds(wanted: Sequence[str], tree: str, form: str) -> int:
    """The page in one format. Raises UsageError where there is no such seed, tree or format."""
    if form not in FORMATS:
        raise UsageError(f"there is no format {form}", f"there are: {', '.join(FORMATS)}")
    chosen = load_seeds(shared_folder("seeds"), wanted)
    settings = load_settings({}, Path.cwd())
    store = Store.of(settings)
    heads = store.list(Wanted(tree=tree))
    if tree and not heads:
        check_tree(tree, Path.cwd(), settings, LocalRunner())
    shelf = _shelf(store, heads)
    print(FORMATS[form](documents(chosen, shelf, known(tree))), end="")
    return 0


def of_run(run: Run, bench: Bench | None) -> tuple[tuple[Document, ...], tuple[Document, ...]]:
    """The claims of which a run says something, and all others."""
    shelf = Shelf((run,), lambda _: run, lambda _: bench)
    found = documents(load_seeds(shared_folder("seeds")), shelf, known(""))
    return _part(found, told=True), _part(found, told=False)


def known(tree: str) -> Known:
    """What this kzc has; commands name that tree."""
    suites = (path.parent.name for path in shared_folder("selftests").glob("*/suite.toml"))
    return Known(frozenset(suites), frozenset(list_plans(shared_folder("plans"))), tree)


def _part(found: Sequence[Document], *, told: bool) -> tuple[Document, ...]:
    parts = (
        replace(each, answers=tuple(a for a in each.answers if (a.made is not None) is told))
        for each in found
    )
    return tuple(each for each in parts if each.answers)


def _shelf(store: Store, heads: Sequence[Run]) -> Shelf:
    @cache
    def opened(name: str) -> Run:
        return store.load(name)

    @cache
    def measured(name: str) -> Bench | None:
        return load(store.folder_of(opened(name)))

    return Shelf(heads, opened, lambda run: measured(run.id))
