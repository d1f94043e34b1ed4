# SPDX-License-Identifier: GPL-2.0-only
"""What the suite prints, as kzc reads it."""

from __future__ import annotations

from qemu_migration import ktap
from qemu_migration.ktap import Result

from kzc.suites.ktap import parse
from kzc.values import Case, Verdict

RESULTS = (
    Result("copy/veth4", True, seconds=4.25, said="copy", measured={"bytes": 7, "way": "veth4"}),
    Result("zerocopy/veth6", True, skipped=True, said="this kernel has no IPv6"),
    Result("cancel", False, seconds=9.0, said="the source is #1\nand gone # SKIP me"),
    Result("destination-killed", True),
)


def read(lines: list[str], status: int) -> tuple[Case, ...]:
    return parse(lines, status=status)


def test_results_come_back_as_they_were() -> None:
    lines = ktap.head(len(RESULTS))
    for number, result in enumerate(RESULTS, 1):
        lines += ktap.lines(number, result)
    copy, skipped, failed, plain = read(lines, 1)
    assert (copy.name, copy.verdict, copy.reason) == ("copy/veth4", Verdict.PASS, "copy")
    assert (copy.seconds, copy.detail["bytes"], copy.detail["way"]) == (4.2, "7", "veth4")
    assert (skipped.verdict, skipped.reason) == (Verdict.SKIP, "this kernel has no IPv6")
    assert failed.verdict is Verdict.FAIL
    assert failed.reason == "the source is 1 and gone SKIP me"
    assert "bytes" not in failed.detail
    assert plain.verdict is Verdict.PASS


def test_a_document_that_was_cut_is_no_pass() -> None:
    lines = [*ktap.head(2), *ktap.lines(1, RESULTS[0])]
    cut = parse(lines, status=None)
    assert [case.verdict for case in cut] == [Verdict.PASS, Verdict.CRASH]


def test_where_nothing_runs_the_reason_is_told() -> None:
    (case,) = read(ktap.skip_all("the guest has no qemu-system-x86_64"), 4)
    assert case.verdict is Verdict.SKIP
    assert case.reason == "the guest has no qemu-system-x86_64"
