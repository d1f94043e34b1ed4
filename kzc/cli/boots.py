# SPDX-License-Identifier: GPL-2.0-only
"""`kzc boot`: a shell in a guest, or one command and its status."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from kzc.cli.job import Job, understand
from kzc.cli.mainjob import built_kernel, opened, plan_for
from kzc.cli.options import Asked
from kzc.errors import UsageError
from kzc.guest import argv
from kzc.guest.argv import GuestSpec
from kzc.hosts.local import local_host
from kzc.jobs import guests
from kzc.jobs.guests import Plan
from kzc.jobs.workshop import Workshop
from kzc.results.clean import printable
from kzc.shared import shared_folder
from kzc.suites import kernel_log
from kzc.values import Ended, KernelBuild, Limits

_KINDS = ("mini", "vng")
_COMMAND = Limits(600, 3600)


def boot(asked: Asked, command: str) -> int:
    """Build if need be, boot, and hand over; the status is the command's, 1 if the guest died."""
    if asked.kind not in _KINDS:
        raise UsageError(f"there is no guest {asked.kind}", f"there are: {', '.join(_KINDS)}")
    return boot_job(understand(asked, with_suites=False), asked.kind, command)


def boot_job(job: Job, kind: str, command: str) -> int:
    """The same for a job that is understood; without a command the guest is a shell."""
    plan, facts = plan_for(job)
    with opened(job, facts) as shopfloor:
        kernel = built_kernel(shopfloor, job)
        if kernel is None:
            return 1
        if command:
            return _execute(shopfloor, plan, kernel, kind, command)
    return _shell(shopfloor, plan, kernel, kind)


def _execute(shopfloor: Workshop, plan: Plan, kernel: KernelBuild, kind: str, command: str) -> int:
    folder = shopfloor.folder("boot")
    spec = _spec(shopfloor, kernel, kind, plan, folder)
    rules = kernel_log.load_rules(shared_folder("selftests") / "kernel-log.toml")
    limits = guests.BOOT.scaled(plan.factor)
    with (
        local_host(shopfloor.runner) as host,
        shopfloor.places.boot(
            spec, folder, host, limits, name="guest", what=f"{kind} guest for one command"
        ) as guest,
    ):
        outcome = guests.boot_outcome(spec, guest.booted, rules, "")
        shopfloor.keep(replace(outcome, log=shopfloor.relative(folder / "console.log")))
        if guest.booted.ended is not Ended.EXIT:
            return 1
        answer = guest.run(command, _COMMAND)
    print_output(answer.output)
    if answer.status is None:
        print(f"kzc: the guest ended before the command did ({answer.ended})", file=sys.stderr)
        return 1
    return answer.status


def print_output(output: Iterable[str]) -> None:
    """What the guest wrote: as it came into a file or pipe, but printable on a terminal."""
    terminal = sys.stdout.isatty()
    for text in output:
        print(printable(text) if terminal else text)


def _shell(shopfloor: Workshop, plan: Plan, kernel: KernelBuild, kind: str) -> int:
    with tempfile.TemporaryDirectory(prefix="kzc-") as scratch:
        spec = _spec(shopfloor, kernel, kind, plan, Path(scratch))
        line = argv.mini_shell(spec) if kind == "mini" else argv.vng_shell(spec)
        return shopfloor.runner.interactive(line, env=argv.environment(spec))


def _spec(
    shopfloor: Workshop, kernel: KernelBuild, kind: str, plan: Plan, folder: Path
) -> GuestSpec:
    spec = guests.guest_spec(shopfloor, kernel, kind, plan)
    return guests.with_initrd(spec, folder, ()) if kind == "mini" else spec
