# SPDX-License-Identifier: GPL-2.0-only
"""Boots the guest of a pair, runs a suite between the two kernels, and says how it went."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from kzc.errors import HostError
from kzc.guest import cid
from kzc.guest.argv import GuestSpec
from kzc.guest.capture import Capture, capturing
from kzc.guest.ends import GuestEnd, HostEnd
from kzc.guest.events import misplaced
from kzc.guest.hosting import programs_on
from kzc.guest.network import GATEWAY, UP
from kzc.guest.session import Guest as Booted
from kzc.jobs.evidence import Symbols
from kzc.jobs.guests import BOOT, Plan, boot_outcome, with_initrd
from kzc.jobs.topology import Side, second_level
from kzc.jobs.workshop import Workshop, stopwatch
from kzc.shared import shared_folder
from kzc.suites import binaries, kernel_log
from kzc.suites.manifest import Suite
from kzc.suites.pair import Pair
from kzc.suites.pair_runner import run_pairs
from kzc.suites.runner import Setting
from kzc.values import Ended, KernelBuild, Limits, Outcome, Verdict

_INSIDE = 51000
_PORTS = (1 << 16, 1 << 30)  # AF_VSOCK ports that nobody else uses by habit
_ATTEMPTS = 3
_EMULATED_BOOT = Limits(6, 60)  # silence is how a lost guest shows; one that lives is never so long
LOST = (Ended.GONE, Ended.SILENCE, Ended.STALLED)
_IN_GUEST = "/kzc/bin"
_KILLED = "emulated SVM killed the guest by a double fault that no CPU delivers"


@dataclass(frozen=True)
class Guest:
    """The guest's kernel, and its lib/modules/RELEASE if it needs one."""

    kernel: KernelBuild
    modules: Path | None = None


@dataclass(frozen=True)
class Programs:
    """Folders of this machine with a suite's programs, built from the commit of each end."""

    host: Path
    guest: Path


@dataclass(frozen=True)
class Meeting:
    """A suite between a host that is up and a guest that is to be booted behind it.

    `name` is how reports call it: the suite and the topology, perhaps the kernels. `symbols` are
    those of the "guest" and, where its kernel is one of ours, of the "host".
    """

    shopfloor: Workshop
    side: Side
    behind: Guest
    suite: Suite
    programs: Programs
    plan: Plan
    name: str
    symbols: Mapping[str, Symbols]

    def test(self) -> tuple[Outcome, ...]:
        """A boot outcome and, when the guest came up, a test outcome; both are kept. Where emulated
        SVM killed the guest, all of it is done once more."""
        kept = self._once()
        if self._killed(kept):
            self.shopfloor.screen.step(f"emulated SVM killed the guest of {self.name}: once more")
            kept = self._once()
            twice = self._killed(kept)
            kept = (*kept[:1], *(killed(outcome, twice=twice) for outcome in kept[1:]))
        return (*kept[:1], *map(self.shopfloor.keep, kept[1:]))

    def _killed(self, kept: tuple[Outcome, ...]) -> bool:
        if len(kept) == 1 or not self.side.emulated:
            return False
        console = self.shopfloor.folder(f"test-{self.name}") / "console.log"
        return misplaced(console.read_text(errors="replace").splitlines())

    def _once(self) -> tuple[Outcome, ...]:
        """A boot outcome, which is kept, and when the guest came up a test outcome, not kept."""
        folder = self.shopfloor.folder(f"test-{self.name}")
        self.shopfloor.screen.step(f"booting the guest for {self.name} on {self.side.host.name}")
        spec = replace(
            second_level(self.side, self.plan, Path(self.behind.kernel.image)), forwarded=_INSIDE
        )
        # one emulated CPU inside of two: more of them only wait for each other
        cpus = 1 if self.side.emulated else self.suite.cpus
        memory = max(self.suite.memory_mib, self.plan.memory)
        spec = replace(spec, cpus=cpus, memory=memory, modules=self.behind.modules)
        spec = with_initrd(spec, folder, sorted(self.programs.guest.iterdir()))
        rules = kernel_log.load_rules(shared_folder("selftests") / "kernel-log.toml")
        try:
            with self.shopfloor.places.place(f"{self.side.topology}/guest") as place:
                guest, guest_cid, attempts = place.enter(
                    boot_behind(self.shopfloor, self.side, spec, folder, self.name)
                )
                boot = boot_outcome(spec, guest.booted, rules, self.name)
                detail = {
                    **boot.detail,
                    **_facts(self.side),
                    "cid": guest_cid,
                    "attempts": attempts,
                }
                detail["repeat"] = self.shopfloor.again
                log = self.shopfloor.relative(folder / "console.log")
                boot = self.symbols["guest"].decoded(
                    replace(boot, log=log, detail=detail), self.shopfloor.runner
                )
                boot = self.shopfloor.keep(boot)
                if guest.booted.ended is not Ended.EXIT:
                    return (boot,)
                self.shopfloor.screen.step(f"running {self.name}")
                pair = pair_of(self.side, guest, guest_cid, self.programs, folder)
                setting = Setting(_IN_GUEST, self.side.factor, pair.guest.absent, rules)
                watch = stopwatch()
                with capturing(self.side.host, folder, self.side.hosting.lacks) as capture:
                    outcome = run_pairs(self.suite, pair, setting, self.shopfloor.screen.case)
                took = watch()
        finally:
            (folder / "initramfs").unlink(missing_ok=True)
        detail = {
            **outcome.detail,
            **_facts(self.side),
            **_captured(self.shopfloor, capture),
            "repeat": self.shopfloor.again,
        }
        log = self.shopfloor.relative(folder / "control.log")
        outcome = replace(outcome, subject=self.name, seconds=took, log=log, detail=detail)
        # whose trace it is stands in front of the signature
        whose = self.symbols.get(str(detail.get("signature", "")).partition(":")[0])
        outcome = whose.decoded(outcome, self.shopfloor.runner) if whose else outcome
        return boot, outcome


