# SPDX-License-Identifier: GPL-2.0-only
"""What `--topology`, `--host`, `--host-kernel`, `--guest-kernel` and `--skew` ask for."""

from __future__ import annotations

from pathlib import Path

from kzc.cli.options import Asked
from kzc.errors import UsageError
from kzc.hosts.address import parse_address
from kzc.jobs import two_ends
from kzc.jobs.choice import Finder
from kzc.jobs.skew import parse_skew, skew_pairs
from kzc.proc import Runner
from kzc.settings import Settings
from kzc.shared import shared_folder
from kzc.trees.tree import Tree

_TOPOLOGIES = {
    "loopback": (),
    "pair": ("pair",),
    "nested": ("nested",),
    "all": ("pair", "nested"),
}


def two_ends_of(asked: Asked, tree: Tree, settings: Settings, runner: Runner) -> two_ends.Asked:
    """The options as one value, all words looked up. Raises UsageError for what fits nothing."""
    if asked.topology not in _TOPOLOGIES:
        raise UsageError(
            f"there is no topology {asked.topology}", f"there are: {', '.join(_TOPOLOGIES)}"
        )
    topologies = _TOPOLOGIES[asked.topology]
    _consistent(asked, topologies)
    finder = Finder(tree, Path.cwd(), settings, runner, shared_folder("patches"))
    if asked.skew:
        words = skew_pairs(*parse_skew(asked.skew))
        known = {word: finder.find(word) for word in dict.fromkeys(words[1])}
        ends: tuple[two_ends.Ends, ...] = tuple(
            (known[host], known[guest]) for host, guest in words
        )
    else:
        host = finder.find(asked.host_kernel) if asked.host_kernel else None
        guest = finder.find(asked.guest_kernel) if asked.guest_kernel else None
        ends = ((host, guest),)
    return two_ends.Asked(
        topologies,
        parse_address(asked.host) if asked.host else None,
        asked.accept,
        ends,
        optional=asked.topology == "all",
    )


def _consistent(asked: Asked, topologies: tuple[str, ...]) -> None:
    if asked.host and "pair" not in topologies:
        raise UsageError("--host names the host of a pair", "add --topology pair")
    if (asked.host_kernel or asked.skew) and "nested" not in topologies:
        raise UsageError(
            "only a nested host boots a kernel of your choice", "add --topology nested"
        )
    if asked.guest_kernel and not topologies:
        raise UsageError("--guest-kernel is for two ends", "add --topology nested or pair")
    if asked.skew and (asked.host_kernel or asked.guest_kernel):
        raise UsageError("--skew chooses the kernels of both ends itself", "leave the others out")
