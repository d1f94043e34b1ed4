# SPDX-License-Identifier: GPL-2.0-only
"""Measures the turns of a boot in one guest, and yields rounds as they come.

In instruction time the guest has one CPU and QEMU's icount, so that what else this machine does is
not seen. An idle CPU would make the clock wait for real time, so it never is: see zcbench's
spinner, whose CPU time is what `Round.idle` tells.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import replace

from kzc.bench.values import Round
from kzc.bench.zcbench import Turn
from kzc.guest.argv import GuestSpec
from kzc.guest.session import Guest
from kzc.jobs import kernels
from kzc.jobs.bench_guest import (
    MEMORY,
    PATIENCE,
    Boot,
    Kernel,
    Terms,
    both,
    chunks,
    first_touch,
    only_counted_by_tcg,
    prepare,
    quick,
)
from kzc.jobs.bench_one import OneGuest
from kzc.jobs.bench_tally import Measuring
from kzc.jobs.guests import Plan, guest_spec, with_initrd
from kzc.jobs.kernels import Source, Wanted
from kzc.jobs.workshop import Workshop
from kzc.shared import shared_folder
from kzc.suites.manifest import Suite, load_suite
from kzc.values import Answer, Ended

_IN_GUEST = "/kzc/bin"
_CPUS = 2  # in wall time: one for each end


def bench_suite(name: str = "zcbench") -> Suite:
    """The suite whose program measures, with the fragments that its kernels need."""
    return load_suite(shared_folder("selftests") / name)


def make_kernel(
    shopfloor: Workshop, source: Source, wanted: Wanted, label: str, suite: Suite
) -> Kernel | None:
    """The kernel of a source, with the program of the suite, which measures; None when one does not
    build, which is kept."""
    built = kernels.make_kernel(shopfloor, source, wanted)
    programs = kernels.make_tests(shopfloor, source, (suite,)) if built else {}
    if built is None or not programs:
        return None
    return Kernel(label, built, next(iter(programs.values())), source.tree.repo)


def measure(
    shopfloor: Workshop, plan: Plan, boot: Boot, terms: Terms
) -> Generator[Round, None, None]:
    """The rounds of one boot over loopback and veth, in the order of its turns.

    The boot's outcome is kept, and one on how the measuring went. Raises UsageError for
    instruction time on KVM, whose instructions nobody counts.
    """
    only_counted_by_tcg(plan.accel, terms)
    folder = shopfloor.folder(f"bench-{boot.label}")
    shopfloor.screen.step(f"booting a guest to measure {boot.label}")
    spec = bench_spec(shopfloor, plan, boot.kernel, terms)
    spec = with_initrd(spec, folder, [boot.kernel.programs / "zcbench"])
    one = OneGuest(shopfloor, plan, boot, terms, spec, boot.label)
    try:
        yield from one.rounds(lambda guest: _rounds(shopfloor, guest, boot, terms))
    finally:
        (folder / "initramfs").unlink(missing_ok=True)


def bench_spec(shopfloor: Workshop, plan: Plan, kernel: Kernel, terms: Terms) -> GuestSpec:
    """The guest of a kernel, with the clock that is asked for."""
    spec = guest_spec(shopfloor, kernel.kernel, "mini", plan)
    memory = max(MEMORY, plan.memory)
    cpus = 1 if terms.counted else _CPUS
    return replace(spec, cpus=cpus, memory=memory, icount=terms.counted, modules=kernel.modules)


def _rounds(shopfloor: Workshop, guest: Guest, boot: Boot, terms: Terms) -> Iterator[Round]:
    measuring = Measuring(shopfloor, boot, terms)
    guest.kernel_log()
    answer = guest.run(prepare(terms, _IN_GUEST), quick(1))
    dead = ""
    if answer.ended is not Ended.EXIT or answer.status:
        said = " ".join(answer.output[-1:]) or answer.ended
        dead = f"the guest could not be set up: {said}"

    def run(part: tuple[Turn, ...]) -> Answer:
        return guest.run(both(terms, _IN_GUEST, part), PATIENCE)

    for turns in chunks(first_touch(boot.turns)):
        _, dead = measuring.unmeasured(turns, dead, run)
    for turns in chunks(boot.turns):
        dead = yield from measuring.part(turns, dead, run)
    measuring.over({"guest": guest.kernel_log()})
