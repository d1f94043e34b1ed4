# SPDX-License-Identifier: GPL-2.0-only
"""A guest of this machine that is measured alone: booted, its boot's outcome kept, and gone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from kzc.bench.values import Round
from kzc.bench.zcbench import Origin
from kzc.guest.argv import GuestSpec
from kzc.guest.session import Guest
from kzc.hosts.local import local_host
from kzc.jobs.bench_guest import Boot, Terms, not_measured
from kzc.jobs.bench_pin import pin
from kzc.jobs.evidence import Symbols
from kzc.jobs.guests import BOOT, Plan, boot_outcome
from kzc.jobs.workshop import Workshop
from kzc.shared import shared_folder
from kzc.suites import kernel_log
from kzc.values import Ended


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
