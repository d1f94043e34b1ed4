# SPDX-License-Identifier: GPL-2.0-only
"""Measures the turns of a boot behind vhost-net: what a second-level guest sends through its host.

Whether vhost-net sends a guest's frames in place is said when its kernel boots, so a boot is one of
each mode, in turns the first; in instruction time, which both count alike, nothing drifts between.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, replace

from kzc.bench.values import Mode, Round
from kzc.bench.zcbench import Amount, Turn
from kzc.guest.argv import GuestSpec
from kzc.guest.first_level import host_of_guests
from kzc.jobs.bench_guest import Boot, Terms, only_counted_by_tcg, prepare
from kzc.jobs.bench_measure import bench_suite
from kzc.jobs.bench_one import OneGuest, Program
from kzc.jobs.guests import Plan, guest_spec, host_variables, with_initrd
from kzc.jobs.workshop import Workshop

_MEMORY = 2048  # MiB
_PARAMETER = "vhost_net.experimental_zcopytx"
# where instructions are counted: the cards of the wires else wait for a timer after each interrupt,
# nobody works then, and the more often QEMU's clock has something due, the more often emulated SVM
# gives an interrupt a second time
_UNTHROTTLED = f"e1000e.InterruptThrottleRate={','.join('0' * 4)}"
_EACH = 24  # turns of one invocation, which boots a second level of its own


def measure_vhost(
    shopfloor: Workshop, plan: Plan, boot: Boot, terms: Terms
) -> Generator[Round, None, None]:
    """The rounds of one boot of each mode, in the order of its turns; outcomes are kept.

    Raises UsageError for instruction time on KVM.
    """
    only_counted_by_tcg(plan.accel, terms)
    modes = sorted({turn.cell.mode for turn in boot.turns})
    for mode in modes if boot.number % 2 else reversed(modes):
        turns = tuple(turn for turn in boot.turns if turn.cell.mode is mode)
        yield from _OneMode(shopfloor, plan, replace(boot, turns=turns), terms, mode).rounds()


def lines_of(turns: Sequence[Turn], amount: Amount) -> tuple[str, ...]:
    """The input of `vhost_net bench`, numbered from 0."""
    return tuple(
        f"{number} {turn.cell.transport} {turn.cell.direction} {turn.cell.size} "
        f"{amount.messages(turn.cell)} {max(1, amount.warmup)}"
        for number, turn in enumerate(turns)
    )


@dataclass(frozen=True)
class _OneMode:
    """A boot whose turns are all of one mode."""

    shopfloor: Workshop
    plan: Plan
    boot: Boot
    terms: Terms
    mode: Mode

    def rounds(self) -> Iterator[Round]:
        label = f"{self.boot.label} {self.mode}"
        folder = self.shopfloor.folder(f"bench-{self.boot.label}")
        self.shopfloor.screen.step(f"booting a host to measure {label}")
        behind = with_initrd(self._spec(), folder, [self.boot.kernel.programs / "vhost_net"])
        spec = host_of_guests(replace(behind, initrd=None), bench_suite("vhost-net").wires)
        one = OneGuest(self.shopfloor, self.plan, self.boot, self.terms, spec, label, "nested")
        # it has a spinner of its own
        text = prepare(self.terms, "", spin=False)
        told = host_variables(behind, self.plan, self.boot.kernel.kernel.release)
        program = Program("vhost_net", lines_of, _EACH, text, told)
        try:
            yield from one.rounds(lambda guest: one.measured_by(guest, program))
        finally:
            (folder / "initramfs").unlink(missing_ok=True)

    def _spec(self) -> GuestSpec:
        spec = guest_spec(self.shopfloor, self.boot.kernel.kernel, "vng", self.plan)
        counted = self.terms.counted
        parameter = f"{_PARAMETER}={int(self.mode is Mode.ZCOPYTX)}"
        return replace(
            spec,
            cpus=1 if counted else 2,
            memory=max(_MEMORY, self.plan.memory),
            append=(*spec.append, parameter, *((_UNTHROTTLED,) if counted else ())),
            icount=counted,
            modules=self.boot.kernel.modules,
        )
