# SPDX-License-Identifier: GPL-2.0-only
"""What an end of a bench is told, and that no turn is left out, however the end ended."""

from __future__ import annotations

import subprocess

import pytest

from kzc.bench.values import Cell, Clock, Mode
from kzc.bench.zcbench import Amount, Origin, Turn
from kzc.errors import UsageError
from kzc.jobs.bench_guest import (
    CHUNK,
    Terms,
    both,
    chunks,
    found_set,
    only_counted_by_tcg,
    prepare,
    rounds_of,
    set_up,
)
from kzc.values import Answer, Ended

CELL = Cell("udp", 6, "loopback", Mode.COPY, 4096)
TURNS = tuple(Turn(CELL, number) for number in range(1, 2 * CHUNK + 2))
ORIGIN = Origin("own", 1, Clock.WALL)
COUNTED = Terms(Clock.INSTRUCTIONS, Amount(bytes=4096), {"net.core.optmem_max": 7})
WALL = Terms(Clock.WALL, pinned=(0, 1))


def test_counted_ends_take_turns_and_never_halt() -> None:
    text = prepare(COUNTED, "/kzc/bin")
    assert "echo 7 >/proc/sys/net/core/optmem_max ||" in text
    assert "/kzc/bin/zcbench spin " in text
    assert "spin" not in prepare(COUNTED, "/kzc/bin", spin=False)
    assert "--turns --spinner" in both(COUNTED, "/kzc/bin", TURNS[:1])


def test_what_cannot_be_set_ends_the_text_with_its_name() -> None:
    text = "\n".join(set_up({"kernel.ostype": "GNU"}))
    done = subprocess.run(["sh", "-c", text], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "cannot set kernel.ostype\n")


def test_in_wall_time_each_end_has_a_cpu() -> None:
    assert "spin" not in prepare(WALL, "/kzc/bin")
    text = both(WALL, "/kzc/bin", TURNS[:2])
    assert "--cpu 0 --peer-cpu 1 both" in text
    assert "--turns" not in text
    assert text.splitlines()[1:] == [
        "0 udp 6 loopback copy 4096 1 1024 16 0 20",
        "1 udp 6 loopback copy 4096 1 1024 16 0 20",
        "CELLS",
    ]


def test_all_turns_are_in_chunks_once() -> None:
    parts = list(chunks(TURNS))
    assert [len(part) for part in parts] == [CHUNK, CHUNK, 1]
    assert tuple(turn for part in parts for turn in part) == TURNS


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (Answer(Ended.PANIC, None, (), (), 1.0), "the kernel panicked"),
        (Answer(Ended.EXIT, 3, ("zcbench: fork: no",), (), 1.0), "status 3: zcbench: fork: no"),
        (Answer(Ended.EXIT, 0, (), (), 1.0), "the program ended with"),
    ],
)
def test_each_turn_has_a_round_with_the_reason(answer: Answer, reason: str) -> None:
    found = rounds_of(answer, TURNS, WALL, ORIGIN)
    assert [each.number for each in found] == [turn.number for turn in TURNS]
    assert all(reason in each.reason and not each.lacks for each in found)


def test_only_tcg_counts() -> None:
    only_counted_by_tcg("tcg", COUNTED)
    only_counted_by_tcg("kvm", WALL)
    with pytest.raises(UsageError, match="by TCG only"):
        only_counted_by_tcg("kvm", COUNTED)


def test_on_a_machine_of_somebodys_nothing_is_written() -> None:
    text = found_set(COUNTED)
    assert ">" not in text.replace("2>&1", "")
    assert "sysctl -w net.core.optmem_max=7" in text
    assert found_set(WALL) == ""
