# SPDX-License-Identifier: GPL-2.0-only
"""Wall time wants threads that stay where they are: each VCPU of a guest on a CPU of its host, and
vhost's threads on the next one. What was done is said, and goes into the run's record.
"""

from __future__ import annotations

import re
import shlex

from kzc.errors import KzcError
from kzc.guest.session import Guest
from kzc.hosts.host import Host

_ALLOWED = re.compile(r"affinity list: ([\d,-]+)$")
# since v6.4 they are threads of QEMU, before that kernel threads; both are named by its id
_VHOST = """
pid=$(sed -n 's/^Tgid:\\t//p' /proc/{thread}/status)
for comm in /proc/"$pid"/task/*/comm /proc/[0-9]*/comm; do
    read -r name 2>/dev/null <"$comm" || continue
    [ "$name" = "vhost-$pid" ] && taskset -pc {cpu} "$(basename "${{comm%/comm}}")" && echo vhost
done
"""


def cpus_of(text: str) -> tuple[int, ...]:
    """The CPUs that taskset(1) lists of a process ("0-2,7"); none where it says something else."""
    match = _ALLOWED.search(text.strip())
    found: list[int] = []
    for part in match[1].split(",") if match else ():
        first, _, last = part.partition("-")
        found += range(int(first), int(last or first) + 1)
    return tuple(found)


def pin(guest: Guest, host: Host) -> str:
    """Pin the guest's threads; words on where they are, or on why they are not pinned."""
    try:
        threads = guest.monitor.vcpus()
        allowed = host.runner.capture(["sh", "-c", "taskset -pc $$"], check=False)
        cpus = cpus_of(allowed.stdout)
        if len(cpus) < len(threads):
            return f"none: {len(cpus)} CPUs for {len(threads)} VCPUs"
        # where there is no CPU left, vhost shares the first one
        vhost = cpus[len(threads)] if len(cpus) > len(threads) else cpus[0]
        lines = [
            f"taskset -pc {cpu} {thread} || exit 1"
            for cpu, thread in zip(cpus, threads, strict=False)
        ]
        lines.append(_VHOST.format(thread=threads[0], cpu=vhost))
        done = host.runner.capture(["sh", "-c", "\n".join((*lines, "true"))], check=False)
    except (OSError, KzcError) as error:
        return f"none: {error}"
    if done.code:
        return f"none: {shlex.quote(done.stderr.strip()[:120])}"
    where = ", ".join(f"VCPU {number} on CPU {cpus[number]}" for number in range(len(threads)))
    return where + (f", vhost on CPU {vhost}" if "\nvhost" in done.stdout else "")
