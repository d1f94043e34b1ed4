# SPDX-License-Identifier: GPL-2.0-only
"""What all ends of a bench have in common: what is asked of them, what is set before the first
round, how zcbench is called, and rounds out of what it printed.

Rule: nothing is left out. Each turn becomes a round, and one without figures says why.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path

from kzc.bench.values import Clock, Round
from kzc.bench.zcbench import Amount, Origin, Turn, lines_of, parse
from kzc.errors import UsageError
from kzc.values import Answer, Ended, KernelBuild, Limits

SPINNER = "/tmp/kzc-spinner"
MEMORY = 1024  # MiB: what is sent in a round may all be on its way at once
CHUNK = 8  # turns of one invocation: rounds come while others are still measured
PATIENCE = Limits(300, 1800)
_CALM = Limits(60, 120)
# since v6.12 it lets other tasks run between those of SCHED_RR, a while after they starved: some
# rounds then change tasks at each message. It is in debugfs (Documentation/scheduler/sched-debug)
_FAIR_SERVER = """\
[ -d /sys/kernel/debug/sched ] || mount -t debugfs none /sys/kernel/debug 2>/dev/null
for runtime in /sys/kernel/debug/sched/fair_server/cpu*/runtime; do
    [ ! -e "$runtime" ] || echo 0 >"$runtime" || { echo cannot stop the fair server; exit 1; }
done"""
DEAD = {
    Ended.PANIC: "the kernel panicked",
    Ended.GONE: "the guest ended",
    Ended.KILLED: "a signal ended the guest's QEMU",
    Ended.STALLED: "the guest's QEMU stood still",
    Ended.SILENCE: "nothing was heard from the guest any more",
    Ended.TOTAL: "it did not end in time",
    Ended.HOST: "its host died",
    Ended.LOST: "the connection to its host was lost",
}


@dataclass(frozen=True)
class Kernel:
    """A kernel to measure, as reports call it, with the folder of programs that were built from
    its commit, the repository of its tree, and its lib/modules/RELEASE if it needs one."""

    label: str
    kernel: KernelBuild
    programs: Path
    repo: Path
    modules: Path | None = None


@dataclass(frozen=True)
class Terms:
    """How is measured: `sysctls` are set at both ends; `pinned` are CPUs, of the guest where both
    ends are in one, in wall time: the sender's and the receiver's. With `again` a guest that is
    lost will be booted once more for the turns that it left."""

    clock: Clock
    amount: Amount = field(default_factory=Amount)
    sysctls: Mapping[str, int | str] = field(default_factory=dict)
    pinned: tuple[int, int] | None = None
    again: bool = False

    @property
    def counted(self) -> bool:
        """Whether the guest's clock counts instructions."""
        return self.clock is Clock.INSTRUCTIONS


@dataclass(frozen=True)
class Boot:
    """The turns of the `number`-th boot of a kernel, in the order of measurement. `guest` is the
    kernel of the other end where there are two, the same if None."""

    kernel: Kernel
    number: int
    turns: tuple[Turn, ...]
    guest: Kernel | None = None

    @property
    def label(self) -> str:
        """How logs and outcomes call it."""
        return f"{self.kernel.label} boot {self.number}".strip()


def only_counted_by_tcg(accel: str, terms: Terms) -> None:
    """Raises UsageError where the instructions of a guest are to be counted, and nobody can."""
    if terms.counted and accel != "tcg":
        raise UsageError("instructions are counted by TCG only", "say --accel tcg or --clock wall")


def chunks(turns: Sequence[Turn], each: int = CHUNK) -> Iterator[tuple[Turn, ...]]:
    """The turns of each invocation, in order."""
    rest = iter(turns)
    while chunk := tuple(islice(rest, each)):
        yield chunk


def first_touch(turns: Sequence[Turn]) -> tuple[Turn, ...]:
    """A round of each cell that nobody counts: a kernel's first ones find caches and memory cold,
    and the memory of a guest in a guest is not even there before it is first touched."""
    return tuple(Turn(cell, 0) for cell in dict.fromkeys(turn.cell for turn in turns))


def prepare(terms: Terms, folder: str, *, spin: bool = True) -> str:
    """Shell text that sets an end up; it ends with a word on what could not be set. With `spin`
    the CPU of one that counts instructions never halts from then on."""
    settings = dict(terms.sysctls)
    if terms.counted:
        # a round that takes turns may have the CPU for as long as it takes
        settings = {"kernel.sched_rt_runtime_us": -1, **settings}
    lines = set_up(settings)
    if terms.counted:
        lines.append(_FAIR_SERVER)
    if terms.counted and spin:
        lines.append(f"{shlex.quote(folder)}/zcbench spin {SPINNER}")
    return "\n".join(lines or ["true"]) + "\n"


def set_up(settings: Mapping[str, int | str]) -> list[str]:
    """Shell lines that set sysctls, or end the text with a word on the one that could not be."""
    return [
        f"echo {shlex.quote(str(value))} >{_file(name)} || {{ echo cannot set {name}; exit 1; }}"
        for name, value in settings.items()
    ]


def _file(name: str) -> str:
    return f"/proc/sys/{name.replace('.', '/')}"


def found_set(terms: Terms) -> str:
    """Shell text for a host that is somebody's machine: nothing is changed there, and what is set
    otherwise than the plan wants ends the text with the words that would help."""
    return "\n".join(
        f'[ "$(cat {_file(name)})" = {shlex.quote(str(value))} ] || '
        f"{{ echo as root on the host: sysctl -w {name}={shlex.quote(str(value))}; exit 1; }}"
        for name, value in terms.sysctls.items()
    )


def both(terms: Terms, folder: str, turns: Sequence[Turn]) -> str:
    """Shell text that measures turns whose two ends are in one kernel."""
    options = ["--turns", "--spinner", SPINNER] if terms.counted else []
    if terms.pinned is not None:
        options += ["--cpu", str(terms.pinned[0]), "--peer-cpu", str(terms.pinned[1])]
    return call(folder, [*options, "both"], turns, terms.amount)


def call(folder: str, words: Sequence[str], turns: Sequence[Turn], amount: Amount) -> str:
    """Shell text that calls zcbench with the turns as its input."""
    line = shlex.join((f"{folder}/zcbench", *words))
    text = "\n".join(lines_of(turns, amount))
    return f"{line} <<'CELLS'\n{text}\nCELLS"


def rounds_of(
    answer: Answer, turns: Sequence[Turn], terms: Terms, origin: Origin
) -> tuple[Round, ...]:
    """A round for each turn out of what zcbench printed before it ended, however it did."""
    found = parse(answer.output, turns, terms.amount, origin)
    why = DEAD.get(answer.ended, "")
    if not why:
        last = next((line for line in reversed(answer.output) if line.strip()), "")
        said = "" if last.startswith("{") else f": {last[:120]}"
        why = f"the program ended with status {answer.status}{said}"
    return tuple(with_reason(each, why) for each in found)


def with_reason(found: Round, why: str) -> Round:
    """The round; the reason where it has neither figures nor one of its own."""
    return found if found.sender or found.reason else replace(found, reason=why)


def not_measured(turns: Sequence[Turn], origin: Origin, why: str) -> tuple[Round, ...]:
    """Rounds of turns that nobody came to."""
    return tuple(origin.failed(turn, why) for turn in turns)


def quick(factor: float) -> Limits:
    """For what is not measured."""
    return _CALM.scaled(factor)
