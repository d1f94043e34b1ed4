# SPDX-License-Identifier: GPL-2.0-only
"""What two ends' programs have in common."""

from kzc.suites.agree import Agreement, agree, shared_options


def test_equal_lists() -> None:
    found = agree("p", ["a", "b", "c"], ["a", "b", "c"])
    assert found == Agreement(("a", "b", "c"), positions={"a": 0, "b": 1, "c": 2})
    assert found.only_of({"b"}).planned == ("b",)
    assert found.only_of({"b"}).skip == (0, 2)


def test_one_is_longer() -> None:
    found = agree("p", ["a"], ["a", "b"])
    assert found == Agreement(("a", "b"), {"b": "only the guest's p knows this test"})


def test_another_one_in_between() -> None:
    found = agree("p", ["a", "x", "c"], ["a", "y", "c"])
    assert found.planned == ("a", "x", "y", "c")
    assert found.skip == (1,)
    assert found.only["x"] == "only the host's p knows this test as its number 1"
    assert set(found.only) == {"x", "y"}


def test_an_end_without_a_list_says_nothing() -> None:
    assert agree("p", [], ["a"]) == Agreement(("a",))


def test_options() -> None:
    host = ["Usage: x [--help] [--peer-port=<port>]", "  --pick <id>  x--no --skip"]
    assert shared_options(host, ["  --skip", "--peer-port N", "--Bad;rm"]) == (
        "--peer-port",
        "--skip",
    )
