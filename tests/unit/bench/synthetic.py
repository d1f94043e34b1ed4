# SPDX-License-Identifier: GPL-2.0-only
"""Benches made up with known answers: costs by a formula, noise by a seed."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace

from kzc.bench.order import amount_of, cells_of, schedule
from kzc.bench.plan import Figure, Knobs, Plan
from kzc.bench.result import Bench, Kernel
from kzc.bench.values import Cell, Clock, Mode, Receiver, Round, Sender

PLAN = Plan(
    title="made up",
    about="Costs by a formula.",
    transports=("vsock", "tcp"),
    directions=("loopback",),
    modes=(Mode.COPY, Mode.ERRQUEUE),
    sizes=(4 << 10, 64 << 10),
    intervals=(1,),
    bytes=1 << 20,
    settings=Knobs(optmem_max=1 << 20),
    figures=(Figure.WHOLE, Figure.CPU),
)
Cost = Callable[[Cell], float]
Copied = Callable[[Cell], float]


def cost(cell: Cell) -> float:
    """Copying costs by the byte, zerocopy by the message: they meet near 10 KB."""
    return 2000 + cell.size / 4 if cell.mode is Mode.COPY else 4500 + cell.size / 64


def never(cell: Cell) -> float:
    return 0.0


def local_copies(cell: Cell) -> float:
    """What kernels do over loopback: TCP is copied, vsock is not."""
    return 1.0 if cell.transport != "vsock" else 0.0


def round_of(cell: Cell, plan: Plan, each: float, copied: float, clock: Clock) -> Round:
    """A round whose messages cost `each` (ns or instructions) in the send call."""
    count = amount_of(plan).messages(cell)
    send = round(each * count)
    done = 0 if cell.mode is Mode.COPY else count
    sender = Sender(
        messages=count,
        bytes=count * cell.size,
        send=send,
        whole=send + 50_000,
        user=send // 10,
        system=send - send // 10,
        calls=count + done,
        switches=3,
        zerocopied=done - round(done * copied),
        copied=round(done * copied),
        latency={"p50": 900, "p90": 1100, "p99": 1300, "max": 2000} if done else {},
    )
    receiver = Receiver(sender.bytes, send + 60_000, send // 12, send // 2, count, 4)
    return Round(cell, "tree", 1, 1, clock, sender, receiver)


def bench(
    plan: Plan = PLAN,
    *,
    clock: Clock = Clock.INSTRUCTIONS,
    noise: float = 0.002,
    seed: int = 1,
    cost: Cost = cost,
    copied: Copied = never,
    kvm: bool = False,
    label: str = "tree",
) -> Bench:
    """A whole bench on one kernel; `noise` is the relative deviation of a round."""
    dice = random.Random(seed)
    cells, missing = cells_of(plan, plan.topology)
    rounds = tuple(
        replace(
            round_of(
                turn.cell, plan, cost(turn.cell) * dice.gauss(1, noise), copied(turn.cell), clock
            ),
            kernel=label,
            boot=boot.number,
            number=turn.number,
        )
        for boot in schedule(cells, plan.rounds, plan.boots, [label], plan.shuffle)
        for turn in boot.turns
    )
    return Bench(
        "made-up",
        plan,
        plan.topology,
        clock,
        kvm,
        f"kzc bench --plan made-up --clock {clock}",
        (Kernel(label, "6.12.117", "6.12.117-kzc", "0123456789ab"),),
        {"QEMU": "7.2.22", "machine": "x86_64"},
        wanted=len(rounds),
        missing=missing,
        rounds=rounds,
    )
