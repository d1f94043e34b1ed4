# SPDX-License-Identifier: GPL-2.0-only
"""What a bench is made of: cells of a plan, and the rounds that were measured for them.

Times are integers in the unit of the round's clock: nanoseconds of wall time, or instructions that
the guest executed (TCG with icount, where a nanosecond of the guest is an instruction).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Clock(StrEnum):
    """The two kinds of time. Nothing compares figures of one with figures of the other."""

    WALL = "wall"
    INSTRUCTIONS = "instructions"


class Mode(StrEnum):
    """How is sent: copied; with MSG_ZEROCOPY and completions from the error queue, or from
    sendmsg itself (SCM_ZC_NOTIFICATION); by a host's vhost-net, with experimental_zcopytx; or by a
    QEMU that migrates its guest, with the capability zero-copy-send."""

    COPY = "copy"
    ERRQUEUE = "errqueue"
    NOTIFICATION = "notification"
    ZCOPYTX = "zcopytx"
    ZERO_COPY_SEND = "zero-copy-send"


VHOST = frozenset({"tap", "macvtap"})
"""Directions of cells that a guest sends through its host's vhost-net."""
MULTIFD = "multifd"
"""The transport of cells that are a guest's memory on its way to another QEMU, page by page."""


@dataclass(frozen=True, order=True)
class Cell:
    """One point of a plan.

    `transport` is vsock, tcp, udp, raw, packet or multifd, `ip` 4 or 6 (0 for vsock and packet),
    `direction` loopback, veth, g2h, h2g, tap or macvtap. `size` is the bytes of one send,
    `interval` the sends between two collections of completions (1 where nothing is collected),
    `channels` the connections of multifd (0 of others).
    """

    transport: str
    ip: int
    direction: str
    mode: Mode
    size: int
    interval: int = 1
    channels: int = 0


@dataclass(frozen=True)
class Sender:
    """What the sending process says of a round.

    `send` is the time inside the send calls, `whole` from the first send to the last completion (or
    the last send, where there is none to wait for), `user` and `system` are CPU time. `calls`
    counts system calls, `switches` context switches of both kinds, `enobufs` sends that were tried
    again. `zerocopied` and `copied` count ids of completions (SO_EE_CODE_ZEROCOPY_COPIED), or of
    multifd QEMU's flushes, `copied` those that found only copies (dirty-sync-missed-zero-copy).
    `latency` holds quantiles from a send to its completion under "p50", "p90", "p99" and "max";
    empty where nothing is completed. `cycles` are those of the process, `all_cycles` those of all
    CPUs meanwhile, by the PMU; -1 where there is none.
    """

    messages: int
    bytes: int
    send: int
    whole: int
    user: int
    system: int
    calls: int
    switches: int
    zerocopied: int = 0
    copied: int = 0
    enobufs: int = 0
    latency: Mapping[str, int] = field(default_factory=dict)
    cycles: int = -1
    all_cycles: int = -1


@dataclass(frozen=True)
class Receiver:
    """What the receiving process says: `whole` is the time from the first byte to the last."""

    bytes: int
    whole: int
    user: int
    system: int
    calls: int
    switches: int


@dataclass(frozen=True)
class Round:
    """One measurement of a cell: the `number`-th of boot `boot` of the kernel called `kernel`.

    `idle` is the time in which the CPU (of the first level, where there are two) had nothing to do,
    -1 where it is not known; `host` the CPU time of vhost-net's threads, -1 where there are none.
    Without `sender` there are no figures and `reason` says why: the
    kernel lacks something (`lacks`, no fault of anybody), or the round failed.
    """

    cell: Cell
    kernel: str
    boot: int
    number: int
    clock: Clock
    sender: Sender | None = None
    receiver: Receiver | None = None
    idle: int = -1
    host: int = -1
    lacks: bool = False
    reason: str = ""
