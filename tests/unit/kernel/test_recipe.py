# SPDX-License-Identifier: GPL-2.0-only
"""What a kernel is named by: one that is the same must not be built twice, nor two be one."""

from __future__ import annotations

from kzc.kernel.build import Recipe
from kzc.kernel.fragment import Fragment

NET = Fragment("net.config", "CONFIG_NET=y\nCONFIG_VETH=y\n")
TC = Fragment("tc.config", "CONFIG_NET=y\nCONFIG_NET_SCHED=y\n")
OFF = Fragment("off.config", "# CONFIG_VETH is not set\n")


def key(*fragments: Fragment, tree: str = "t", compiler: str = "gcc 12") -> str:
    return Recipe(tree, fragments, compiler).key


def test_the_order_of_suites_makes_no_other_kernel() -> None:
    assert key(NET, TC) == key(TC, NET)


def test_a_fragment_that_takes_back_what_another_wants_does() -> None:
    assert key(NET, OFF) != key(OFF, NET)


def test_all_that_it_is_made_of_counts() -> None:
    others = {key(NET), key(TC), key(NET, tree="u"), key(NET, compiler="gcc 13"), key(NET, OFF)}
    assert len(others) == 5
