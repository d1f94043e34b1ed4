# SPDX-License-Identifier: GPL-2.0-only
"""Which cells a plan has, and in which order they are measured. Pure: the same plan and seed give
the same order.

Rule: cells that are compared with one another (they differ only in mode) are neighbours in time,
and in every second round in reverse (ABBA), so that a drift meets both sides alike. Between these
groups the order is shuffled anew for each two rounds, so that no cell always runs after the same
one. Boots of two kernels alternate in the same way: AB BA AB.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product

from kzc.bench.plan import Plan, show_size
from kzc.bench.values import MULTIFD, VHOST, Cell, Mode
from kzc.bench.zcbench import Amount, Turn

_NO_IP = ("vsock", "packet")
_NO_INTERVAL = frozenset({Mode.COPY, Mode.ZERO_COPY_SEND})
_PAGE = 4096
# what a datagram holds at most, by transport and IP
_DATAGRAM = {("udp", 4): 65507, ("udp", 6): 65527, ("raw", 4): 65515, ("raw", 6): 65535}


@dataclass(frozen=True)
class Boot:
    """What is measured in the `number`-th boot of a kernel, in this order."""

    kernel: str
    number: int
    turns: tuple[Turn, ...]


@dataclass(frozen=True)
class Missing:
    """A cell that the plan asks for and that cannot be, with the reason."""

    cell: Cell
    reason: str


def name_of(cell: Cell) -> str:
    """A cell in words: `vsock g2h 32K copy`, `tcp4 loopback 64K errqueue/32`."""
    return f"{path_of(cell)} {load_of(cell)} {column_name(cell.mode, cell.interval)}"


def column_name(mode: Mode, interval: int) -> str:
    """A mode with its interval, where it has one: `errqueue/32`."""
    return mode.value if mode in _NO_INTERVAL else f"{mode}/{interval}"


def load_of(cell: Cell) -> str:
    """What is sent: `64K`, or of multifd `8 channels`."""
    if not cell.channels:
        return show_size(cell.size)
    return f"{cell.channels} channel{'s' if cell.channels > 1 else ''}"


def path_of(cell: Cell) -> str:
    """The way of its bytes: `tcp4 loopback`."""
    return f"{cell.transport}{cell.ip or ''} {cell.direction}"


def amount_of(plan: Plan) -> Amount:
    """How much a round of the plan sends."""
    return Amount(plan.bytes, plan.warmup, plan.settings.buffer or 0)


def cells_of(plan: Plan, topology: str) -> tuple[tuple[Cell, ...], tuple[Missing, ...]]:
    """The cells of a plan in a topology, and those that cannot be measured."""
    found = tuple(dict.fromkeys(_all(plan)))
    told = [(cell, _impossible(cell, topology)) for cell in found]
    cells = tuple(cell for cell, reason in told if not reason)
    return cells, tuple(Missing(cell, reason) for cell, reason in told if reason)


def _all(plan: Plan) -> Iterator[Cell]:
    for transport, direction in product(plan.transports, plan.directions):
        for ip in (0,) if transport in _NO_IP else plan.ip:
            for size, mode in product(plan.sizes, plan.modes):
                for interval in (1,) if mode in _NO_INTERVAL else plan.intervals:
                    for channels in plan.channels or (0,):
                        yield Cell(transport, ip, direction, mode, size, interval, channels)


def _impossible(cell: Cell, topology: str) -> str:
    if (cell.direction in VHOST) != (cell.mode is Mode.ZCOPYTX) and cell.mode is not Mode.COPY:
        return f"{cell.mode} is not measured over {cell.direction}"
    if cell.direction in VHOST and (cell.transport not in {"tcp", "udp"} or cell.ip != 4):
        return f"over {cell.direction} a guest sends TCP and UDP over IPv4"
    if cell.direction in VHOST and topology != "nested":
        return "a guest behind vhost-net has a host: --topology nested"
    if (cell.transport == MULTIFD) != (cell.mode is Mode.ZERO_COPY_SEND) and (
        cell.mode is not Mode.COPY
    ):
        return f"{cell.mode} is not measured over {cell.transport}"
    if cell.transport == MULTIFD and topology != "loopback":
        return "both QEMUs of a migration are in one guest: --topology loopback"
    if cell.transport == MULTIFD and cell.size != _PAGE:
        return "multifd sends pages of 4K"
    two_ends = cell.direction in {"g2h", "h2g"}
    if two_ends and cell.transport != "vsock":
        return f"{cell.transport} is measured in one guest, only vsock between two ends"
    if two_ends and topology == "loopback":
        return "a guest and its host are two ends: --topology nested or pair"
    if cell.direction == "veth" and cell.transport == "vsock":
        return "vsock has no veth"
    most = _DATAGRAM.get((cell.transport, cell.ip))
    if most is not None and cell.size > most:
        return f"a datagram holds at most {most:,} bytes"
    return ""


def schedule(
    cells: Sequence[Cell], rounds: int, boots: int, kernels: Sequence[str], seed: int
) -> tuple[Boot, ...]:
    """All boots in order; each cell has `rounds` rounds on each kernel, shared out over boots."""
    boots = min(boots, rounds)
    found = []
    first = 1
    for boot in range(boots):
        count = rounds // boots + (boot < rounds % boots)
        turns = tuple(_turns(cells, range(first, first + count), f"{seed}/{boot}"))
        first += count
        turned = kernels if boot % 2 == 0 else reversed(kernels)
        found += [Boot(kernel, boot + 1, turns) for kernel in turned]
    return tuple(found)


def _turns(cells: Sequence[Cell], numbers: Iterable[int], seed: str) -> Iterator[Turn]:
    dice = random.Random(seed)
    groups: dict[Cell, list[Cell]] = {}
    for cell in cells:
        groups.setdefault(replace(cell, mode=Mode.COPY, interval=1), []).append(cell)
    block: list[Cell] = []
    for place, number in enumerate(numbers):
        if place % 2 == 0:
            shuffled = list(groups.values())
            dice.shuffle(shuffled)
            block = [cell for group in shuffled for cell in dice.sample(group, len(group))]
        else:
            block.reverse()
        yield from (Turn(cell, number) for cell in block)
