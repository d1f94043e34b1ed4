# SPDX-License-Identifier: GPL-2.0-only
"""The reason why a symbol did not take, out of Kconfig text."""

from pathlib import Path

import pytest

from kzc.kernel.kconfig import Need, explain, known, needs, unmet

VHOST = """\
menuconfig VHOST_MENU
\tbool "VHOST drivers"
\tdefault y

if VHOST_MENU

config VHOST_VSOCK
\ttristate "vhost virtio-vsock driver"
\tdepends on VSOCKETS && EVENTFD
\tselect VHOST

endif

menu "Others"
\tdepends on PCI

config OTHER
\tbool "Other" if EXPERT
\tdepends on A || \\
\t\tB

endmenu
"""
FILES = [("drivers/vhost/Kconfig", VHOST)]


def test_depends_on_and_the_enclosing_if_are_needs() -> None:
    assert needs("VHOST_VSOCK", FILES) == (
        Need("VHOST_MENU", "drivers/vhost/Kconfig:5"),
        Need("VSOCKETS && EVENTFD", "drivers/vhost/Kconfig:9"),
    )


def test_menu_prompt_condition_and_continued_lines_are_needs() -> None:
    found = needs("OTHER", FILES)
    assert found is not None
    assert [need.expression for need in found] == ["PCI", "EXPERT", "A ||  \t\tB"]


def test_a_symbol_that_no_file_defines() -> None:
    assert needs("NOPE", FILES) is None


@pytest.mark.parametrize(
    ("expression", "bad"),
    [
        ("A && B", ("B=n",)),
        ("A", ()),
        ("!A", ("A=y",)),
        ("!B", ()),
        ("(A || B) && y", ("B=n",)),
    ],
)
def test_symbols_that_are_not_as_wanted(expression: str, bad: tuple[str, ...]) -> None:
    assert unmet(expression, {"A": "y"}) == bad


def test_a_sentence_for_people(tmp_path: Path) -> None:
    (tmp_path / "drivers/vhost").mkdir(parents=True)
    (tmp_path / "drivers/vhost/Kconfig").write_text(VHOST)
    config = {"VHOST_MENU": "y", "EVENTFD": "y"}
    assert explain("VHOST_VSOCK", tmp_path, config) == (
        "depends on VSOCKETS && EVENTFD (drivers/vhost/Kconfig:9), and VSOCKETS=n"
    )
    assert explain("NOPE", tmp_path, config) == "this tree has no such symbol"
    assert "another symbol" in explain("VHOST_VSOCK", tmp_path, {**config, "VSOCKETS": "y"})


def test_whether_a_tree_knows_a_symbol(tmp_path: Path) -> None:
    (tmp_path / "Kconfig").write_text("config KVM\n\tbool\n# KVM_IOAPIC is gone\n")
    assert known("KVM", tmp_path)
    assert not known("KVM_IOAPIC", tmp_path)
