# SPDX-License-Identifier: GPL-2.0-only
"""Measures the turns of a boot by two QEMUs in its guest, one of which migrates to the other."""

from __future__ import annotations

import shlex
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, replace

from kzc.bench.values import Round
from kzc.bench.zcbench import Amount, Turn
from kzc.guest.session import Guest
from kzc.jobs.bench_guest import PATIENCE, Boot, Terms, only_counted_by_tcg, prepare, quick
from kzc.jobs.bench_one import OneGuest
from kzc.jobs.bench_tally import Measuring
from kzc.jobs.guests import Plan, guest_spec
from kzc.jobs.workshop import Workshop
from kzc.values import Answer, Ended

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
    migrations = _Migrations(shopfloor, plan, boot, terms)
    one = OneGuest(shopfloor, plan, boot, terms, spec, boot.label)
    yield from one.rounds(migrations.measured)


def lines_of(turns: Sequence[Turn], amount: Amount) -> tuple[str, ...]:
    """The input of `qemu-migration bench`, numbered from 0."""
    return tuple(
        f"{number} {cell.direction}{cell.ip} {cell.mode} {cell.channels} "
        f"{amount.messages(cell) * cell.size}"
        for number, cell in enumerate(turn.cell for turn in turns)
    )


@dataclass(frozen=True)
class _Migrations:
    shopfloor: Workshop
    plan: Plan
    boot: Boot
    terms: Terms

    def measured(self, guest: Guest) -> Iterator[Round]:
        measuring = Measuring(self.shopfloor, self.boot, self.terms)
        guest.kernel_log()
        dead = self._prepared(guest)
        known = {"KZC_SLOWDOWN": f"{self.plan.factor:.0f}"}
        if self.terms.counted:
            known["KZC_COUNTED"] = "1"
        told = " ".join(f"{name}={text}" for name, text in known.items())
        program = shlex.quote(str(self.boot.kernel.programs / "qemu-migration"))

        def run(turns: tuple[Turn, ...]) -> Answer:
            lines = "\n".join(lines_of(turns, self.terms.amount))
            return guest.run(f"{told} {program} bench <<'CELLS'\n{lines}\nCELLS", PATIENCE)

        for start in range(0, len(self.boot.turns), _EACH):
            turns = self.boot.turns[start : start + _EACH]
            dead = yield from measuring.part(turns, dead, run)
        measuring.over({"guest": guest.kernel_log()})

    def _prepared(self, guest: Guest) -> str:
        """Words on what could not be set before the first round; the program spins itself."""
        answer = guest.run(prepare(self.terms, "", spin=False), quick(self.plan.factor))
        if answer.ended is not Ended.EXIT or answer.status:
            return f"the guest could not be set up: {' '.join(answer.output[-1:]) or answer.ended}"
        return ""
