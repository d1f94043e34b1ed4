# SPDX-License-Identifier: GPL-2.0-only
"""The host of a pair: this machine, a machine over SSH, or a first-level guest that was booted for
it and then is reached like any machine over SSH. Callers get a `Side` and need not know which.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from kzc.errors import HostError
from kzc.guest import first_level
from kzc.guest.argv import HVC, GuestSpec
from kzc.guest.first_level import ALONE, SECOND_LEVEL_CPU
from kzc.guest.hosting import Dmesg, Hosting, look
from kzc.guest.loop import Loop
from kzc.guest.session import Guest
from kzc.hosts.host import Host
from kzc.hosts.local import local_host
from kzc.hosts.ssh import LEASE, Address, connect
from kzc.jobs.evidence import Symbols
from kzc.jobs.guests import BOOT, TCG_FACTOR, Plan, boot_outcome
from kzc.jobs.workshop import Workshop, find_vng
from kzc.shared import shared_folder
from kzc.suites import kernel_log
from kzc.values import Ended, Outcome, Stage, Verdict

NESTED_FACTOR = 2.0  # what a guest in an emulated guest takes longer, on top of the emulation
_FIRST_MEMORY = 2048  # MiB that the first level keeps for itself
_PATIENCE = 30.0
# of two ends that take turns on one counted CPU none lets sshd run before it has to wait, and a
# second of that CPU takes many of ours on a busy machine
_COUNTED = 10.0


@dataclass(frozen=True)
class Side:
    """The host of a pair, ready for guests.

    `kernel_log` gives its kernel's lines since the last call (None: not to be read), `failed` why
    it is of no use any more; `factor` is on the time limits of what runs on it.
    """

    topology: str
    host: Host
    hosting: Hosting
    loop: Loop
    kernel_log: Callable[[], tuple[str, ...] | None]
    failed: Callable[[], Ended | None]
    factor: float
    first: Guest | None = None

    @property
    def emulated(self) -> bool:
        """Whether the host is itself a guest without a real CPU below."""
        return self.hosting.cpu != "host"


@contextmanager
def this_machine(shopfloor: Workshop, plan: Plan) -> Iterator[Side]:
    """This machine's own /dev/vhost-vsock. Raises HostError where it cannot be used."""
    with local_host(shopfloor.runner) as host:
        loop = shopfloor.places.loop
        yield _side("pair", host, look(host, shopfloor.settings.qemu), loop, plan)


@contextmanager
def over_ssh(shopfloor: Workshop, plan: Plan, address: Address, *, accept: bool) -> Iterator[Side]:
    """A machine over SSH. Raises HostError and, for an unknown host key, UsageError."""
    shopfloor.screen.step(f"connecting to {address.name}")
    with (
        connect(address, accept=accept) as host,
        shopfloor.places.machine("host", host.name, address=address.url),
    ):
        loop = shopfloor.places.loop
        yield _side("pair", host, look(host, "qemu-system-x86_64"), loop, plan)


@contextmanager
def nested(
    shopfloor: Workshop, plan: Plan, symbols: Symbols, name: str, *, memory: int
) -> Iterator[Side | None]:
    """A first-level guest with the kernel of the symbols; None when it did not come up, which is
    kept.

    `memory` (MiB) is what its guest will want.
    """
    folder, image = shopfloor.folder(f"{name}-host"), Path(symbols.kernel.image)
    shopfloor.screen.step(f"booting the first-level guest: {image.parent.name[:12]}")
    spec = first_level.reachable(_first(shopfloor, plan, image, memory))
    rules = kernel_log.load_rules(shared_folder("selftests") / "kernel-log.toml")
    with (
        local_host(shopfloor.runner) as here,
        shopfloor.places.boot(
            spec,
            folder,
            here,
            BOOT.scaled(plan.factor),
            name="host",
            what=f"first-level guest, {name}",
        ) as guest,
    ):
        boot = boot_outcome(spec, guest.booted, rules, f"the host, {name}")
        log = shopfloor.relative(folder / "console.log")
        boot = replace(boot, log=log, detail={**boot.detail, "repeat": shopfloor.again})
        shopfloor.keep(symbols.decoded(boot, shopfloor.runner))
        if guest.booted.ended is not Ended.EXIT:
            yield None
            return
        keys = first_level.make_keys(here.folder, shopfloor.runner)
        port = first_level.serve(guest, keys, plan.factor)
        known = here.folder / "known_hosts"
        known.write_text(first_level.known_hosts(keys, port))
        address = Address("root", "127.0.0.1", port, key_file=keys.client, known_hosts=known)
        lease = LEASE * _COUNTED if plan.counted else LEASE
        with connect(address, patience=_PATIENCE * plan.factor, lease=lease) as host:
            guest.kernel_log()
            hosting = look(host, Path(spec.qemu).name)
            yield Side(
                "nested",
                host,
                hosting,
                guest.loop,
                guest.kernel_log,
                partial(_host_ended, guest),
                plan.factor * NESTED_FACTOR,
                guest,
            )


def second_level(side: Side, plan: Plan, image: Path) -> GuestSpec:
    """The guest behind the side's /dev/vhost-vsock, without what a suite adds."""
    return GuestSpec(
        "mini",
        image,
        side.hosting.accel,
        memory=max(512, plan.memory),
        append=plan.parameters,
        cpu=side.hosting.cpu,
        by_ports=side.hosting.by_ports,
        console=HVC if side.emulated else "ttyS0",
        pinned=SECOND_LEVEL_CPU if side.emulated and side.first and not plan.counted else None,
    )


def left_out(topology: str, error: HostError) -> Outcome:
    """What `--topology all` says of a topology that this machine cannot do."""
    return Outcome(
        Stage.BOOT, topology, Verdict.SKIP, reason=error.message, detail={"hint": error.hint}
    )


def _first(shopfloor: Workshop, plan: Plan, image: Path, memory: int) -> GuestSpec:
    return GuestSpec(
        "vng",
        image,
        plan.accel,
        cpus=1 if plan.counted else 2,
        memory=_FIRST_MEMORY + max(memory, plan.memory),
        append=(*plan.parameters, *(ALONE if plan.accel == "tcg" and not plan.counted else ())),
        qemu=shopfloor.settings.qemu,
        vng=find_vng(),
        icount=plan.counted,
    )


def _host_ended(guest: Guest) -> Ended | None:
    """What guests are told of a first-level guest that died. What was done to its QEMU is no fault
    of its kernel: to them it is a host that cannot be reached any more."""
    failed = guest.failed
    if failed in {Ended.KILLED, Ended.STALLED}:
        return Ended.LOST
    return failed and Ended.HOST


def _side(topology: str, host: Host, hosting: Hosting, loop: Loop, plan: Plan) -> Side:
    emulated = hosting.accel == "tcg" or hosting.cpu != "host"
    factor = plan.slowdown * (TCG_FACTOR * NESTED_FACTOR if emulated else 1.0)
    return Side(topology, host, hosting, loop, Dmesg(host), lambda: None, factor)