def killed(outcome: Outcome, *, twice: bool) -> Outcome:
    """What a suite says whose guest emulated SVM has killed, and `twice` the second one as well:
    that is nothing of the kernel's then."""
    if not twice:
        return replace(outcome, reason="; ".join(filter(None, (outcome.reason, _KILLED))))
    cases = tuple(
        replace(case, verdict=Verdict.INFRA) if case.verdict is Verdict.CRASH else case
        for case in outcome.cases
    )
    return replace(outcome, verdict=Verdict.INFRA, reason=f"{_KILLED}, twice", cases=cases)


@contextmanager
def boot_behind(
    shopfloor: Workshop, side: Side, spec: GuestSpec, folder: Path, name: str
) -> Iterator[tuple[Booted, int, int]]:
    """The guest behind a CID of its own; another one is taken when somebody had it.

    On emulated SVM a guest that got lost while booting (see topology.py) is started again, the
    last time with a console that tells everything; a panic is a panic.
    """
    limits = (_EMULATED_BOOT if side.emulated else BOOT).scaled(side.factor)
    for attempt in range(1, _ATTEMPTS + 1):
        last = attempt == _ATTEMPTS
        own = cid.random_cid()
        with (
            cid.held(side.host, folder / "flock.log") as release,
            shopfloor.places.boot(
                replace(spec, cid=own, console="ttyS0" if last else spec.console),
                folder,
                side.host,
                limits,
                name="guest",
                what=f"guest for {name}",
                beneath=side.failed,
                connected=partial(_owned, release),
            ) as guest,
        ):
            ended = guest.booted.ended
            log = (folder / "qemu.log").read_text(errors="replace")
            taken = cid.was_taken(log)
            if last or not tried_again(ended, taken=taken, emulated=side.emulated):
                yield guest, own, attempt
                return
            shopfloor.screen.step(f"starting {name} again: attempt {attempt} ended so: {ended}")


def tried_again(ended: Ended, *, taken: bool, emulated: bool) -> bool:
    """Whether a guest whose boot ended so is started once more: its CID was `taken`, or it was lost
    by an emulation. What its kernel said itself (a panic) or its host did is never tried again."""
    return (taken and ended is Ended.GONE) or (emulated and ended in LOST)


def _owned(release: Callable[[], None], guest: Booted) -> None:
    """QEMU answers only when its devices are made, so the CID is its own by then."""
    with suppress(OSError):  # it may have ended because the CID was taken
        guest.monitor.forwarded_port()
    release()


def pair_of(side: Side, guest: Booted, guest_cid: int, programs: Programs, folder: Path) -> Pair:
    """The two ends, with a network between them. Raises HostError where the guest has none."""
    answer = guest.run(UP, Limits(20, 30).scaled(side.factor))
    if answer.ended is Ended.EXIT and answer.status:
        raise HostError(f"the guest has no network: {' / '.join(answer.output[-2:])}")
    there = programs_on(side.host, programs.host)
    log = folder / "host.log"
    absent = binaries.absent(programs.host)
    return Pair(
        HostEnd(side.host, guest, str(there), absent, log, side.kernel_log),
        GuestEnd(guest, side.host, _IN_GUEST, binaries.absent(programs.guest)),
        guest_cid,
        _INSIDE,
        guest.monitor.forwarded_port(),
        GATEWAY,
        _PORTS[0] + secrets.randbelow(_PORTS[1] - _PORTS[0]),
        side.host.free_port,
    )


def _facts(side: Side) -> dict[str, str]:
    return {
        "topology": side.topology,
        "host": side.host.name,
        "host_release": side.hosting.release,
        "accelerator": f"{side.hosting.accel}: {side.hosting.reason}",
    }


def _captured(shopfloor: Workshop, capture: Capture) -> dict[str, str]:
    if capture.reason:
        return {"capture": f"none: {capture.reason}"}
    return {"capture": shopfloor.relative(capture.file)}
