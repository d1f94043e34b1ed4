# SPDX-License-Identifier: GPL-2.0-only
"""What [ci] may hold, and what a mistake in it gets."""

from __future__ import annotations

from pathlib import Path

import pytest

from kzc.errors import UsageError
from kzc.jobs.ci.matrix import find_file, load_matrix, seconds
from kzc.settings import load_settings
from tests.unit.jobs.ci.samples import matrix

EXAMPLE = Path(__file__).parents[4] / "ci" / "example" / "kzc.toml"


def test_the_example_is_read_as_it_says() -> None:
    found = load_matrix(EXAMPLE)
    assert found.budget == 7200
    assert found.trees["6.12"] == "debian:linux-source-6.12"
    assert [block.suites for block in found.matrix] == [
        None,
        ("vsock", "zc_lifetime"),
        ("zc_fuzz",),
        (),
    ]
    assert found.matrix[-1].plans == ("smoke",)
    assert [block.may_fail for block in found.matrix] == [(), (), True, ()]


@pytest.mark.parametrize(
    ("text", "value"),
    [("90 min", 5400.0), ("1 h 30 min", 5400.0), ("1.5h", 5400.0), ("20 s", 20.0)],
)
def test_times_are_written_as_people_do(text: str, value: float) -> None:
    assert seconds(text) == value


@pytest.mark.parametrize("text", ["", "90", "soon", "2 h and more", "1 d"])
def test_what_is_no_time_stays_what_it_is(text: str) -> None:
    assert seconds(text) == text


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "has no [[ci.matrix]]"),
        ("[ci]\nretries = 1\n", "ci.matrix: it is missing"),
        ("[[ci.matrix]]\nseries = ['x']\n", "ci.matrix.0.trees: it is missing"),
        ("[[ci.matrix]]\ntrees = []\n", "ci.matrix.0.trees"),
        ("[[ci.matrix]]\ntrees = ['-x']\n", "ci.matrix.0.trees.0: '-x' is no name"),
        ("[[ci.matrix]]\ntree = ['x']\n", "ci.matrix.0.tree: there is no such field"),
        ("[[ci.matrix]]\ntrees = ['x']\ntopologies = ['ring']\n", "ci.matrix.0.topologies.0"),
        ("[[ci.matrix]]\ntrees = ['x']\nmay_fail = [{ suit = 'x' }]\n", "there is no such field"),
        (
            "[ci]\nbudget = 'soon'\n[[ci.matrix]]\ntrees = ['x']\n",
            "ci.budget: 'soon' is no time, as",
        ),
        ("[ci.wants.build]\nmemory = '2X'\n[[ci.matrix]]\ntrees = ['x']\n", "wants.build.memory"),
        ("[ci.wants.bild]\ncpus = 2\n[[ci.matrix]]\ntrees = ['x']\n", "ci.wants.bild"),
        ("[ci\n", "no valid TOML"),
    ],
)
def test_a_mistake_is_named_with_file_and_field(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        matrix(tmp_path, text)
    assert str(tmp_path / "kzc.toml") in caught.value.message
    assert said in caught.value.message


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "[[ci.matrix]]\ntrees = ['x']\nsuits = ['y']\n",
            "ci.matrix.0.suits: there is no such field (there are: trees, series, profiles, "
            "topologies, suites, plans, host, exclude, may_fail)",
        ),
        (
            "[[ci.matrix]]\ntrees = ['x']\nmay_fail = [{ suit = 'x' }]\n",
            "ci.matrix.0.may_fail.0.suit: there is no such field (there are: tree, series, "
            "profile, topology, suite, plan)",
        ),
        (
            "[[ci.matrix]]\ntrees = ['x']\nmay_fail = 'x'\n",
            "ci.matrix.0.may_fail: true, false or a list of tables is wanted (it is 'x')",
        ),
        (
            "[[ci.matrix]]\ntrees = ['x']\ntopologies = ['ring']\n",
            "ci.matrix.0.topologies.0: it has to be 'loopback', 'pair' or 'nested' (it is 'ring')",
        ),
        (
            "[ci.wants.bild]\ncpus = 2\n[[ci.matrix]]\ntrees = ['x']\n",
            "ci.wants.bild: it has to be 'build', 'loopback', 'pair', 'nested' or 'bench' "
            "(it is 'bild')",
        ),
        (
            "[ci.wants.build]\nmemory = 'much'\n[[ci.matrix]]\ntrees = ['x']\n",
            'ci.wants.build.memory: \'much\' is no size, as "8G" or "512M"',
        ),
        (
            "[ci]\nretries = 9\n[[ci.matrix]]\ntrees = ['x']\n",
            "ci.retries: the most is 5 (it is 9)",
        ),
        (
            "[[ci.matrix]]\ntrees = 'x'\n",
            'ci.matrix.0.trees: a list is wanted, as ["one", "two"] (it is \'x\')',
        ),
        ("[[ci.matrix]]\ntrees = []\n", "ci.matrix.0.trees: it is empty"),
    ],
)
def test_a_mistake_is_one_line_in_plain_words(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        matrix(tmp_path, text)
    assert caught.value.message == f"{tmp_path / 'kzc.toml'}: {said}"
    assert caught.value.hint == "`kzc help ci` says what each field is"


def test_a_file_without_a_matrix_is_told_the_least(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"ci\.matrix: it is empty") as caught:
        matrix(tmp_path, "[ci]\nmatrix = []\n")
    assert "[[ci.matrix]] with trees" in caught.value.hint


def test_the_nearest_file_with_a_matrix_is_taken(tmp_path: Path) -> None:
    below = tmp_path / "a" / "b"
    below.mkdir(parents=True)
    (tmp_path / "kzc.toml").write_text("[[ci.matrix]]\ntrees = ['x']\n")
    (tmp_path / "a" / "kzc.toml").write_text("jobs = 1\n")
    assert find_file(below) == tmp_path / "kzc.toml"
    (tmp_path / "kzc.toml").unlink()
    with pytest.raises(UsageError, match=r"in .* or above") as caught:
        find_file(below)
    assert "[[ci.matrix]] with trees" in caught.value.hint


def test_settings_pass_over_the_matrix(tmp_path: Path) -> None:
    (tmp_path / "kzc.toml").write_text("jobs = 3\n[[ci.matrix]]\ntrees = ['x']\n")
    assert load_settings({}, tmp_path, {}).jobs == 3
