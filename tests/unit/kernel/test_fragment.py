# SPDX-License-Identifier: GPL-2.0-only
"""Wishes are merged in order, and each that did not take is found."""

from kzc.kernel.fragment import Asked, Fragment, merge, parse, parse_config, refused, render

NET = Fragment(
    "net.config", "# sockets\nCONFIG_NET=y\nCONFIG_NR_CPUS=8\n# CONFIG_WLAN is not set\n"
)
OWN = Fragment("own.config", 'CONFIG_NR_CPUS=64\nCONFIG_CMDLINE="quiet"\n')


def test_a_fragment_is_read_with_its_lines() -> None:
    assert parse(NET) == (
        Asked("NET", "y", "net.config", 2),
        Asked("NR_CPUS", "8", "net.config", 3),
        Asked("WLAN", "n", "net.config", 4),
    )


def test_the_last_wish_for_a_symbol_wins() -> None:
    assert render(merge([NET, OWN])) == (
        'CONFIG_NET=y\nCONFIG_NR_CPUS=64\nCONFIG_WLAN=n\nCONFIG_CMDLINE="quiet"\n'
    )


def test_what_did_not_take_is_named_with_fragment_and_line() -> None:
    config = parse_config("CONFIG_NET=y\nCONFIG_WLAN=y\nCONFIG_NR_CPUS=64\n")
    found = refused(merge([NET, OWN]), config)
    assert [(r.asked.symbol, r.asked.fragment, r.asked.line, r.got) for r in found] == [
        ("WLAN", "net.config", 4, "y"),
        ("CMDLINE", "own.config", 2, "n"),
    ]


def test_built_in_fulfils_the_wish_for_a_module_but_not_the_other_way() -> None:
    module, builtin = Fragment("f", "CONFIG_VETH=m\n"), Fragment("f", "CONFIG_VETH=y\n")
    assert not refused(merge([module]), {"VETH": "y"})
    assert refused(merge([builtin]), {"VETH": "m"})
    assert refused(merge([module]), {})


def test_unset_and_absent_are_the_same() -> None:
    assert not refused(merge([Fragment("f", "CONFIG_VT=n\n")]), parse_config(""))


def test_a_wish_for_trees_that_know_the_symbol() -> None:
    text = 'CONFIG_KVM_IOAPIC=y # if known\nCONFIG_CMDLINE="a # b"\n'
    ioapic, line = parse(Fragment("f", text))
    assert ioapic == Asked("KVM_IOAPIC", "y", "f", 1, if_known=True)
    assert (line.value, line.if_known) == ('"a # b"', False)
    assert render([ioapic, line]) == 'CONFIG_KVM_IOAPIC=y\nCONFIG_CMDLINE="a # b"\n'
