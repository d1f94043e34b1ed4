# SPDX-License-Identifier: GPL-2.0-only
"""How the boots of a bench are measured in each topology."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass

from kzc.bench.values import Clock, Round
from kzc.errors import UsageError
from kzc.hosts.address import Address
from kzc.jobs import topology
from kzc.jobs.bench import Measure
from kzc.jobs.bench_between import measure_nested, measure_on
from kzc.jobs.bench_guest import Boot, Terms
from kzc.jobs.bench_measure import measure
from kzc.jobs.bench_migration import measure_migration
from kzc.jobs.bench_vhost import measure_vhost
from kzc.jobs.guests import Plan
from kzc.jobs.topology import Side
from kzc.jobs.workshop import Workshop

# suites whose programs bring their other end with them
_OF_THEIR_OWN: dict[str, Measure] = {
    "vhost-net": measure_vhost,
    "qemu-migration": measure_migration,
}


@dataclass(frozen=True)
class _OnPair:
    """The host of a pair, this machine or one over SSH, with a guest for each boot."""

    address: Address | None
    accept: bool

    def __call__(
        self, shopfloor: Workshop, plan: Plan, boot: Boot, terms: Terms
    ) -> Iterator[Round]:
        with shopfloor.places.place("pair") as place:
            side = place.enter(self._side(shopfloor, plan))
            yield from measure_on(shopfloor, side, plan, boot, terms)

    def _side(self, shopfloor: Workshop, plan: Plan) -> AbstractContextManager[Side]:
        if self.address is None:
            return topology.this_machine(shopfloor, plan)
        return topology.over_ssh(shopfloor, plan, self.address, accept=self.accept)


def measure_in(
    name: str,
    clock: Clock,
    address: Address | None = None,
    accept: bool = False,
    *,
    suite: str = "zcbench",
) -> Measure:
    """The way to measure with the program of that suite in that topology. Raises UsageError where
    the clock cannot be had."""
    if suite in _OF_THEIR_OWN:
        return _OF_THEIR_OWN[suite]
    if name == "pair" and clock is Clock.INSTRUCTIONS:
        raise UsageError(
            "a pair's host is a real machine: nobody counts its instructions",
            "--topology nested counts those of both ends, --clock wall measures time",
        )
    if name == "pair":
        return _OnPair(address, accept)
    return measure_nested if name == "nested" else measure
