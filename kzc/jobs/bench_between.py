# SPDX-License-Identifier: GPL-2.0-only
"""Measures the turns of a boot between a host and a guest behind its /dev/vhost-vsock.

zcbench follows in the guest and leads on the host, where the rounds are printed; turns whose two
ends are in one kernel are measured on the host. In instruction time the first level has one CPU,
and all that both levels execute is counted.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby, takewhile
from pathlib import Path

from kzc.bench.values import Round
from kzc.bench.zcbench import Origin, Turn
from kzc.guest.events import misplaced
from kzc.jobs import topology
from kzc.jobs.bench_guest import (
    MEMORY,
    PATIENCE,
    SPINNER,
    Boot,
    Terms,
    both,
    call,
    chunks,
    first_touch,
    found_set,
    not_measured,
    only_counted_by_tcg,
    prepare,
    quick,
)
from kzc.jobs.bench_pin import pin
from kzc.jobs.bench_tally import Measuring
from kzc.jobs.evidence import Symbols
from kzc.jobs.guests import Plan, boot_outcome, with_initrd
from kzc.jobs.pairs import LOST, Programs, boot_behind, pair_of
from kzc.jobs.topology import Side, second_level
from kzc.jobs.workshop import Workshop
from kzc.shared import shared_folder
from kzc.suites import kernel_log
from kzc.suites.pair import End, Pair
from kzc.values import Answer, Ended, Limits

_INSIDE = 51000
_COLD = 2  # rounds of each cell until all memory that they take is there
_ONE_KERNEL = frozenset({"loopback", "veth"})
_LISTENS = Limits(60, 120)
_ALIVE = Limits(60, 60)
_COUNTED = Limits(90, 1800)  # of rounds that a timer ends
_AGAIN = 2  # times that both levels are booted again for what is left


def measure_nested(
    shopfloor: Workshop, plan: Plan, boot: Boot, terms: Terms
) -> Generator[Round, None, None]:
    """The rounds of one boot of both levels; the boot's kernel is the host's.

    The boots' outcomes are kept, and one on how the measuring went. Where emulated SVM lost the
    guest, both are booted again for the turns that are left: its host may hang with it. Raises
    UsageError for instruction time on KVM.
    """
    only_counted_by_tcg(plan.accel, terms)
    plan = replace(plan, counted=terms.counted)
    left = boot.turns
    for again in range(_AGAIN, -1, -1):
        now = replace(boot, turns=left)
        left = yield from _both_levels(shopfloor, plan, now, replace(terms, again=again > 0))
        if not left:
            return
        shopfloor.screen.step(f"emulated SVM lost the second level of {boot.label}: both once more")


def _both_levels(
    shopfloor: Workshop, plan: Plan, boot: Boot, terms: Terms
) -> Generator[Round, None, tuple[Turn, ...]]:
    """The rounds of one pair; returns the turns that are left when the guest was lost."""
    name = f"bench {boot.label}"
    symbols = Symbols(boot.kernel.kernel, boot.kernel.repo)
    with shopfloor.places.place("nested") as place:
        first = topology.nested(shopfloor, plan, symbols, name, memory=MEMORY)
        side = place.enter(first)
        if side is None:
            origin = Origin(boot.kernel.label, boot.number, terms.clock)
            yield from not_measured(boot.turns, origin, "the first-level guest did not come up")
            return ()
        again = terms.again and side.emulated
        return (yield from _behind(shopfloor, side, plan, boot, replace(terms, again=again)))


def measure_on(
    shopfloor: Workshop, side: Side, plan: Plan, boot: Boot, terms: Terms
) -> Generator[Round, None, None]:
    """The rounds of one boot of a guest on a host that is there.

    Raises UsageError for instruction time on a machine, where nobody counts.
    """
    only_counted_by_tcg("tcg" if side.first else "a machine", terms)
    yield from _behind(shopfloor, side, plan, boot, terms)


def _behind(
    shopfloor: Workshop, side: Side, plan: Plan, boot: Boot, terms: Terms
) -> Generator[Round, None, tuple[Turn, ...]]:
    """The rounds of one guest; returns the turns that are left when it was lost."""
    origin = Origin(boot.kernel.label, boot.number, terms.clock)
    behind = boot.guest or boot.kernel
    name = f"bench-{boot.label}"
    folder = shopfloor.folder(name)
    spec = second_level(side, plan, Path(behind.kernel.image))
    spec = replace(spec, forwarded=_INSIDE, memory=max(MEMORY, plan.memory))
    spec = replace(spec, cpus=1 if side.emulated else 2, modules=behind.modules)
    spec = with_initrd(spec, folder, [behind.programs / "zcbench"])
    shopfloor.screen.step(f"booting the second-level guest of {boot.label}")
    try:
        with shopfloor.places.place(f"{side.topology}/guest") as place:
            booting = boot_behind(shopfloor, side, spec, folder, name)
            guest, cid, attempts = place.enter(booting)
            rules = kernel_log.load_rules(shared_folder("selftests") / "kernel-log.toml")
            kept = boot_outcome(spec, guest.booted, rules, boot.label)
            log = shopfloor.relative(folder / "console.log")
            detail = {**kept.detail, "attempts": attempts, "repeat": shopfloor.again}
            kept = shopfloor.keep(replace(kept, log=log, detail=detail))
            if guest.booted.ended is not Ended.EXIT:
                yield from not_measured(boot.turns, origin, kept.reason)
                return ()
            if not terms.counted:
                shopfloor.run.note({"pinning": pin(guest, side.host)})
            programs = Programs(boot.kernel.programs, behind.programs)
            pair = pair_of(side, guest, cid, programs, folder)
            return (yield from Between(shopfloor, side, pair, boot, terms).rounds())
    finally:
        (folder / "initramfs").unlink(missing_ok=True)


# The host is a guest that was booted for this one: there is no other QEMU. SCHED_RR and not
# SCHED_FIFO: nothing that works needs a slice of 100 ms, but a guest that emulated SVM has lost may
# spin, and must not keep the CPU from the ends, whose rounds end by a timer. What kzc ends such a
# guest by goes before it; all that this starts does not.
_TAKE_TURNS = """
for each in /proc/[0-9]*; do
    read -r name 2>/dev/null <"$each/comm" || continue
    case $name in
    qemu-system*) turns="--all-tasks --rr --pid 1" ;;
    vhost-*) turns="--rr --pid 1" ;;
    sshd* | python3*) turns="--all-tasks --reset-on-fork --rr --pid 2" ;;
    *) continue ;;
    esac
    chrt $turns "$(basename "$each")" || [ ! -e "$each" ] || exit 1
