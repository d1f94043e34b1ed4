# SPDX-License-Identifier: GPL-2.0-only
"""`kzc tree`: add, list, show, remove."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from kzc.proc import LocalRunner
from kzc.results import clean
from kzc.settings import load_settings
from kzc.trees import registry
from kzc.trees.find import add_tree, find_tree
from kzc.trees.tree import Tree


def add(name: str, source: str) -> int:
    """Get a tree and note it."""
    cwd = Path.cwd()
    tree = add_tree(name, source, cwd, load_settings({}, cwd), LocalRunner())
    _print(tree)
    return 0


def listed() -> int:
    """One line per tree."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in ("name", "version", "commit", "source"):
        table.add_column(title, overflow="fold")
    for tree in registry.listed(load_settings({}, Path.cwd())):
        table.add_row(*map(_shown, (tree.name, tree.version, tree.commit[:12], tree.source)))
    Console().print(table)
    return 0


def show(name: str) -> int:
    """All that is known of a tree."""
    cwd = Path.cwd()
    _print(find_tree(name or None, cwd, load_settings({}, cwd), LocalRunner()))
    return 0


def remove(name: str) -> int:
    """Forget a tree."""
    registry.remove(name, load_settings({}, Path.cwd()))
    return 0


def _print(tree: Tree) -> None:
    table = Table(box=None, pad_edge=False, show_header=False)
    rows = {
        "name": tree.name,
        "source": tree.source,
        "version": tree.version,
        "commit": tree.commit,
        "tree id": tree.tree_id,
        "uncommitted": tree.dirty,
    }
    for word, value in rows.items():
        if value:
            table.add_row(word, _shown(value))
    Console(soft_wrap=True).print(table)


def _shown(text: str) -> Text:
    return Text(clean.short(text, clean.LONG))
