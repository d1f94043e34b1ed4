# SPDX-License-Identifier: GPL-2.0-only
"""A guest of this machine that is measured alone: booted, its boot's outcome kept, and gone."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from kzc.bench.values import Round
from kzc.bench.zcbench import Amount, Origin, Turn
from kzc.guest.argv import GuestSpec
from kzc.guest.session import Guest
from kzc.hosts.local import local_host
from kzc.jobs.bench_guest import PATIENCE, Boot, Terms, chunks, not_measured, quick
from kzc.jobs.bench_pin import pin
from kzc.jobs.bench_tally import Measuring
from kzc.jobs.evidence import Symbols
from kzc.jobs.guests import BOOT, Plan, boot_outcome
from kzc.jobs.workshop import Workshop
from kzc.shared import shared_folder
from kzc.suites import kernel_log
from kzc.values import Answer, Ended

_LOST = "# the guest was lost in round "


@dataclass(frozen=True)
class Program:
    """A program of a suite's that brings its other ends with it, called as `NAME bench`: `lines`
    makes its input of turns, of which it gets `each` at a time. `set_up` is shell text that the
    guest is set up by, `variables` its environment beside what all of them are told."""

    name: str
    lines: Callable[[Sequence[Turn], Amount], Sequence[str]]
    each: int
    set_up: str
    variables: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class OneGuest:
    """The guest `spec` of a boot, called `label`; it takes a place of `topology`."""

    shopfloor: Workshop
    plan: Plan
    boot: Boot
    terms: Terms
    spec: GuestSpec
    label: str
    topology: str = "loopback"

    def rounds(self, measured: Callable[[Guest], Iterator[Round]]) -> Iterator[Round]:
        """What `measured` yields of the guest when it is up; else each turn says why not."""
        folder = self.shopfloor.folder(f"bench-{self.boot.label}")
        name = "guest" if self.topology == "loopback" else "host"
        with self.shopfloor.places.place(self.topology) as place:
            host = place.enter(local_host(self.shopfloor.runner))
            limits = BOOT.scaled(self.plan.factor)
            booting = self.shopfloor.places.boot(
                self.spec, folder, host, limits, name=name, what=self.label
            )
            guest = place.enter(booting)
            if why := self._kept(guest):
                origin = Origin(self.boot.kernel.label, self.boot.number, self.terms.clock)
                yield from not_measured(self.boot.turns, origin, why)
                return
            if not self.terms.counted:
                self.shopfloor.run.note({"pinning": pin(guest, host)})
            yield from measured(guest)

    def _kept(self, guest: Guest) -> str:
        """Keep the boot's outcome; why the guest is of no use, if so."""
        rules = kernel_log.load_rules(shared_folder("selftests") / "kernel-log.toml")
        found = boot_outcome(self.spec, guest.booted, rules, self.label)
        folder = self.shopfloor.folder(f"bench-{self.boot.label}")
        detail = {**found.detail, "icount": self.spec.icount, "repeat": self.shopfloor.again}
        log = self.shopfloor.relative(folder / "console.log")
        symbols = Symbols(self.boot.kernel.kernel, self.boot.kernel.repo)
        found = replace(found, log=log, detail=detail)
        self.shopfloor.keep(symbols.decoded(found, self.shopfloor.runner))
        return "" if guest.booted.ended is Ended.EXIT else found.reason

    def measured_by(self, guest: Guest, program: Program) -> Iterator[Round]:
        """The rounds of a guest that is up, and an outcome that is kept on how it went."""
        measuring = Measuring(self.shopfloor, self.boot, self.terms)
        guest.kernel_log()
        dead = self._set_up(guest, program.set_up)
        known = {**program.variables, "KZC_SLOWDOWN": f"{self.plan.factor:.0f}"}
        if self.terms.counted:
            known["KZC_COUNTED"] = "1"
        told = " ".join(f"{name}={shlex.quote(text)}" for name, text in known.items())
        path = shlex.quote(str(self.boot.kernel.programs / program.name))
        lost = 0

        def run(turns: tuple[Turn, ...]) -> Answer:
            nonlocal lost
            lines = "\n".join(program.lines(turns, self.terms.amount))
            answer = guest.run(f"{told} {path} bench <<'CELLS'\n{lines}\nCELLS", PATIENCE)
            lost += sum(line.startswith(_LOST) for line in answer.output)
            return answer

        for turns in chunks(self.boot.turns, program.each):
            dead = yield from measuring.part(turns, dead, run)
        measuring.over({"guest": guest.kernel_log()}, _remark(lost))

    def _set_up(self, guest: Guest, text: str) -> str:
        """Words on what could not be set before the first round."""
        answer = guest.run(text, quick(self.plan.factor))
        if answer.ended is not Ended.EXIT or answer.status:
            said = " ".join(answer.output[-1:]) or answer.ended
            return f"the guest could not be set up: {said}"
        return ""


def _remark(lost: int) -> str:
    """What a report says of second levels that did not last; empty if all did."""
    if not lost:
        return ""
    rounds = "a round was" if lost == 1 else f"{lost} rounds were"
    return f"the second level was lost and {rounds} measured again"
