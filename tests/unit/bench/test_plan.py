# SPDX-License-Identifier: GPL-2.0-only
"""Plans: what is carried can be read, what is wrong is named, and the order of measurement."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest

from kzc.bench.order import amount_of, cells_of, name_of, schedule
from kzc.bench.plan import find_plan, list_plans, load_plan, parse_size, show_size
from kzc.bench.values import Cell, Mode
from kzc.errors import UsageError
from kzc.shared import shared_folder

from .synthetic import PLAN

PLANS = shared_folder("plans")
GOOD = """
title = "mine"
transports = ["tcp"]
directions = ["loopback"]
modes = ["copy", "errqueue"]
sizes = ["4K", 100]
figures = ["cpu"]
"""


def test_the_seeds_have_their_plans() -> None:
    assert {"vsock-cover", "scm-cover", "txzc", "latency", "smoke"} <= set(list_plans(PLANS))


@pytest.mark.parametrize("name", list_plans(PLANS))
def test_a_carried_plan_can_be_measured_and_has_ten_rounds(name: str) -> None:
    plan = load_plan(PLANS / f"{name}.toml")
    cells, _ = cells_of(plan, plan.topology)
    assert cells
    assert plan.rounds >= 10 or name == "smoke"
    assert plan.against in plan.modes
    assert all(amount_of(plan).messages(cell) >= 4 for cell in cells)


def test_a_plan_of_ones_own_is_a_path(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(GOOD)
    name, plan = find_plan("./mine.toml", [PLANS], tmp_path)
    assert (name, plan.sizes, plan.rounds) == ("mine", (4096, 100), 10)
    assert find_plan("mine.toml", [PLANS], tmp_path) == (name, plan)
    assert find_plan("mine", [PLANS, tmp_path], Path()) == (name, plan)
    (tmp_path / "smoke.toml").write_text(GOOD)
    assert find_plan("smoke", [PLANS, tmp_path], Path())[1].title == "mine"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (GOOD + "size = 3\n", "size: there is no such key"),
        (GOOD + "[settings]\noptmem = 3\n", "settings.optmem: there is no such key"),
        (GOOD.replace('"4K"', '"4KB"'), "sizes.0: "),
        (GOOD.replace('"4K"', "0"), "sizes.0: "),
        (GOOD.replace('"4K"', "4.5"), "sizes.0: "),
        (GOOD.replace('["tcp"]', '["rds"]'), "transports.0: "),
        (GOOD.replace('["tcp"]', "[]"), "transports: "),
        (GOOD.replace("title", "titel"), "title: Field required"),
        (GOOD + "rounds = 0\n", "rounds: "),
        (GOOD + 'rounds = "10"\n', "rounds: "),
        (GOOD + "figures = 3\n", "no valid TOML"),
        ("title = 'half", "no valid TOML"),
    ],
)
def test_what_is_wrong_is_named_with_file_and_key(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(text)
    with pytest.raises(UsageError) as raised:
        load_plan(path)
    assert f"{path}: " in raised.value.message
    assert told in raised.value.message


def test_a_plan_that_is_not_there_names_those_that_are(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as raised:
        find_plan("vsock-covr", [PLANS], tmp_path)
    assert "vsock-cover" in raised.value.hint
    with pytest.raises(UsageError, match=r"other\.toml: cannot be read"):
        find_plan("./other.toml", [PLANS], tmp_path)


@pytest.mark.parametrize(("text", "size"), [("4K", 4096), ("8M", 8 << 20), ("1G", 1 << 30)])
def test_sizes_are_read_as_they_are_shown(text: str, size: int) -> None:
    assert parse_size(text) == size
    assert show_size(size) == text
    assert show_size(100) == "100"


def test_copying_collects_nothing_so_it_has_one_interval() -> None:
    plan = PLAN.model_copy(update={"intervals": (1, 32)})
    cells, missing = cells_of(plan, "loopback")
    assert not missing
    assert Counter(cell.mode for cell in cells) == {Mode.COPY: 4, Mode.ERRQUEUE: 8}
    assert name_of(cells[0]) == "vsock loopback 4K copy"
    assert name_of(cells[-1]) == "tcp4 loopback 64K errqueue/32"


def test_what_cannot_be_is_left_out_with_its_reason() -> None:
    plan = PLAN.model_copy(
        update={"transports": ("udp", "vsock"), "ip": (4, 6), "sizes": (65507, 65520, 1 << 17)}
    )
    _, missing = cells_of(plan, "loopback")
    reasons = {name_of(each.cell): each.reason for each in missing}
    assert "udp4 loopback 65507 copy" not in reasons
    assert "65,507" in reasons["udp4 loopback 65520 copy"]
    assert "udp6 loopback 65520 copy" not in reasons
    assert "65,527" in reasons["udp6 loopback 128K copy"]
    two = plan.model_copy(update={"directions": ("g2h", "veth"), "sizes": (4096,)})
    cells, missing = cells_of(two, "loopback")
    told = {(each.cell.transport, each.cell.direction): each.reason for each in missing}
    assert "--topology nested" in told["vsock", "g2h"]
    assert "one guest" in told["udp", "g2h"]
    assert told["vsock", "veth"] == "vsock has no veth"
    assert {cell.direction for cell in cells} == {"veth"}
    assert any(cell.direction == "g2h" for cell in cells_of(two, "nested")[0])


def test_every_cell_gets_its_rounds_on_every_kernel_whatever_the_boots() -> None:
    cells, _ = cells_of(PLAN, "loopback")
    for boots in (1, 2, 3, 20):
        found = schedule(cells, 10, boots, ["a", "b"], 1)
        count = Counter((boot.kernel, turn.cell) for boot in found for turn in boot.turns)
        assert set(count.values()) == {10}
        assert len(found) == 2 * min(boots, 10)
        numbers = [turn.number for boot in found for turn in boot.turns if boot.kernel == "a"]
        assert sorted(set(numbers)) == list(range(1, 11))


def test_the_order_is_the_same_for_a_seed_and_no_other() -> None:
    cells, _ = cells_of(PLAN, "loopback")
    assert schedule(cells, 10, 2, ["a"], 1) == schedule(cells, 10, 2, ["a"], 1)
    assert schedule(cells, 10, 2, ["a"], 1) != schedule(cells, 10, 2, ["a"], 2)


def test_what_is_compared_are_neighbours_and_in_turned_order_the_next_time() -> None:
    cells, _ = cells_of(PLAN, "loopback")
    (boot,) = schedule(cells, 4, 1, ["a"], 1)
    rounds: dict[int, list[Cell]] = {}
    for turn in boot.turns:
        rounds.setdefault(turn.number, []).append(turn.cell)
    for order in rounds.values():
        together = [first.size == second.size for first, second in pairwise(order)]
        assert together[::2] == [True] * 4
    assert rounds[2] == rounds[1][::-1]
    assert rounds[4] == rounds[3][::-1]
    assert rounds[3] not in (rounds[1], rounds[2])


def test_boots_of_two_kernels_take_turns_at_being_first() -> None:
    cells, _ = cells_of(PLAN, "loopback")
    found = schedule(cells, 9, 3, ["a", "b"], 1)
    assert [boot.kernel for boot in found] == ["a", "b", "b", "a", "a", "b"]
    assert found[0].turns == found[1].turns
