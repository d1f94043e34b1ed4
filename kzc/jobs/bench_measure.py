# SPDX-License-Identifier: GPL-2.0-only
"""Measures the turns of a boot in one guest, and yields rounds as they come.

In instruction time the guest has one CPU and QEMU's icount, so that what else this machine does is
not seen. An idle CPU would make the clock wait for real time, so it never is: see zcbench's
spinner, whose CPU time is what `Round.idle` tells.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from kzc.bench.values import Round
from kzc.bench.zcbench import Origin
from kzc.errors import UsageError
from kzc.guest.argv import GuestSpec
from kzc.guest.session import Guest
from kzc.hosts.local import local_host
from kzc.jobs import kernels
from kzc.jobs.bench_guest import (
    PATIENCE,
    Boot,
    Kernel,
    Terms,
    both,
    chunks,
    not_measured,
    prepare,
    quick,
    rounds_of,
)
from kzc.jobs.evidence import Symbols
from kzc.jobs.guests import BOOT, Plan, boot_outcome, guest_spec, with_initrd
from kzc.jobs.kernels import Source, Wanted
from kzc.jobs.workshop import Workshop, stopwatch
from kzc.settings import shared_folder
from kzc.suites import kernel_log
from kzc.suites.manifest import Suite, load_suite
from kzc.values import Ended, Outcome, Stage, Verdict

_IN_GUEST = "/kzc/bin"
_MEMORY = 1024  # MiB: what is sent in a round may all be on its way at once
_CPUS = 2  # in wall time: one for each end


def bench_suite() -> Suite:
    """The suite that zcbench is a program of, with the fragments that its kernels need."""
    return load_suite(shared_folder("selftests") / "zcbench")


def make_kernel(shopfloor: Workshop, source: Source, wanted: Wanted, label: str) -> Kernel | None:
    """The kernel of a source, with zcbench for it; None when one does not build, which is kept."""
    built = kernels.make_kernel(shopfloor, source, wanted)
    programs = kernels.make_tests(shopfloor, source, (bench_suite(),)) if built else {}
    if built is None or not programs:
        return None
    return Kernel(label, built, next(iter(programs.values())), source.tree.repo)


def measure(shopfloor: Workshop, plan: Plan, boot: Boot, terms: Terms) -> Iterator[Round]:
    """The rounds of one boot over loopback and veth, in the order of its turns.

    The boot's outcome is kept, and one on how the measuring went. Raises UsageError for
    instruction time on KVM, whose instructions nobody counts.
    """
    if terms.counted and plan.accel != "tcg":
        raise UsageError("instructions are counted by TCG only", "say --accel tcg or --clock wall")
    label = f"{boot.kernel.label} boot {boot.number}".strip()
    origin = Origin(boot.kernel.label, boot.number, terms.clock)
    folder = shopfloor.folder(f"bench-{label}")
    shopfloor.screen.step(f"booting a guest to measure {label}")
    spec = with_initrd(
        bench_spec(shopfloor, plan, boot.kernel, terms), folder, [boot.kernel.programs / "zcbench"]
    )
    try:
        with shopfloor.places.place("loopback") as place:
            host = place.enter(local_host(shopfloor.runner))
            limits = BOOT.scaled(plan.factor)
            booting = shopfloor.places.boot(spec, folder, host, limits, name="guest", what=label)
            guest = place.enter(booting)
            kept = _boot_kept(shopfloor, spec, guest, boot.kernel, label)
            if guest.booted.ended is not Ended.EXIT:
                yield from not_measured(boot.turns, origin, kept.reason)
                return
            yield from _rounds(shopfloor, guest, boot, terms, origin)
    finally:
        (folder / "initramfs").unlink(missing_ok=True)


def bench_spec(shopfloor: Workshop, plan: Plan, kernel: Kernel, terms: Terms) -> GuestSpec:
    """The guest of a kernel, with the clock that is asked for."""
    spec = guest_spec(shopfloor, kernel.kernel, "mini", plan)
    memory = max(_MEMORY, plan.memory)
    cpus = 1 if terms.counted else _CPUS
    return replace(spec, cpus=cpus, memory=memory, icount=terms.counted, modules=kernel.modules)


def _boot_kept(
    shopfloor: Workshop, spec: GuestSpec, guest: Guest, kernel: Kernel, label: str
) -> Outcome:
    rules = kernel_log.load_rules(shared_folder("selftests") / "kernel-log.toml")
    found = boot_outcome(spec, guest.booted, rules, label)
    log = shopfloor.relative(shopfloor.folder(f"bench-{label}") / "console.log")
    detail = {**found.detail, "icount": spec.icount, "repeat": shopfloor.again}
    found = Symbols(kernel.kernel, kernel.repo).decoded(
        replace(found, log=log, detail=detail), shopfloor.runner
    )
    return shopfloor.keep(found)


def _rounds(
    shopfloor: Workshop, guest: Guest, boot: Boot, terms: Terms, origin: Origin
) -> Iterator[Round]:
    watch, told = stopwatch(), Tally()
    guest.kernel_log()
    answer = guest.run(prepare(terms, _IN_GUEST), quick(1))
    dead = ""
    if answer.ended is not Ended.EXIT or answer.status:
        dead = " ".join(answer.output[-1:]) or f"the guest could not be set up: {answer.ended}"
    for turns in chunks(boot.turns):
        if dead:
            found = not_measured(turns, origin, dead)
        else:
            answer = guest.run(both(terms, _IN_GUEST, turns), PATIENCE)
            found = rounds_of(answer, turns, terms, origin)
            if answer.ended is not Ended.EXIT:
                dead = f"{answer.ended} before: the guest is of no use any more"
        for each in found:
            told.add(each)
            yield each
    label = f"{boot.kernel.label} boot {boot.number}".strip()
    kept = told.outcome(f"bench of {label}", watch(), guest.kernel_log())
    log = shopfloor.relative(shopfloor.folder(f"bench-{label}") / "control.log")
    detail = {**kept.detail, "repeat": shopfloor.again}
    kept = replace(kept, log=log, detail=detail)
    shopfloor.keep(Symbols(boot.kernel.kernel, boot.kernel.repo).decoded(kept, shopfloor.runner))


class Tally:
    """Counts rounds, to say in the end how the measuring went."""

    def __init__(self) -> None:
        self._measured = self._lacking = self._failed = 0
        self._first = ""

    def add(self, found: Round) -> None:
        """One more round."""
        if found.sender is not None:
            self._measured += 1
        elif found.lacks:
            self._lacking += 1
        else:
            self._failed += 1
            self._first = self._first or found.reason

    def outcome(self, subject: str, seconds: float, console: tuple[str, ...]) -> Outcome:
        """A failed round fails it, and so does what the kernel's log says meanwhile."""
        rules = kernel_log.load_rules(shared_folder("selftests") / "kernel-log.toml")
        findings = kernel_log.scan(console, rules)
        reason = f"{self._measured} rounds"
        if self._lacking:
            reason += f", {self._lacking} that this kernel cannot"
        if self._failed:
            reason += f", {self._failed} failed: {self._first}"
        if findings:
            reason += f"; kernel log: {findings[0].text}"
        verdict = Verdict.FAIL if self._failed or findings else Verdict.PASS
        if verdict is Verdict.PASS and not self._measured:
            verdict = Verdict.SKIP
        detail = kernel_log.evidence(findings)
        return Outcome(Stage.TEST, subject, verdict, seconds, detail=detail, reason=reason)
