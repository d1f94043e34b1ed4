# SPDX-License-Identifier: GPL-2.0-only
"""What is read from checkpatch's output, and that a cut one is no good one."""

from __future__ import annotations

from kzc.series.checkpatch import Remark, parse

OUTPUT = """\
WARNING:COMMIT_LOG_LONG_LINE: Prefer a maximum 75 chars per line
#8:
a very long line

CHECK:PARENTHESIS_ALIGNMENT: Alignment should match open parenthesis
#23: FILE: net/core/sock.c:7:
+	foo(a,

ERROR:TRAILING_WHITESPACE: trailing whitespace
#24: FILE: net/core/sock.c:8:
+WARNING: no remark of checkpatch $

total: 1 errors, 1 warnings, 1 checks, 14 lines checked

NOTE: For some of the reported defects, checkpatch may be able to
"""


def test_remarks_have_kind_type_and_place() -> None:
    found = parse(OUTPUT.splitlines())
    assert found is not None
    assert found.remarks == (
        Remark("warning", "COMMIT_LOG_LONG_LINE", "Prefer a maximum 75 chars per line"),
        Remark(
            "check",
            "PARENTHESIS_ALIGNMENT",
            "Alignment should match open parenthesis",
            "net/core/sock.c",
            7,
        ),
        Remark("error", "TRAILING_WHITESPACE", "trailing whitespace", "net/core/sock.c", 8),
    )
    assert found.words == "1 error, 1 warning, 1 check"


def test_without_its_last_line_nothing_is_known() -> None:
    assert parse(OUTPUT.partition("total:")[0].splitlines()) is None
    assert parse([]) is None


def test_a_good_patch_has_no_remarks() -> None:
    found = parse(["total: 0 errors, 0 warnings, 0 checks, 92 lines checked"])
    assert found is not None
    assert (found.remarks, found.errors, found.warnings, found.checks) == ((), 0, 0, 0)
