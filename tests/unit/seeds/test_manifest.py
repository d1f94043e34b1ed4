# SPDX-License-Identifier: GPL-2.0-only
"""seeds/*.toml: those that kzc brings are read and fit what they name; wrong ones are refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from kzc.bench.order import cells_of, name_of
from kzc.bench.plan import Figure, find_plan, list_plans
from kzc.errors import UsageError
from kzc.seeds.manifest import AT, load_seed, load_seeds
from kzc.shared import shared_folder

HEAD = """
seed = "009"
title = "A title"
author = "Somebody"
what = "a mail"
tree = "6.12"
"""
CASES = '[[claims]]\nname = "one"\nsays = "It is."\nsuite = "vsock"\ncases = ["a*"]\n'
FIGURE = """
[[claims]]
name = "one"
says = "It is."
plan = "txzc"
figure = "cpu"
cell = "{at} copy"
rule = "same side"
points = [{ at = "4K", posted = 3, posted_of = 4 }]
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "009.toml"
    path.write_text(text)
    return path


def test_the_five_seeds_are_there() -> None:
    seeds = load_seeds(shared_folder("seeds"))
    assert [seed.seed for seed in seeds] == ["000", "001", "002", "003", "004"]
    assert [seed.seed for seed in load_seeds(shared_folder("seeds"), ["003"])] == ["003"]
    with pytest.raises(UsageError, match="there is no seed 007"):
        load_seeds(shared_folder("seeds"), ["007"])


def test_claims_name_cells_and_figures_that_their_plans_have() -> None:
    folder = shared_folder("plans")
    looked = 0
    for seed in load_seeds(shared_folder("seeds")):
        for claim in seed.claims:
            if claim.plan not in list_plans(folder):
                continue  # of a version to come, or a suite's
            _, plan = find_plan(claim.plan, [folder], folder)
            cells = {name_of(cell) for cell in cells_of(plan, claim.topology)[0]}
            for point in claim.points:
                for cell in filter(None, (claim.cell, claim.of)):
                    assert cell.replace(AT, point.at) in cells, (claim.name, cell, point.at)
            assert claim.figure in {*Figure, "copied", "completed"}
            looked += 1
    assert looked > 12


def test_what_was_posted_is_percent_of_what_it_is_a_part_of(tmp_path: Path) -> None:
    (claim,) = load_seed(write(tmp_path, HEAD + FIGURE)).claims
    assert claim.points[0].percent == 75
    assert claim.proof == "plan txzc"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (HEAD, "claims"),
        (HEAD + CASES + CASES, "one is there more than once"),
        (HEAD + CASES.replace('suite = "vsock"', ""), "one of plan, suite, untold"),
        (HEAD + CASES.replace('suite = "vsock"', 'plan = "txzc"'), "cases are a suite's"),
        (HEAD + CASES.replace('cases = ["a*"]', ""), "either figure"),
        (HEAD + CASES + 'ends = ["good"]\n', "ends"),
        (HEAD + CASES + "typo = 1\n", "typo"),
        (HEAD + FIGURE.replace("same side", "about"), "is no rule"),
        (HEAD + FIGURE.replace('rule = "same side"\n', ""), "there is no rule for the point"),
        (HEAD + FIGURE.replace(", posted = 3, posted_of = 4", ""), "nothing was posted"),
        (HEAD + FIGURE.replace("{at} copy", "4K copy"), "belong together"),
        (HEAD + FIGURE.replace("points = [", "points = [] #"), "figure wants cell and points"),
        (HEAD.replace("009", "9") + CASES, "seed"),
        ("seed = ", "009.toml"),
    ],
)
def test_a_wrong_one_is_refused_by_file_and_key(tmp_path: Path, text: str, complaint: str) -> None:
    with pytest.raises(UsageError) as refused:
        load_seed(write(tmp_path, text))
    assert complaint in str(refused.value)
    assert "009.toml" in str(refused.value)
