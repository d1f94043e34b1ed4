# SPDX-License-Identifier: GPL-2.0-only
"""Pages of a migrated guest: which differ, and what is said of them."""

from __future__ import annotations

from qemu_migration.pages import PAGE, Expected, difference, differing, filled, version

SEED, COUNT = 7, 300
GROUND = filled(SEED, COUNT * PAGE)


def page(content: bytes, number: int) -> bytes:
    return content[number * PAGE : (number + 1) * PAGE]


def said(written: dict[int, int], at: int, content: bytes) -> str:
    """What is said of a memory that has `content` in one page."""
    expected = Expected(SEED, GROUND, written)
    found = bytearray(expected.whole())
    found[at * PAGE : (at + 1) * PAGE] = content
    pages = differing(expected.whole(), bytes(found))
    assert pages == (at,)
    return difference(expected, bytes(found), pages)


def test_no_page_is_zero_or_like_another() -> None:
    found = {page(GROUND, number) for number in range(COUNT)}
    assert len(found) == COUNT
    assert bytes(PAGE) not in found
    assert filled(SEED, PAGE) == page(GROUND, 0)
    assert filled(SEED + 1, PAGE) != page(GROUND, 0)
    versions = {version(SEED, at, number) for at in range(4) for number in range(1, 4)}
    assert len(versions) == 12
    assert not versions & found


def test_what_was_written_last_is_expected() -> None:
    whole = Expected(SEED, GROUND, {5: 2, 299: 1}).whole()
    assert differing(GROUND, whole) == (5, 299)
    assert page(whole, 5) == version(SEED, 5, 2)
    assert page(whole, 299) == version(SEED, 299, 1)


def test_pages_are_found_wherever_they_are() -> None:
    found = bytearray(GROUND)
    for number in (0, 255, 256, 299):  # around the first MiB, and the ends
        found[number * PAGE + number] ^= 1
    assert differing(GROUND, bytes(found)) == (0, 255, 256, 299)
    assert differing(GROUND, GROUND) == ()
    assert differing(GROUND, GROUND[:-PAGE]) == (299,)


def test_an_older_version_is_called_stale() -> None:
    text = said({5: 3}, 5, version(SEED, 5, 2))
    assert text == (
        "data mismatch in 1 of 300 pages: page 5, written 3 times, is stale: as after write 2"
    )
    assert said({5: 3}, 5, page(GROUND, 5)).endswith("is stale: as at first")


def test_what_else_may_be_in_a_page() -> None:
    assert said({}, 9, bytes(PAGE)).endswith("page 9, written 0 times, is zero")
    assert said({}, 9, page(GROUND, 17)).endswith("has what belongs into page 17")
    torn = page(GROUND, 9)[:100] + bytes([page(GROUND, 9)[100] ^ 1]) + page(GROUND, 9)[101:]
    assert said({}, 9, torn).endswith("differs from byte 100 on")