done
"""


@dataclass(frozen=True)
class Between:
    """Two ends that are up; `said` is what the guest's kernel said until it was lost."""

    shopfloor: Workshop
    side: Side
    pair: Pair
    boot: Boot
    terms: Terms
    said: list[str] = field(default_factory=list)

    def rounds(self) -> Generator[Round, None, tuple[Turn, ...]]:
        """All rounds; returns the turns that are left when the guest was lost."""
        ends = (self.pair.host, self.pair.guest)
        measuring = Measuring(self.shopfloor, self.boot, self.terms)
        for end in ends:
            end.kernel_log()
        dead = self._prepared()
        option = " --turns" if self.terms.counted else ""
        follow = f"{self.pair.guest.folder}/zcbench{option} --cid 2 follow {self.pair.inside}"
        with self.pair.guest.serve(follow):
            dead = dead or self._listening()
            lost, dead = self._warmed(measuring, dead)
            left = self.boot.turns if lost else (yield from self._measured(measuring, dead))
        logs = {end.name: end.kernel_log() or () for end in ends}
        guest = (*self.said, *logs[self.pair.guest.name])
        theirs = self.side.emulated and misplaced(guest)
        logs = {**logs, self.pair.guest.name: () if theirs else guest}
        measuring.over(logs, _remark(len(left), theirs=theirs))
        return left

    def _warmed(self, measuring: Measuring, dead: str) -> tuple[bool, str]:
        """Each cell once, to be forgotten: whether the guest was lost, and why nothing can be
        asked any more."""
        for turns in chunks(_COLD * first_touch(self.boot.turns)):
            for part in _alike(turns):
                good, dead = measuring.unmeasured(part, dead, self._run)
                if not good and self.terms.again and self._lost():
                    return True, dead
        return False, dead

    def _measured(
        self, measuring: Measuring, dead: str
    ) -> Generator[Round, None, tuple[Turn, ...]]:
        done = 0
        for turns in chunks(self.boot.turns):
            for part in _alike(turns):
                found, dead = measuring.ask(part, dead, self._run)
                good = [each for each in found if each.sender or each.lacks]
                if len(good) < len(found) and self.terms.again and self._lost():
                    # in order: what was measured after the first that failed is measured again
                    whole = list(takewhile(lambda each: each.sender or each.lacks, found))
                    yield from measuring.counted(whole)
                    return self.boot.turns[done + len(whole) :]
                yield from measuring.counted(found)
                done += len(found)
        return ()

    def _lost(self) -> bool:
        """Whether the guest does not answer, and its kernel did not panic of itself."""
        ended = self.pair.guest.run("true", _ALIVE).ended
        if ended is Ended.EXIT:
            return False
        self.said.extend(self.pair.guest.kernel_log() or ())
        # one that dies may say so for minutes, a line at a time
        return ended in {*LOST, Ended.TOTAL} or misplaced(self.said)

    def _prepared(self) -> str:
        """Words on what went wrong; the guest's clock needs no spinner of its own."""
        host = prepare(self.terms, self.pair.host.folder) + self._turns()
        texts = {
            self.pair.host.name: host if self.side.first else found_set(self.terms),
            self.pair.guest.name: prepare(self.terms, self.pair.guest.folder, spin=False),
        }
        for end in (self.pair.host, self.pair.guest):
            answer = end.run(texts[end.name], quick(self.side.factor))
            if answer.ended is not Ended.EXIT or answer.status:
                said = " ".join(answer.output[-1:]) or str(answer.ended)
                return f"the {end.name} could not be set up: {said}"
        return ""

    def _turns(self) -> str:
        """Shell text by which the guest's CPU and vhost's thread run until they have to wait, too:
        when one interrupts the other is then no matter of what the clock says."""
        return _TAKE_TURNS if self.terms.counted else ""

    def _listening(self) -> str:
        text = (
            f"for _ in $(seq 100); do\n"
            f"grep -q ':{self.pair.inside:04X} 0*:0000 0A' /proc/net/tcp && exit 0\n"
            f"sleep 0.1\ndone\nexit 1"
        )
        answer = self.pair.guest.run(text, _LISTENS.scaled(self.side.factor))
        return "" if answer.status == 0 else "zcbench did not listen in the guest"

    @property
    def _patience(self) -> Limits:
        """A round that is counted ends after two seconds of the guests' clock at the latest."""
        return _COUNTED if self.terms.counted else PATIENCE

    def _run(self, turns: tuple[Turn, ...]) -> Answer:
        host: End = self.pair.host
        if turns[0].cell.direction in _ONE_KERNEL:
            return host.run(both(self.terms, host.folder, turns), self._patience)
        spinner = ("--turns", "--spinner", SPINNER) if self.terms.counted else ()
        there = ("127.0.0.1", str(self.pair.forwarded))
        words = ("--host", "--cid", str(self.pair.guest_cid), *spinner, "lead", *there)
        return host.run(call(host.folder, words, turns, self.terms.amount), self._patience)


def _remark(left: int, *, theirs: bool) -> str:
    """What a report says of a guest that emulated SVM lost; empty if it did not."""
    if not left and not theirs:
        return ""
    why = " (a double fault that no CPU delivers)" if theirs else ""
    rest = f", {left} rounds are left to another boot" if left else ""
    return f"emulated SVM lost the second level{why}{rest}"


def _alike(turns: Sequence[Turn]) -> Iterator[tuple[Turn, ...]]:
    """The turns in parts that are measured by one invocation, in order."""
    for _, part in groupby(turns, key=lambda turn: turn.cell.direction in _ONE_KERNEL):
        yield tuple(part)
