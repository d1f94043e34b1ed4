# SPDX-License-Identifier: GPL-2.0-only
"""Boots the guest that a suite asks for, runs the suite in it, and says how both went."""

from __future__ import annotations

import shlex
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from kzc.guest import initramfs
from kzc.guest.argv import BY_PORTS, GuestSpec
from kzc.guest.first_level import host_of_guests
from kzc.guest.hosting import EMULATED_CPU, wants_ports
from kzc.hosts.local import local_host
from kzc.jobs.evidence import Symbols
from kzc.jobs.known import as_known_of
from kzc.jobs.workshop import Workshop, find_vng
from kzc.kernel.pvh import direct
from kzc.shared import shared_folder
from kzc.suites import binaries, kernel_log
from kzc.suites.faults import Faults
from kzc.suites.manifest import Suite
from kzc.suites.runner import Setting, run_suite
from kzc.values import Answer, Ended, KernelBuild, Limits, Outcome, Stage, Verdict

TCG_FACTOR = 4.0
_HUNG_TASK = 120  # CONFIG_DEFAULT_HUNG_TASK_TIMEOUT
BOOT = Limits(20, 60)
_IN_GUEST = "kzc/bin"


@dataclass(frozen=True)
class Plan:
    """How guests are to be run: accelerator, slowdown and least memory (MiB) of the profile,
    further kernel parameters, another kind of guest than the suite's, if asked for, and faults to
    run suites under. With `counted` the clock of a guest on this machine counts instructions."""

    accel: str
    slowdown: float = 1.0
    memory: int = 512
    append: tuple[str, ...] = ()
    kind: str = ""
    faults: Faults | None = None
    counted: bool = False

    @property
    def factor(self) -> float:
        """What time limits are multiplied with."""
        return self.slowdown * (TCG_FACTOR if self.accel == "tcg" else 1.0)

    @property
    def patience(self) -> tuple[str, ...]:
        """How long a kernel lets a task wait before it panics; a slow one's synchronize_rcu() takes
        longer. Short of what kzc waits for a guest that is silent."""
        seconds = round(_HUNG_TASK * self.slowdown)
        return (f"sysctl.kernel.hung_task_timeout_secs={seconds}",) if self.slowdown > 1 else ()

    @property
    def parameters(self) -> tuple[str, ...]:
        """What it gives to each kernel."""
        return (*self.patience, *self.append)


def test(
    shopfloor: Workshop,
    kernel: KernelBuild,
    suite: Suite,
    programs: Path,
    plan: Plan,
    *,
    repo: Path,
) -> tuple[Outcome, ...]:
    """A boot outcome and, when the guest came up, a test outcome; both are kept.

    `repo` is the repository that the kernel's tree is in.
    """
    suite = as_known_of(suite, repo, kernel.tree_id, shopfloor.runner)
    folder = shopfloor.folder(f"test-{suite.name}")
    kind = plan.kind or suite.guest
    shopfloor.screen.step(f"booting a {kind} guest for {suite.name}")
    spec = guest_spec(shopfloor, kernel, kind, plan)
    spec = replace(spec, cpus=suite.cpus, memory=max(suite.memory_mib, plan.memory))
    spec = replace(spec, append=(*suite.append, *spec.append))
    inside = "/" + _IN_GUEST if kind == "mini" else str(programs)
    variables: dict[str, str] = {}
    if kind == "mini":
        spec = with_initrd(spec, folder, sorted(programs.iterdir()))
    elif suite.levels == 2:
        behind = with_initrd(spec, folder, sorted(programs.iterdir()))
        spec = host_of_guests(spec, suite.wires)
        variables = host_variables(behind, plan, kernel.release)
    rules = kernel_log.load_rules(shared_folder("selftests") / "kernel-log.toml")
    setting = Setting(inside, plan.factor, binaries.absent(programs), rules, plan.faults, variables)
    log = shopfloor.relative(folder / "console.log")
    symbols = Symbols(kernel, repo)
    try:
        with shopfloor.places.place("loopback") as place:
            host = place.enter(local_host(shopfloor.runner))
            what = f"{kind} guest for {suite.name}"
            limits = BOOT.scaled(plan.factor)
            guest = place.enter(
                shopfloor.places.boot(spec, folder, host, limits, name="guest", what=what)
            )
            boot = boot_outcome(spec, guest.booted, rules, suite.name)
            boot = symbols.decoded(replace(boot, log=log), shopfloor.runner)
            boot = shopfloor.keep(_repeatable(boot, shopfloor))
            if guest.booted.ended is not Ended.EXIT:
                return (boot,)
            shopfloor.screen.step(f"running {suite.name}")
            outcome = run_suite(suite, guest, setting, shopfloor.screen.case)
    finally:
        (folder / "initramfs").unlink(missing_ok=True)
    log = shopfloor.relative(folder / "control.log")
    outcome = symbols.decoded(replace(outcome, log=log), shopfloor.runner)
    return boot, shopfloor.keep(_repeatable(outcome, shopfloor))


