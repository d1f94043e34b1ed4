# SPDX-License-Identifier: GPL-2.0-only
"""What selftests/zcbench is told, and what it says: cells in lines, rounds out of lines of JSON.

Pure. The lines come out of a guest: whatever is not exactly what was asked for is a round without
figures, and says so. Nothing here raises for what a guest printed.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeGuard

from kzc.bench.values import Cell, Clock, Receiver, Round, Sender

LEAST = 4
"""Messages of a round at least, however large they are."""
_MOST = 1 << 62
_LONG = 200
_QUANTILES = ("p50", "p90", "p99", "max")
_SENDER = ("messages", "bytes", "send", "whole", "user", "system", "calls", "switches")
_COMPLETIONS = ("zerocopied", "copied", "enobufs")
_RECEIVER = ("bytes", "whole", "user", "system", "calls", "switches")


@dataclass(frozen=True)
class Turn:
    """The `number`-th round of a cell."""

    cell: Cell
    number: int


@dataclass(frozen=True)
class Amount:
    """How much a round sends: `bytes` in all but at least `LEAST` messages, after `warmup` messages
    that do not count. `buffer` is the size of socket buffers, 0 for one in which all of it has
    room. A round may take `seconds` of the guest's clock."""

    bytes: int = 4 << 20
    warmup: int = 16
    buffer: int = 0
    seconds: int = 20

    def messages(self, cell: Cell) -> int:
        """The messages of one round of the cell."""
        return max(LEAST, self.bytes // cell.size)


@dataclass(frozen=True)
class Origin:
    """What the rounds of one boot have in common."""

    kernel: str
    boot: int
    clock: Clock

    def failed(self, turn: Turn, reason: str, *, lacks: bool = False) -> Round:
        """A round without figures."""
        place = (turn.cell, self.kernel, self.boot, turn.number, self.clock)
        return Round(*place, lacks=lacks, reason=reason)


def lines_of(turns: Sequence[Turn], amount: Amount) -> tuple[str, ...]:
    """The input of zcbench, numbered from 0."""
    found = []
    for number, turn in enumerate(turns):
        cell = turn.cell
        what = f"{cell.transport} {cell.ip} {cell.direction} {cell.mode} {cell.size}"
        much = f"{cell.interval} {amount.messages(cell)} {max(1, amount.warmup)} {amount.buffer}"
        found.append(f"{number} {what} {much} {amount.seconds}")
    return tuple(found)


def parse(
    lines: Iterable[str], turns: Sequence[Turn], amount: Amount, origin: Origin
) -> tuple[Round, ...]:
    """A round for each turn, in their order; one of which nothing was said has no reason yet."""
    said: dict[int, dict[str, Mapping[str, Any]]] = {}
    for line in lines:
        value = _object(line)
        number = value.get("round")
        if isinstance(number, int) and 0 <= number < len(turns):
            side = "error" if "error" in value else str(value.get("side"))
            said.setdefault(number, {}).setdefault(side, value)
    return tuple(
        _round(said.get(number, {}), turn, amount, origin) for number, turn in enumerate(turns)
    )


def _object(line: str) -> dict[str, Any]:
    if not line.startswith("{"):
        return {}
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _round(
    said: Mapping[str, Mapping[str, Any]], turn: Turn, amount: Amount, origin: Origin
) -> Round:
    if "error" in said:
        error = said["error"]
        return origin.failed(turn, _words(error["error"]), lacks=error.get("lacks") is True)
    if "sender" not in said or "receiver" not in said:
        return origin.failed(turn, "")
    sender, receiver = _sender(said["sender"]), _receiver(said["receiver"])
    if sender is None or receiver is None:
        return origin.failed(turn, "zcbench's line has not the figures of a round")
    messages = amount.messages(turn.cell)
    if (sender.messages, sender.bytes) != (messages, messages * turn.cell.size):
        words = f"{messages} messages of {turn.cell.size} bytes were asked for"
        return origin.failed(turn, f"{words}, {sender.messages} with {sender.bytes} bytes sent")
    if receiver.bytes > sender.bytes:
        return origin.failed(turn, f"{receiver.bytes} of {sender.bytes} bytes were received")
    idle = max(_known(each, "idle") for each in (said["sender"], said["receiver"]))
    host = _known(said["sender"], "host")
    both = replace(origin.failed(turn, ""), sender=sender, receiver=receiver)
    return replace(both, idle=idle, host=host)


def _sender(value: Mapping[str, Any]) -> Sender | None:
    figures = _figures(value, (*_SENDER, *_COMPLETIONS))
    latency = value.get("latency")
    if figures is None or not isinstance(latency, dict):
        return None
    quantiles = _figures(latency, _QUANTILES) if latency else {}
    counted = {name: _known(value, name) for name in ("cycles", "all_cycles")}
    return None if quantiles is None else Sender(**figures, latency=quantiles, **counted)


def _receiver(value: Mapping[str, Any]) -> Receiver | None:
    figures = _figures(value, _RECEIVER)
    return None if figures is None else Receiver(**figures)


def _figures(value: Mapping[str, Any], names: Sequence[str]) -> dict[str, int] | None:
    found = {name: each for name in names if _number(each := value.get(name))}
    return found if len(found) == len(names) else None


def _number(value: object) -> TypeGuard[int]:
    return type(value) is int and 0 <= value < _MOST


def _known(value: Mapping[str, Any], name: str) -> int:
    """A figure that not every machine has; -1 where this one has not."""
    found = value.get(name)
    return found if _number(found) else -1


def _words(value: object) -> str:
    text = value if isinstance(value, str) else "zcbench did not say why"
    return "".join(char if char.isprintable() else " " for char in text)[:_LONG] or "no reason"
