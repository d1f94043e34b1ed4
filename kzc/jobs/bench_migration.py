# SPDX-License-Identifier: GPL-2.0-only
"""Measures the turns of a boot by two QEMUs in its guest, one of which migrates to the other."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import replace

from kzc.bench.values import Round
from kzc.bench.zcbench import Amount, Turn
from kzc.jobs.bench_guest import Boot, Terms, only_counted_by_tcg, prepare
from kzc.jobs.bench_one import OneGuest, Program
from kzc.jobs.guests import Plan, guest_spec
from kzc.jobs.workshop import Workshop

_MEMORY = 1024  # MiB
_EACH = 6  # turns of one invocation: rounds come while others are still measured


def measure_migration(
    shopfloor: Workshop, plan: Plan, boot: Boot, terms: Terms
) -> Generator[Round, None, None]:
    """The rounds of one boot, in the order of its turns; outcomes are kept.

    Raises UsageError for instruction time on KVM.
    """
    only_counted_by_tcg(plan.accel, terms)
    shopfloor.screen.step(f"booting a guest whose QEMUs migrate, to measure {boot.label}")
    spec = guest_spec(shopfloor, boot.kernel.kernel, "vng", plan)
    spec = replace(spec, cpus=1 if terms.counted else 2, memory=max(_MEMORY, plan.memory))
    spec = replace(spec, icount=terms.counted, modules=boot.kernel.modules)
    one = OneGuest(shopfloor, plan, boot, terms, spec, boot.label)
    # it has a spinner of its own
    program = Program("qemu-migration", lines_of, _EACH, prepare(terms, "", spin=False))
    yield from one.rounds(lambda guest: one.measured_by(guest, program))


def lines_of(turns: Sequence[Turn], amount: Amount) -> tuple[str, ...]:
    """The input of `qemu-migration bench`, numbered from 0."""
    return tuple(
        f"{number} {cell.direction}{cell.ip} {cell.mode} {cell.channels} "
        f"{amount.messages(cell) * cell.size}"
        for number, cell in enumerate(turn.cell for turn in turns)
    )