def guest_spec(shopfloor: Workshop, kernel: KernelBuild, kind: str, plan: Plan) -> GuestSpec:
    """The guest without what a suite adds."""
    return GuestSpec(
        kind,
        direct(kernel) if kind == "mini" else Path(kernel.image),
        plan.accel,
        memory=max(512 if kind == "mini" else 1024, plan.memory),
        append=plan.parameters,
        qemu=shopfloor.settings.qemu,
        vng=find_vng(),
    )


def with_initrd(spec: GuestSpec, folder: Path, programs: Sequence[Path]) -> GuestSpec:
    """The same guest with an initramfs that holds `programs` under /kzc/bin."""
    initrd = folder / "initramfs"
    busybox = Path(shutil.which("busybox") or "/bin/busybox")
    files = {f"{_IN_GUEST}/{path.name}": path for path in programs}
    initrd.write_bytes(initramfs.build(busybox, files, modules=spec.modules))
    return replace(spec, initrd=initrd)


def host_variables(behind: GuestSpec, plan: Plan, release: str) -> dict[str, str]:
    """What the commands of a host of guests, whose kernel has this release, are told: it reads
    this machine's files."""
    return {
        "KZC_IMAGE": str(behind.image),
        "KZC_INITRD": str(behind.initrd),
        "KZC_QEMU": behind.qemu,
        "KZC_CPU": EMULATED_CPU,
        "KZC_DEVICES": shlex.join(BY_PORTS if wants_ports(release) else ()),
        "KZC_APPEND": " ".join(plan.patience),
    }


def boot_outcome(spec: GuestSpec, booted: Answer, rules: kernel_log.Rules, name: str) -> Outcome:
    """What a boot says of the kernel: a splat on the way fails it even when it came up."""
    findings = kernel_log.scan(booted.console, rules)
    verdict, reason = {
        Ended.EXIT: (Verdict.PASS, f"up in {booted.seconds:.1f} s"),
        Ended.PANIC: (Verdict.CRASH, "the kernel panicked while booting"),
        Ended.GONE: (Verdict.CRASH, "the guest ended before it was up"),
        Ended.KILLED: (Verdict.INFRA, "a signal ended its QEMU before it was up"),
        Ended.STALLED: (Verdict.INFRA, "its QEMU stood still before it was up"),
        Ended.SILENCE: (Verdict.TIMEOUT, f"nothing was heard for {booted.seconds:.0f} s"),
        Ended.TOTAL: (Verdict.TIMEOUT, f"not up after {booted.seconds:.0f} s"),
        Ended.HOST: (Verdict.CRASH, "its host died before it was up"),
        Ended.LOST: (Verdict.INFRA, "the connection to its host was lost before it was up"),
    }[booted.ended]
    if findings:
        verdict = Verdict.FAIL if verdict is Verdict.PASS else verdict
        reason = f"{reason}; kernel log: {findings[0].text}"
    detail = {
        "accel": spec.accel,
        "cpus": spec.cpus,
        "memory": spec.memory,
        **({} if booted.ended is Ended.EXIT else {"signature": f"{booted.ended}: boot"}),
        **kernel_log.evidence(findings),
    }
    subject = f"{spec.kind} guest for {name}" if name else f"{spec.kind} guest"
    return Outcome(Stage.BOOT, subject, verdict, booted.seconds, detail=detail, reason=reason)


def _repeatable(outcome: Outcome, shopfloor: Workshop) -> Outcome:
    return replace(outcome, detail={**outcome.detail, "repeat": shopfloor.again})
