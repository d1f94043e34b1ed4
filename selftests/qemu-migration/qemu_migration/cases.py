# SPDX-License-Identifier: GPL-2.0-only
"""All cases by name, in their order, and how one is run to a result."""

from __future__ import annotations

import time
from functools import partial

from qemu_migration import complete, harm, later
from qemu_migration.errors import Failed, Skipped
from qemu_migration.ground import ground
from qemu_migration.ktap import Result
from qemu_migration.monitor import Gone, Refused
from qemu_migration.network import WAYS, require

Run = partial[complete.Found]
_CHANNELS = (1, 4, 8)


def _cases() -> dict[str, Run]:
    veth = WAYS["veth4"]
    found: dict[str, Run] = {"copy/veth4": partial(complete.copied, way=veth)}
    for name, way in WAYS.items():
        found[f"zerocopy/{name}"] = partial(complete.zerocopied, way=way)
    for number in _CHANNELS:
        found[f"channels/{number}"] = partial(complete.zerocopied, way=veth, channels=number)
    for name in ("veth4", "loopback6"):
        found[f"dirty/{name}"] = partial(later.dirtied, way=WAYS[name])
        found[f"flush/{name}"] = partial(later.flushed, way=WAYS[name])
    found["memlock-refused"] = partial(harm.refused, way=veth)
    found["cancel"] = partial(harm.cancelled, way=veth)
    found["destination-killed"] = partial(harm.killed, way=veth)
    return found


CASES = _cases()


def run(name: str, content: bytes) -> Result:
    """The result of a case; whatever it made is gone then."""
    began = time.monotonic()
    try:
        found = _found(CASES[name], content)
    except Skipped as skipped:
        return Result(name, True, skipped=True, said=str(skipped))
    except (Failed, Gone, Refused, OSError) as error:
        return Result(name, False, said=str(error), seconds=time.monotonic() - began)
    return Result(name, True, False, found.remark, time.monotonic() - began, found.measured)


def _found(case: Run, content: bytes) -> complete.Found:
    require(case.keywords["way"])
    with ground(content) as made:
        return case(made)
