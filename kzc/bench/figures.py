# SPDX-License-Identifier: GPL-2.0-only
"""What a round says as one number, and that number's unit.

Rule: a unit belongs to a clock. Wall time has seconds in it; instructions never have, whatever
QEMU's clock calls them, so that nobody can take one for the other. Instructions in which the CPU
only waited are no work and are left out where they are known.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from kzc.bench.plan import Figure
from kzc.bench.values import Clock, Receiver, Round, Sender

GBIT, MB = "Gbit/s", "MB/s"
PER_1000 = "bytes per 1000 instructions"
INSTRUCTIONS = "instructions per message"
CYCLES = "cycles per message"
MICROSECONDS = "µs per message"
LATENCY = {Clock.WALL: "µs", Clock.INSTRUCTIONS: "instructions"}

PER_BYTE = {Clock.WALL: "ns per byte", Clock.INSTRUCTIONS: "instructions per byte"}
_TIMED = frozenset({Figure.LATENCY, Figure.TRIP})
TITLES = {
    Figure.SEND: "bytes over the time inside the send calls",
    Figure.WHOLE: "bytes over the time from the first send to the last completion",
    Figure.RECEIVE: "bytes over the time at the receiver",
    Figure.CPU: "the sender's CPU time per message",
    Figure.MESSAGE: "time per message, until all is completed",
    Figure.LATENCY: "time from a send to its completion, median",
    Figure.PROCESS: "what the sending process costs per message",
    Figure.SYSTEM: "what all of the system costs per message, the receiver with it",
    Figure.HOST: "CPU time of the host's vhost-net threads per byte",
    Figure.TRIP: "time of a request of that size and its answer of one byte, median",
}
WORK = frozenset({Figure.PROCESS, Figure.SYSTEM})
NO_PMU = "its CPU counts no cycles (no PMU): --clock instructions counts these instead"


UNEVEN = frozenset({Figure.WHOLE, Figure.MESSAGE, Figure.SYSTEM})
UNEVEN_NOTE = (
    "copying ends with its last send, when data may still lie in the socket; zerocopy ends with "
    "its last completion, when all has been taken: what it gains is at least this"
)


def unit_of(figure: Figure, clock: Clock, rate: str = GBIT) -> str:
    """The unit; `rate` is the one for rates in wall time."""
    if figure in _TIMED:
        return LATENCY[clock]
    if figure is Figure.HOST:
        return PER_BYTE[clock]
    if clock is Clock.INSTRUCTIONS:
        return PER_1000 if figure.rate else INSTRUCTIONS
    if figure in WORK:
        return CYCLES
    return rate if figure.rate else MICROSECONDS


def value_of(found: Round, figure: Figure, rate: str = GBIT) -> float | None:
    """The figure in its unit; None where the round has none (it failed, or nothing completed)."""
    sender, receiver = found.sender, found.receiver
    if sender is None:
        return None
    if figure is Figure.HOST:
        return found.host / sender.bytes if found.host > 0 and sender.bytes else None
    if figure in _TIMED:
        return _time(sender.latency.get("p50", 0), found.clock) or None
    if figure in WORK:
        return _work(found, sender, figure)
    if figure is Figure.RECEIVE:
        return _rate(_received(receiver), found.clock, rate)
    if figure.rate:
        return _rate((sender.bytes, _TIMES[figure](found, sender)), found.clock, rate)
    if not sender.messages:
        return None
    return _time(_TIMES[figure](found, sender), found.clock) / sender.messages


def _work(found: Round, sender: Sender, figure: Figure) -> float | None:
    """Instructions, or cycles; None where nothing counts them."""
    counted = found.clock is Clock.INSTRUCTIONS
    own = sender.user + sender.system if counted else sender.cycles
    if figure is Figure.SYSTEM:
        own = _worked(found, sender) if counted else sender.all_cycles
    return own / sender.messages if sender.messages and own > 0 else None


def _received(receiver: Receiver | None) -> tuple[int, int]:
    return (receiver.bytes, receiver.whole) if receiver else (0, 0)


def _rate(moved: tuple[int, int], clock: Clock, rate: str) -> float | None:
    size, time = moved
    if size <= 0 or time <= 0:
        return None
    if clock is Clock.WALL and rate == GBIT:
        return size * 8 / time
    return size * 1000 / time  # bytes per ns are GB/s


def _time(time: int, clock: Clock) -> float:
    return time / 1000 if clock is Clock.WALL else float(time)


def _worked(found: Round, sender: Sender) -> int:
    """The whole time, without waiting where instructions are counted."""
    if found.clock is Clock.INSTRUCTIONS and 0 <= found.idle < sender.whole:
        return sender.whole - found.idle
    return sender.whole


_TIMES: Mapping[Figure, Callable[[Round, Sender], int]] = {
    Figure.SEND: lambda _, sender: sender.send,
    Figure.WHOLE: _worked,
    Figure.CPU: lambda _, sender: sender.user + sender.system,
    Figure.MESSAGE: _worked,
}
